"""Names of blobs: the SHA-256 of an original, and the renditions made of it."""

import re
from enum import StrEnum
from hashlib import sha256

_NAME = re.compile(r"[0-9a-f]{64}(\.[a-z-]{1,24}[0-9]{1,4})?")


class Rendition(StrEnum):
    """What is made of an original. The number grows when the making changes, to make old ones anew."""

    PREVIEW = "preview-1"
    PREVIEW_MARKED = "preview-marked-1"
    THUMBNAIL = "thumbnail-1"
    THUMBNAIL_MARKED = "thumbnail-marked-1"


def original_name(data: bytes) -> str:
    """Return the name of an original with these bytes."""
    return sha256(data).hexdigest()


def rendition_name(original: str, rendition: Rendition) -> str:
    """Return the name of a rendition of an original."""
    return f"{original}.{rendition}"


def original_of(name: str) -> str:
    """Return the name of the original that a blob is, or was made of."""
    return name.partition(".")[0]


def check_name(name: str) -> str:
    """Return `name`, which is safe to be a file's name.

    Raises:
        ValueError: it is no blob's name.
    """
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"not a blob's name: {name[:80]!r}")
    return name


def check_content(name: str, data: bytes) -> None:
    """Raise ValueError when `name` is an original's and not that of `data`."""
    check_name(name)
    if name == original_of(name) and name != original_name(data):
        raise ValueError("an original's name is the digest of its bytes; these bytes have another")
