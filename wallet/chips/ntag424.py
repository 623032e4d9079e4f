"""What an NTAG 424 DNA computes: SUN messages, EV2 session keys, secure messaging, key changes.

Sources: NXP NT4H2421Gx data sheet (chapter 9) and AN12196.
"""

import hmac
import zlib
from dataclasses import dataclass
from enum import Enum

from wallet.chips.aes import (
    BLOCK,
    cmac,
    decrypt_cbc,
    encrypt_block,
    encrypt_cbc,
    pad,
    require_length,
    truncate_mac,
    unpad,
)

UID_BYTES = 7
MAC_BYTES = 8
MASTER_KEY_NO = 0  # the only key under which ChangeKey is allowed
_PICC_DATA_TAG = 0xC7  # UID mirrored, counter mirrored, UID of 7 bytes (AN12196 table 1)
_MAX_COUNTER = 0xFFFFFF
_STATUS_OK = b"\x91\x00"


@dataclass(frozen=True)
class PiccData:
    """What a SUN message tells about the chip: its UID (7 bytes) and its read counter."""

    uid: bytes
    counter: int


@dataclass(frozen=True)
class SessionKeys:
    """One session's keys: `enc` for confidentiality, `mac` for integrity; 16 bytes each."""

    enc: bytes
    mac: bytes


class ChannelError(ValueError):
    """The chip refused the command or the answer is not authentic; the session is over."""


def decrypt_picc_data(meta_key: bytes, encrypted: bytes) -> PiccData:
    """Return who the chip says it is. A wrong key shows as ValueError, though not always: check the MAC too.

    Args:
        meta_key: SDMMetaRead key, 16 bytes, the same for all chips of a fleet (AN12196 4.4.2).
        encrypted: the 16 bytes of the SUN message's PICCENCData.
    """
    require_length("The encrypted PICC data", encrypted, BLOCK)
    plain = decrypt_cbc(meta_key, encrypted)
    if plain[0] != _PICC_DATA_TAG:
        raise ValueError("The PICC data does not decrypt to a UID and a counter: wrong key or settings.")
    return PiccData(uid=plain[1:8], counter=int.from_bytes(plain[8:11], "little"))


def sdm_session_keys(file_key: bytes, uid: bytes, counter: int) -> SessionKeys:
    """Return the keys of one SUN message (AN12196 table 2): they change with every read of the chip."""
    context = _uid_and_counter(uid, counter)
    return SessionKeys(
        enc=cmac(file_key, bytes.fromhex("C33C00010080") + context),
        mac=cmac(file_key, bytes.fromhex("3CC300010080") + context),
    )


def sun_mac(file_key: bytes, uid: bytes, counter: int, mac_input: bytes = b"") -> bytes:
    """Return the 8-byte SDMMAC over `mac_input`, the ASCII text from SDMMACInputOffset up to SDMMACOffset."""
    return truncate_mac(cmac(sdm_session_keys(file_key, uid, counter).mac, mac_input))


def decrypt_file_data(file_key: bytes, uid: bytes, counter: int, encrypted: bytes) -> bytes:
    """Return the plain SDMENCFileData (whole blocks of 16 bytes; the chip does not pad)."""
    enc = sdm_session_keys(file_key, uid, counter).enc
    iv = encrypt_block(enc, counter.to_bytes(3, "little").ljust(BLOCK, b"\x00"))
    return decrypt_cbc(enc, encrypted, iv)


def ev2_session_keys(key: bytes, rnd_a: bytes, rnd_b: bytes) -> SessionKeys:
    """Return the session keys of AuthenticateEV2First or NonFirst (data sheet 9.1.7).

    Args:
        key: the key authenticated with, 16 bytes.
        rnd_a: the reader's random number, 16 bytes.
        rnd_b: the chip's random number, 16 bytes.
    """
    require_length("RndA", rnd_a, BLOCK)
    require_length("RndB", rnd_b, BLOCK)
    mixed = bytes(a ^ b for a, b in zip(rnd_a[2:8], rnd_b[:6], strict=True))
    context = rnd_a[:2] + mixed + rnd_b[6:] + rnd_a[8:]
    return SessionKeys(
        enc=cmac(key, bytes.fromhex("A55A00010080") + context),
        mac=cmac(key, bytes.fromhex("5AA500010080") + context),
    )


