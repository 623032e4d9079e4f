"""Secure Dynamic Messaging: what an unauthenticated read sees in the place of placeholders (NT4H2421Gx, 9.3)."""

from collections.abc import Callable

from simulators.chips.ntag424_memory import AppKey, StandardFile
from simulators.chips.ntag424_settings import FREE, KEY_COUNT, NEVER, NO_MIRROR, Sdm
from wallet.chips.aes import BLOCK, cmac, encrypt_block, encrypt_cbc, truncate_mac

MAX_READ_COUNTER = 0xFFFFFF
_UID_TAG, _COUNTER_TAG, _UID_BYTES_TAG = 0x80, 0x40, 0x07


def counter_spent(file: StandardFile) -> bool:
    """Whether no further unauthenticated read is allowed (9.3.1, 9.3.2)."""
    sdm = file.settings.sdm
    if sdm is None or not sdm.counter:
        return False
    return file.read_counter >= (MAX_READ_COUNTER if sdm.limit is None else sdm.limit)


def dynamic_data(file: StandardFile, uid: bytes, keys: list[AppKey], padding: bytes) -> bytes:
    """Return the file as it goes over the air to a reader without authentication.

    Args:
        padding: 16 random bytes of this read, of which PICCData takes what it needs.
    """
    sdm, shown = file.settings.sdm, bytearray(file.data)
    if sdm is None:
        return bytes(shown)
    counter = file.read_counter.to_bytes(3, "little")
    if sdm.meta_read == FREE:
        _put(shown, sdm.uid_offset, uid.hex())
        if sdm.counter_offset != NO_MIRROR:
            _put(shown, sdm.counter_offset, counter[::-1].hex())
    elif sdm.meta_read < KEY_COUNT:
        plain = picc_data(sdm, uid, counter, padding)
        _put(shown, sdm.picc_offset, encrypt_cbc(keys[sdm.meta_read].value, plain).hex())
    if sdm.file_read == NEVER or sdm.mac_offset is None:
        return bytes(shown)
    enc_key, mac_key = session_keys(sdm, keys[sdm.file_read].value, uid, counter)
    if sdm.encrypted_offset is not None and sdm.encrypted_length is not None:
        static = bytes(file.data[sdm.encrypted_offset :][: sdm.encrypted_length // 2])
        iv = encrypt_block(enc_key, counter.ljust(BLOCK, b"\x00"))
        _put(shown, sdm.encrypted_offset, encrypt_cbc(enc_key, static, iv).hex())
    mac = truncate_mac(cmac(mac_key, bytes(shown[sdm.mac_input_offset : sdm.mac_offset])))
    _put(shown, sdm.mac_offset, mac.hex())
    return bytes(shown)


def picc_data(sdm: Sdm, uid: bytes, counter: bytes, padding: bytes) -> bytes:
    """Return PICCDataTag ‖ UID ‖ SDMReadCtr ‖ RandomPadding, one block (9.3.4)."""
    tag = (_UID_TAG | _UID_BYTES_TAG if sdm.uid else 0) | (_COUNTER_TAG if sdm.counter else 0)
    plain = bytes([tag]) + (uid if sdm.uid else b"") + (counter if sdm.counter else b"")
    return (plain + padding)[:BLOCK]


def session_keys(sdm: Sdm, key: bytes, uid: bytes, counter: bytes) -> tuple[bytes, bytes]:
    """Return SesSDMFileReadENCKey and SesSDMFileReadMACKey; only what is mirrored goes into the MAC's (9.3.9.1)."""
    tail = (uid if sdm.uid else b"") + (counter if sdm.counter else b"")
    mac_vector = bytes.fromhex("3CC300010080") + tail
    mac_vector = mac_vector.ljust(BLOCK, b"\x00")
    return cmac(key, bytes.fromhex("C33C00010080") + uid + counter), cmac(key, mac_vector)


def _put(shown: bytearray, offset: int | None, digits: str) -> None:
    """Mirror hexadecimal digits in capitals (EncodeASCII, 9.3.3)."""
    if offset is not None:
        shown[offset : offset + len(digits)] = digits.upper().encode("ascii")


class ReadRun:
    """Which reads belong together: the counter steps and the padding is drawn at the first of them (9.3.1, 9.3.4).

    Reads belong together while nothing but the same command for the same file arrives.
    """

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._current: tuple[int, int] | None = None
        self.padding = b""

    def note(self, ins: int) -> None:
        """A command arrived: another one than that of the run ends it."""
        if self._current is not None and self._current[0] != ins:
            self._current = None

    def continues(self, ins: int, file_no: int) -> bool:
        """Whether this read is a further one of the run."""
        return self._current == (ins, file_no)

    def begin(self, ins: int, file_no: int) -> None:
        """Begin a run with fresh padding."""
        self._current, self.padding = (ins, file_no), self._random(BLOCK)

    def end(self) -> None:
        """Forget it: the field went off, or a command failed."""
        self._current = None
