"""Print what an emulated chip holds: `python -m simulators.chips.inspect FILE`."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from simulators.chips.chipfile import Chip, load
from simulators.chips.ntag21x import Ntag21x
from simulators.chips.ntag21x_layout import PAGE
from wallet.chips.ndef import MalformedNdef, find_credential


def describe(chip: Chip) -> Iterator[str]:
    """Yield the chip's memory line by line."""
    if isinstance(chip, Ntag21x):
        yield f"{chip.layout.name}  UID {chip.uid.hex()}  read counter {chip.read_counter}"
        yield from _pages(chip)
        return
    yield f"type4  UID {chip.uid.hex()}  ATS {chip.ats.hex()}{'  read only' if chip.ndef.read_only else ''}"
    yield from _dump("CC", chip.ndef.capability_container)
    yield from _dump("NDEF", bytes(chip.ndef.ndef_file))
    length = int.from_bytes(chip.ndef.ndef_file[:2])
    yield _credential(bytes(chip.ndef.ndef_file[2 : 2 + length]))


def _pages(chip: Ntag21x) -> Iterator[str]:
    layout = chip.layout
    names = {
        0: "UID, BCC0",
        1: "UID",
        2: "BCC1, internal, static lock bytes",
        3: "capability container",
        layout.dynamic_lock_page: "dynamic lock bytes",
        layout.config_page: "CFG0: mirror, AUTH0",
        layout.config_page + 1: "CFG1: ACCESS",
        layout.password_page: "PWD (reads as zeros)",
        layout.password_page + 1: "PACK (reads as zeros)",
    }
    for page in range(layout.page_count):
        data = bytes(chip.memory[page * PAGE : (page + 1) * PAGE])
        if any(data) or page in names:
            yield f"{page:02X}  {data.hex(' ')}  {names.get(page, _text(data))}"


def _dump(name: str, data: bytes) -> Iterator[str]:
    for offset in range(0, len(data), 16):
        row = data[offset : offset + 16]
        if any(row):
            yield f"{name} {offset:04X}  {row.hex(' '):<47}  {_text(row)}"


def _text(data: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data)


def _credential(message: bytes) -> str:
    try:
        credential = find_credential(message)
    except MalformedNdef as error:
        return f"damaged NDEF message: {error}"
    return f"credential of {len(credential)} bytes" if credential else "no credential"


def main() -> int:
    """Print one chip file; exit status 1 when it cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m simulators.chips.inspect", description=__doc__)
    parser.add_argument("file", type=Path, help="a chip's memory, as the emulator keeps it")
    path = parser.parse_args().file
    try:
        lines = list(describe(load(path)))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
