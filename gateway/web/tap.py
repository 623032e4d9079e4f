"""/tap: what a guest's phone opens when it is held to a band. It tells whose resort, never whose band."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from gateway.api.deps import address_of
from gateway.sun_reading import SunReading
from gateway.web.visit import Visit, visit
from wallet.chips.sun import parse

router = APIRouter(include_in_schema=False)

_STATUS = {SunReading.NEW: 200, SunReading.USED: 409, SunReading.FOREIGN: 404}


@router.get("/tap")
async def tap(here: Annotated[Visit, Depends(visit("anonymous"))]) -> Response:
    """Say what was read, and what to do next."""
    here.gateway.sun_visits.count(address_of(here.request))
    message = parse(f"?{here.request.url.query}")
    reading = await run_in_threadpool(here.gateway.sun_reader.check, message)
    return here.page("tap.html", _STATUS[reading], reading=reading.value, guest=None, tab="")
