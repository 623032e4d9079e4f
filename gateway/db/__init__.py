"""All SQL of the gateway: tables, rows, loading, writing, migrations. Nothing outside of this package speaks SQL."""

from gateway.db.migrate import migrate

__all__ = ["migrate"]
