"""The resort as everyone may know it."""

from typing import Any

import msgspec
from fastapi import APIRouter, Depends, Response

from gateway.api.deps import GatewayHere, role

router = APIRouter(tags=["resort"], dependencies=[Depends(role("anonymous"))])

_PUBLIC = (
    "code",
    "name",
    "zone",
    "currency",
    "version",
    "parks",
    "attractions",
    "products",
    "outlets",
    "taxes",
    "lots",
)


@router.get("/resort", response_class=Response)
def resort(gateway: GatewayHere) -> Response:
    """Parks, attractions, products, outlets with their prices, and photo points."""
    current = gateway.feed.resort()
    public: dict[str, Any] = {name: getattr(current, name) for name in _PUBLIC}
    public["photo_points"] = [
        {"id": point.id, "name": point.name, "venue": point.venue, "place": point.place}
        for point in current.touchpoints
        if point.kind == "photo_point"
    ]
    return Response(msgspec.json.encode(public), media_type="application/json")
