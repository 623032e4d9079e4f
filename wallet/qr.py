"""What stands in a QR code: a signed credential in base45, which QR's alphanumeric mode holds best (RFC 9285)."""

PREFIX = "PB1:"
"""Begins each of our codes, so that a scanner tells them from any other at once; the digit is the version."""

TEXT_CHARACTERS_MAX = 1024
"""More than any code of ours holds; a scanner's line beyond it is refused unread."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}


class QrFault(ValueError):
    """The text is no code of ours; the sentence says why."""


def encode(data: bytes) -> str:
    """Return the text of a QR code that carries `data`."""
    return PREFIX + base45_encode(data)


def decode(text: str) -> bytes:
    """Return the bytes that a scanned text carries.

    Raises:
        QrFault: another kind of code, too long, or damaged.
    """
    if len(text) > TEXT_CHARACTERS_MAX:
        raise QrFault("the code is longer than any of ours")
    if not text.startswith(PREFIX):
        raise QrFault("the code is not one of ours")
    return base45_decode(text.removeprefix(PREFIX))


def base45_encode(data: bytes) -> str:
    """Return `data` in base45."""
    characters: list[str] = []
    for start in range(0, len(data), 2):
        pair = data[start : start + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            value, digit = divmod(value, 45)
            characters.append(_ALPHABET[digit])
    return "".join(characters)


def base45_decode(text: str) -> bytes:
    """Return the bytes written in base45.

    Raises:
        QrFault: a character outside the alphabet, a length or a value that no encoder gives.
    """
    if len(text) % 3 == 1:
        raise QrFault("the code has a wrong length")
    data = bytearray()
    for start in range(0, len(text), 3):
        group = text[start : start + 3]
        try:
            value = sum(_VALUES[character] * 45**place for place, character in enumerate(group))
        except KeyError:
            raise QrFault("the code has a character that does not belong there") from None
        if value >= 256 ** (len(group) - 1):
            raise QrFault("the code is damaged")
        data += value.to_bytes(len(group) - 1, "big")
    return bytes(data)