def change_key_data(key_no: int, old_key: bytes, new_key: bytes, version: int) -> bytes:
    """Return ChangeKey's plain data: new ‖ version for key 0, else (old xor new) ‖ version ‖ CRC32(new).

    NXP's CRC32 omits the final complement and goes LSB first (AN12196 table 26).
    """
    require_length("The old key", old_key, BLOCK)
    require_length("The new key", new_key, BLOCK)
    if not 0 <= key_no <= 4:
        raise ValueError(f"The chip has keys 0 to 4, not {key_no}.")
    if not 0 <= version <= 0xFF:
        raise ValueError(f"A key version is one byte, not {version}.")
    if key_no == MASTER_KEY_NO:
        return new_key + bytes([version])
    mixed = bytes(a ^ b for a, b in zip(old_key, new_key, strict=True))
    crc = zlib.crc32(new_key) ^ 0xFFFFFFFF
    return mixed + bytes([version]) + crc.to_bytes(4, "little")


class _Mode(Enum):
    MAC = "mac"
    FULL = "full"


class SecureChannel:
    """The reader's end of an EV2 session: protects commands, checks and opens answers, counts both.

    A command must be followed by its answer before the next one; the counter moves with the answer.
    """

    def __init__(self, keys: SessionKeys, transaction_id: bytes, counter: int = 0) -> None:
        require_length("The transaction identifier", transaction_id, 4)
        if not 0 <= counter <= 0xFFFF:
            raise ValueError(f"The command counter is two bytes, not {counter}.")
        self._keys = keys
        self._transaction_id = transaction_id
        self._mode = _Mode.MAC
        self.counter = counter

    def command(self, ins: int, header: bytes = b"", data: bytes = b"") -> bytes:
        """Return the APDU of a command in CommMode.FULL: `header` clear, `data` encrypted, both MACed."""
        self._mode = _Mode.FULL
        encrypted = b""
        if data:
            encrypted = encrypt_cbc(self._keys.enc, pad(data), self._iv(b"\xa5\x5a", self.counter))
        return self._wrap(ins, header + encrypted)

    def command_mac(self, ins: int, header: bytes = b"") -> bytes:
        """Return the APDU of a command in CommMode.MAC: `header` (and any plain data after it) MACed."""
        self._mode = _Mode.MAC
        return self._wrap(ins, header)

    def open_response(self, apdu_response: bytes) -> bytes:
        """Return the answer's plain data and step the counter.

        Raises:
            ChannelError: a status other than 91 00, or a MAC that does not fit.
        """
        body, status = apdu_response[:-2], apdu_response[-2:]
        if status != _STATUS_OK:
            raise ChannelError(f"The chip answered with status {status.hex().upper() or 'nothing'}.")
        if len(body) < MAC_BYTES:
            raise ChannelError("The chip's answer carries no MAC.")
        data, mac = body[:-MAC_BYTES], body[-MAC_BYTES:]
        answered = self.counter + 1
        expected = self._mac(status[1:], answered, data)
        if not hmac.compare_digest(mac, expected):
            raise ChannelError("The chip's answer has a wrong MAC.")
        self.counter = answered
        if self._mode is _Mode.MAC or not data:
            return data
        try:
            return unpad(decrypt_cbc(self._keys.enc, data, self._iv(b"\x5a\xa5", answered)))
        except ValueError as error:
            raise ChannelError(f"The chip's answer does not decrypt. {error}") from error

    def _wrap(self, ins: int, payload: bytes) -> bytes:
        if self.counter >= 0xFFFF:
            raise ChannelError("The session's command counter is used up; authenticate again.")
        body = payload + self._mac(bytes([ins]), self.counter, payload)
        if len(body) > 0xFF:
            raise ValueError(f"The command carries {len(body)} bytes; one APDU takes 255.")
        return bytes([0x90, ins, 0, 0, len(body)]) + body + b"\x00"

    def _mac(self, code: bytes, counter: int, payload: bytes) -> bytes:
        message = code + counter.to_bytes(2, "little") + self._transaction_id + payload
        return truncate_mac(cmac(self._keys.mac, message))

    def _iv(self, label: bytes, counter: int) -> bytes:
        return encrypt_block(
            self._keys.enc, label + self._transaction_id + counter.to_bytes(2, "little") + bytes(8)
        )


def _uid_and_counter(uid: bytes, counter: int) -> bytes:
    require_length("The UID", uid, UID_BYTES)
    if not 0 <= counter <= _MAX_COUNTER:
        raise ValueError(f"The read counter is three bytes, not {counter}.")
    return uid + counter.to_bytes(3, "little")
