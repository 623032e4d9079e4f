"""Files that other processes read while they change: replaced as a whole or not at all."""

import os
from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Make `text` the file's content; whoever reads sees the old content or the new one, never a part.

    This outlives a killed process, not a power cut: nothing simulated is worth a flush to the disk.
    """
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
