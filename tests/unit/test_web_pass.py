"""What the page of the pass says it opens."""

from datetime import UTC, date, datetime

from gateway.web.guest_pass import opens
from gateway.web.party import GuestSeen
from tests.support.parity_resort import resort_with
from wallet.entitlement import Admission, RoomKey, Spending

FROM, UNTIL = datetime(2026, 11, 24, 14, tzinfo=UTC), datetime(2026, 11, 27, 10, tzinfo=UTC)


def test_what_has_ended_is_opened_no_more() -> None:
    resort = resort_with()
    park = next(iter(resort.parks))
    guest = GuestSeen(
        "g",
        "t",
        entitlements=(
            RoomKey("1", ("101",), FROM, UNTIL),
            Spending("2", "a", "EUR", 1, 1, FROM, UNTIL),
            Admission("3", (park.id,), date(2026, 11, 24), date(2026, 11, 27), days=2),
        ),
    )

    assert [each["icon"] for each in opens(guest, resort, FROM)] == ["room", "till", "park_gate"]
    assert [each["icon"] for each in opens(guest, resort, UNTIL)] == ["park_gate"]
    assert opens(guest, resort, datetime(2026, 11, 29, tzinfo=UTC)) == []
