"""The current resort, kept in memory as long as its version stands."""

from sqlalchemy import Connection

from gateway.db.load import current_resort_version, resort_of_version
from wallet.resort import Resort


class ResortShelf:
    """Remembers the last version read; asking for the number is cheap, reading a whole resort is not."""

    def __init__(self) -> None:
        self._resort: Resort | None = None

    def current(self, connection: Connection) -> Resort | None:
        """Return the resort last loaded, None before the first."""
        version = current_resort_version(connection)
        kept = self._resort
        if version and (kept is None or kept.version != version):
            kept = self._resort = resort_of_version(connection, version)
        return kept if version else None
