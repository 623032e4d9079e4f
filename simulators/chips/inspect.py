"""Print what an emulated chip holds: `passband simulate inspect FILE`."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from simulators.chips.chipfile import Chip, read
from simulators.chips.inspect_ntag424 import describe_ntag424, file_name
from simulators.chips.ntag21x import Ntag21x
from simulators.chips.ntag21x_layout import AUTHLIM, PAGE, PROT
from simulators.chips.ntag424 import Ntag424
from wallet.chips.ndef import MalformedNdef, find_credential


def describe(chip: Chip) -> Iterator[str]:
    """Yield the chip's state and memory line by line."""
    if isinstance(chip, Ntag21x):
        yield f"{chip.layout.name}  UID {chip.uid.hex()}  read counter {chip.read_counter}"
        yield from describe_protection(chip)
        yield from _pages(chip)
        return
    if isinstance(chip, Ntag424):
        yield from describe_ntag424(chip.memory)
        for file in chip.memory.files.values():
            yield from _dump(file_name(file), bytes(file.data))
        return
    yield f"type4  UID {chip.uid.hex()}  ATS {chip.ats.hex()}{'  read only' if chip.ndef.read_only else ''}"
    yield from _dump("CC", chip.ndef.capability_container)
    yield from _dump("NDEF", bytes(chip.ndef.ndef_file))
    length = int.from_bytes(chip.ndef.ndef_file[:2])
    yield _credential(bytes(chip.ndef.ndef_file[2 : 2 + length]))


def describe_protection(chip: Ntag21x) -> Iterator[str]:
    """Yield who may read and write, in words."""
    config = chip.layout.config_page * PAGE
    first, access = chip.memory[config + 3], chip.memory[config + 4]
    if first >= chip.layout.page_count:
        yield "no page is protected by the password"
    else:
        yield f"{'reading and writing' if access & PROT else 'writing'} from page {first:02X} on needs the password"
    if access & AUTHLIM:
        yield f"{chip.failed_logins} failed passwords of {access & AUTHLIM} before the chip locks"
    factory = chip.layout.factory_memory(chip.uid)
    password = slice(chip.layout.password_page * PAGE, chip.layout.password_page * PAGE + 6)
    yield f"the password is {'the factory one' if chip.memory[password] == factory[password] else 'changed'}"


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


def print_chip(path: Path) -> int:
    """Print one chip file; return exit status 1 when it cannot be read."""
    try:
        lines = list(describe(read(path)))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


def main() -> int:
    """Print the chip file that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m simulators.chips.inspect", description=__doc__)
    parser.add_argument("file", type=Path, help="a chip's memory, as the emulator or a field keeps it")
    return print_chip(parser.parse_args().file)


if __name__ == "__main__":
    sys.exit(main())
