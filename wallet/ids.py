"""UUIDv7 identifiers made from a given time and given random bytes (RFC 9562, section 5.7)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid7(at: datetime, entropy: bytes) -> str:
    """Return a UUIDv7 as 36 lower-case characters, ordered by `at` to the millisecond.

    Args:
        at: an aware instant, not before 1970.
        entropy: ten random bytes; the same two arguments give the same id.
    Raises:
        ValueError: `at` is naive or before 1970, or `entropy` is not ten bytes.
    """
    if at.tzinfo is None:
        raise ValueError("an id needs an aware instant; give the datetime a time zone")
    if len(entropy) != 10:
        raise ValueError(f"an id needs ten random bytes, got {len(entropy)}")
    # Whole numbers: a float second times a thousand may land a millisecond early.
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    if milliseconds < 0:
        raise ValueError("an id needs an instant not before 1970")
    value = int.from_bytes(milliseconds.to_bytes(6, "big") + entropy, "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return str(UUID(int=value))


def is_id(text: str) -> bool:
    """Return whether `text` is an identifier in the one spelling this project uses."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def id_bytes(identifier: str) -> bytes:
    """Return the sixteen bytes of an identifier."""
    return UUID(identifier).bytes


def id_from_bytes(data: bytes) -> str:
    """Return the identifier that these sixteen bytes are.

    Raises:
        ValueError: not sixteen bytes.
    """
    return str(UUID(bytes=data))


def short_tag(identifier: str) -> bytes:
    """Return the last eight bytes of an identifier: 62 random bits, enough to name a medium within its token."""
    return id_bytes(identifier)[8:]
