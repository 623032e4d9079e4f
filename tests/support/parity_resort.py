"""The resort of the parity worlds, and the ways in which it is loaded anew."""

from datetime import time

from msgspec.structs import replace

from tests.support.worlds import RESORT
from wallet.resort import Item, Outlet, Park, Policies, Resort, Touchpoint, TouchpointKind, Venue

_PEAK = (
    Touchpoint("summit-in", "Summit", TouchpointKind.PARK_GATE, "peak", "summit"),
    Touchpoint("glacier-entrance", "Glacier", TouchpointKind.BYPASS_ENTRANCE, "peak", "glacier"),
    Touchpoint("glacier-merge", "Glacier", TouchpointKind.MERGE_POINT, "peak", "glacier"),
)
_KIOSK = Outlet("kiosk", "Kiosk", "peak", (Item("ice", "Ice cream", 400, "vat10"),))
_KIOSK_TILL = Touchpoint("kiosk-till", "Kiosk", TouchpointKind.TILL, "peak", "kiosk")

BASE = replace(
    RESORT,
    venues=(*RESORT.venues, Venue("peak", "Peak")),
    parks=(RESORT.parks[0], Park("summit", "Summit", "peak", time(10), time(1))),
    outlets=(*RESORT.outlets, _KIOSK),
    touchpoints=(*RESORT.touchpoints, *_PEAK),
)

VARIANTS = ("base", "kiosk till", "grill moved", "no photo point", "no comet", "no rooms", "no tills")
"""What else may become of the resort: each makes venues need other guests, or other parts of what is known."""


def resort_with(variant: str = "base", policies: Policies | None = None) -> Resort:
    """Return the resort in one of its variants."""
    made, points = BASE, BASE.touchpoints
    match variant:
        case "kiosk till":
            points = (*points, _KIOSK_TILL)
        case "grill moved":
            made = replace(made, outlets=(replace(RESORT.outlets[0], venue="park"), _KIOSK))
            points = tuple(replace(each, venue="park") if each.id == "till" else each for each in points)
        case "no photo point":
            points = tuple(each for each in points if each.kind is not TouchpointKind.PHOTO_POINT)
        case "no comet":
            rides = tuple(each for each in made.attractions if each.id != "comet")
            made = replace(made, attractions=rides)
            points = tuple(each for each in points if each.place != "comet")
        case "no rooms":
            made = replace(made, rooms=())
            points = tuple(each for each in points if each.kind is not TouchpointKind.DOOR)
        case "no tills":
            points = tuple(each for each in points if each.kind is not TouchpointKind.TILL)
    return replace(made, touchpoints=points, policies=policies or made.policies)
