"""How a refusal's detail is written: on the resort's clock, in digits that every language reads."""

from datetime import datetime

from wallet.resort import Resort


def clock(at: datetime, resort: Resort) -> str:
    """Return the time of day at the resort ("14:55")."""
    return resort.local(at).strftime("%H:%M")


def moment(at: datetime, resort: Resort) -> str:
    """Return date and time at the resort ("2027-03-02 14:55")."""
    return resort.local(at).strftime("%Y-%m-%d %H:%M")
