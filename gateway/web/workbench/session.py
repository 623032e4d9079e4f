"""The workbench's own session: it shows phones' codes and reads the ledger as a member of staff would."""

from datetime import datetime, timedelta

from starlette.concurrency import run_in_threadpool

from gateway.auth import Role, token_hash
from gateway.bootstrap import Gateway
from gateway.services.session import StaffSignIn

_LASTS = timedelta(hours=12)
_EARLY = timedelta(minutes=5)


class BenchSession:
    """Opens a session when one is needed, and again when time (simulated, so it may leap) has ended it."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._token = ""
        self._expires_at: datetime | None = None

    async def token(self) -> str:
        """Return a session's token that is good for a while."""
        now = self._gateway.clock.now()
        if self._expires_at is None or now >= self._expires_at - _EARLY:
            token, expires_at = self._gateway.entropy.draw(32).hex(), now + _LASTS
            roles = (Role.DESK.value, Role.OPERATIONS.value)
            wish = StaffSignIn("workbench", roles, token_hash(token), expires_at)
            await run_in_threadpool(self._gateway.do, "session.open_staff", wish)
            self._token, self._expires_at = token, expires_at
        return self._token
