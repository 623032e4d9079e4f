"""An instant: a datetime that knows its offset from UTC."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

Instant = Annotated[datetime, Meta(tz=True)]
"""The type of a struct's field that crosses the wire: one without an offset is refused when it is read."""
