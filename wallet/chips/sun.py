"""The SUN message of an NTAG 424 DNA: a web address that the chip fills anew at each read (AN12196, chapter 3)."""

import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from wallet.chips.aes import BLOCK
from wallet.chips.ntag424 import MAC_BYTES, PiccData, decrypt_picc_data, sun_mac

_URI_RECORD_HEAD = 5
_NLEN_BYTES = 2
_PREFIXES = {"https://": 0x04, "http://": 0x03}
_SHOWN = re.compile(r"[?&]e=([0-9A-Fa-f]{32})&m=([0-9A-Fa-f]{16})$")


@dataclass(frozen=True)
class SunTemplate:
    """What is written to the NDEF file, and where in the file the chip puts its own bytes.

    Attributes:
        file: NLEN and NDEF message, zeros where the chip mirrors.
        picc_offset: where the encrypted UID and counter begin, 32 characters.
        mac_offset: where the MAC begins, 16 characters; it is taken over nothing (MAC input offset the same).
    """

    file: bytes
    picc_offset: int
    mac_offset: int


@dataclass(frozen=True)
class SunMessage:
    """What a SUN address shows: 16 bytes of encrypted PICC data and an 8-byte MAC."""

    picc: bytes
    mac: bytes


def template(url: str) -> SunTemplate:
    """Return the NDEF file for an address such as `https://resort.example/tap`.

    Raises:
        ValueError: not http(s), with a query of its own, or too long for the chip's 256 bytes.
    """
    prefix = next((each for each in _PREFIXES if url.startswith(each)), None)
    if prefix is None or "?" in url or "#" in url or not url.isascii():
        raise ValueError(f"{url!r} can't be a band's address: plain http:// or https:// without a query.")
    rest = url.removeprefix(prefix).encode() + b"?e="
    body = rest + b"0" * (2 * BLOCK) + b"&m=" + b"0" * (2 * MAC_BYTES)
    payload = bytes([_PREFIXES[prefix]]) + body
    if len(payload) > 240:
        raise ValueError(f"{url!r} is too long for a band: at most 180 characters.")
    message = b"\xd1\x01" + bytes([len(payload)]) + b"U" + payload
    picc_offset = _NLEN_BYTES + _URI_RECORD_HEAD + len(rest)
    mac_offset = picc_offset + 2 * BLOCK + len(b"&m=")
    return SunTemplate(len(message).to_bytes(2) + message, picc_offset, mac_offset)


def parse(address: str) -> SunMessage | None:
    """Return what an address shows, None when it is no SUN address."""
    shown = _SHOWN.search(address)
    if shown is None:
        return None
    return SunMessage(bytes.fromhex(shown[1]), bytes.fromhex(shown[2]))


def parse_record(message: bytes) -> SunMessage | None:
    """Return what the NDEF message of a chip shows, None when it is not exactly one URI record with a SUN address."""
    if len(message) < _URI_RECORD_HEAD or message[:2] != b"\xd1\x01" or message[3:4] != b"U":
        return None
    if message[2] != len(message) - 4 or message[4] not in _PREFIXES.values():
        return None
    return parse(message[5:].decode("ascii", errors="replace"))


def authentic(
    message: SunMessage, reader_keys: Iterable[bytes], gate_keys: Callable[[bytes], Iterable[bytes]]
) -> PiccData | None:
    """Return which chip says so if its MAC is right under one of its keys, None when it is under none.

    Args:
        reader_keys: of every epoch that a chip may carry; a torn chip may be of one epoch here and another there.
        gate_keys: gives the gate's keys of a chip, by its UID.
    """
    for reader_key in reader_keys:
        try:
            shown = decrypt_picc_data(reader_key, message.picc)
        except ValueError:
            continue
        for key in gate_keys(shown.uid):
            if hmac.compare_digest(sun_mac(key, shown.uid, shown.counter), message.mac):
                return shown
    return None
