"""Is it alive, can it work, and its figures."""

from typing import Any

from fastapi import APIRouter, Depends, Response

from gateway.api.deps import GatewayHere, role
from gateway.db import house
from gateway.db.migrate import is_current
from gateway.errors import Rejection

router = APIRouter(tags=["health"], dependencies=[Depends(role("anonymous"))])


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"state": "alive"}


@router.get("/readyz")
def ready(gateway: GatewayHere) -> dict[str, Any]:
    """The database answers, has the right tables, and the feed was swept in the last seconds."""
    try:
        with gateway.database.read() as connection:
            house.answers_queries(connection)
        current = is_current(gateway.database)
    except Exception as error:
        raise Rejection("database_away", 503, "The database does not answer.") from error
    swept_s = gateway.feed.swept_s
    late = swept_s is None or gateway.clock.elapsed_s() - swept_s > 30
    if not current:
        raise Rejection(
            "not_ready", 503, "The database's tables are of another version: passband gateway migrate."
        )
    if late:
        raise Rejection("not_ready", 503, "The feed has not been numbered for a while; the log says why.")
    return {"state": "ready", "position": gateway.feed.head}


@router.get("/metrics")
async def metrics(gateway: GatewayHere) -> Response:
    """Figures for Prometheus."""
    return Response(gateway.metrics.text(), media_type="text/plain; version=0.0.4")
