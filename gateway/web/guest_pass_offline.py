"""What a phone's browser keeps of the pass for when there is no network: a shell without names, and who serves it."""

import hashlib
import json

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from gateway.web.rendering import STATIC
from gateway.web.visit import Visit, visit

router = APIRouter(include_in_schema=False)

SHELL = "/app/pass-shell"
_PARTS = (
    "*.css",
    "icons.svg",
    "ring.svg",
    "ring.js",
    "sound.js",
    "form.js",
    "morph.js",
    "api.js",
    "pass/*.js",
)
_FILES = sorted(path for part in _PARTS for path in STATIC.glob(part) if path.name != "worker.js")
_WORKER = STATIC / "pass" / "worker.js"


@router.get(SHELL)
async def shell(here: Visit = Depends(visit("anonymous"))) -> Response:
    """Show the pass's page as it is without a network: it names nobody, and finds what it shows on the phone."""
    return here.page("app_pass_shell.html", zone=here.resort.zone)


@router.get("/app/pass-worker.js")
async def worker(here: Visit = Depends(visit("anonymous"))) -> Response:
    """Return the service worker, together with the files it keeps and a version that changes with any of them."""
    page = bytes((await shell(here)).body)
    kept = hashlib.sha256(b"".join(path.read_bytes() for path in [*_FILES, _WORKER]) + page).hexdigest()[:16]
    files = [SHELL, *(f"/static/{path.relative_to(STATIC).as_posix()}" for path in _FILES)]
    names = {"PASS_VERSION": kept, "PASS_SHELL": SHELL, "PASS_FILES": files}
    head = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in names.items())
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return Response(head + _WORKER.read_text(encoding="utf-8"), media_type="text/javascript", headers=headers)
