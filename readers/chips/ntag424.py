"""The reader's end of an NTAG 424 DNA: its commands over a contact (NXP NT4H2421Gx, chapters 9 and 10).

ChipFault
├── ChipRefused   the chip answered with a status; the session is over
└── NotGenuine    the answer is not what the holder of the key would say: no chip of ours, or someone in between
"""

import hmac
from dataclasses import dataclass

from readers.clock import Entropy
from readers.drivers.base import ChipFault, Contact
from wallet.chips import ntag424
from wallet.chips.aes import BLOCK, decrypt_cbc, encrypt_cbc
from wallet.chips.ntag424 import ChannelError, SecureChannel, ev2_session_keys

APPLICATION = bytes.fromhex("D2760000850101")
CC_FILE, NDEF_FILE, DATA_FILE = 1, 2, 3
DATA_FILE_BYTES = 128
WRONG_KEY = b"\x91\xae"
"""AUTHENTICATION_ERROR: the chip holds another key under this number."""

_ISO_OK, _OK, _MORE = b"\x90\x00", b"\x91\x00", b"\x91\xaf"
_SELECT_APPLICATION = b"\x00\xa4\x04\x00" + bytes([len(APPLICATION)]) + APPLICATION + b"\x00"
_NEXT_FRAME = b"\x90\xaf\x00\x00\x00"
_FIRST, _NON_FIRST, _NEXT = 0x71, 0x77, 0xAF
_GET_CARD_UID, _GET_KEY_VERSION, _GET_VERSION = 0x51, 0x64, 0x60
_READ_DATA, _WRITE_DATA = 0xAD, 0x8D
_CHANGE_KEY, _CHANGE_FILE_SETTINGS, _SET_CONFIGURATION = 0xC4, 0x5F, 0x5C
_TI_BYTES = 4
_PLAIN_CHUNK = 112
"""What one frame of the chip (FSC 128) takes beside block, APDU and command headers: nothing is chained."""
_CONFIGURE_PICC, _RANDOM_UID = b"\x00", b"\x02"


class ChipRefused(ChipFault):
    """The chip answered with a status that means no; `status` is its two bytes."""

    def __init__(self, what: str, status: bytes) -> None:
        super().__init__(f"The chip refused {what}: status {status.hex().upper()}.")
        self.status = status


class NotGenuine(ChipFault):
    """What the chip answered was not made with the key that it should have."""


@dataclass(frozen=True)
class Version:
    """What GetVersion tells: hardware (7 bytes), software (7 bytes), and UID with production data."""

    hardware: bytes
    software: bytes
    production: bytes


class Ntag424:
    """One chip in the field. After ChipRefused or NotGenuine its session is over; begin again with `select`."""

    def __init__(self, contact: Contact, entropy: Entropy) -> None:
        self._contact = contact
        self._entropy = entropy
        self._channel: SecureChannel | None = None
        self._transaction_id = b""

    def select(self) -> None:
        """Select the application, which ends a session.

        Raises:
            ChipRefused: it has none.
        """
        self._channel = None
        answer = self._contact.exchange(_SELECT_APPLICATION)
        if answer[-2:] != _ISO_OK:
            raise ChipRefused("its application", answer[-2:])

    def authenticate_first(self, key_no: int, key: bytes) -> None:
        """Open a transaction under a key (AuthenticateEV2First, 10.4.1).

        Raises:
            ChipRefused: WRONG_KEY for another key, other statuses for no such key or a chip that waits.
            NotGenuine: the chip does not hold the key.
        """
        self._channel = None
        rnd_a, rnd_b, answer = self._prove(_FIRST, bytes([key_no, 0]), key)
        if len(answer) != 2 * BLOCK:
            raise NotGenuine("The chip's proof has a wrong length.")
        plain = decrypt_cbc(key, answer)
        _require_same(plain[_TI_BYTES : _TI_BYTES + BLOCK], rnd_a)
        self._transaction_id = plain[:_TI_BYTES]
        self._channel = SecureChannel(ev2_session_keys(key, rnd_a, rnd_b), self._transaction_id)

    def authenticate_non_first(self, key_no: int, key: bytes) -> None:
        """Go on with the transaction under another key (AuthenticateEV2NonFirst, 10.4.2).

        Raises:
            ChipRefused: as for `authenticate_first`; the transaction is over.
            NotGenuine: the chip does not hold the key.
        """
        counter = self._open_channel().counter
        self._channel = None
        rnd_a, rnd_b, answer = self._prove(_NON_FIRST, bytes([key_no]), key)
        if len(answer) != BLOCK:
            raise NotGenuine("The chip's proof has a wrong length.")
        _require_same(decrypt_cbc(key, answer), rnd_a)
        self._channel = SecureChannel(ev2_session_keys(key, rnd_a, rnd_b), self._transaction_id, counter)

    def card_uid(self) -> bytes:
        """Return the chip's own UID, 7 bytes, whatever it showed when it was selected."""
        uid = self._full(_GET_CARD_UID)
        if len(uid) != ntag424.UID_BYTES:
            raise NotGenuine("The chip's UID has a wrong length.")
        return uid

    def key_version(self, key_no: int) -> int:
        """Return the version of a key: the epoch that it was written in, 0 for a factory key."""
        header = bytes([key_no])
        if self._channel is None:
            answer = self._contact.exchange(_apdu(_GET_KEY_VERSION, header))
            body = _ok("a key's version", answer)
        else:
            body = self._sent("a key's version", self._channel.command_mac(_GET_KEY_VERSION, header))
        if len(body) != 1:
            raise NotGenuine("The chip's key version has a wrong length.")
        return body[0]

    def read_file(self, file_no: int, length: int) -> bytes:
        """Return the first `length` bytes of a file whose communication is enciphered."""
        return self._full(_READ_DATA, _position(file_no, 0, length))

    def read_file_plain(self, file_no: int, length: int) -> bytes:
        """Return the first `length` bytes of a file that anyone may read, as it is stored, in parts."""
        data = b""
        while len(data) < length:
            part = min(_PLAIN_CHUNK, length - len(data))
            found = self._plain(_READ_DATA, _position(file_no, len(data), part))
            if len(found) != part:
                raise NotGenuine("The chip gives another number of bytes than it was asked for.")
            data += found
        return data

    def write_file(self, file_no: int, data: bytes) -> None:
        """Write the beginning of a file whose communication is enciphered, in one command: whole or not at all."""
        self._full(_WRITE_DATA, _position(file_no, 0, len(data)), data)

    def write_file_plain(self, file_no: int, data: bytes) -> None:
        """Write the beginning of a file with plain communication, in parts that fit a frame each."""
        for offset in range(0, len(data), _PLAIN_CHUNK):
            part = data[offset : offset + _PLAIN_CHUNK]
            self._plain(_WRITE_DATA, _position(file_no, offset, len(part)) + part)

    def change_key(self, key_no: int, old_key: bytes, new_key: bytes, version: int) -> None:
        """Replace a key; the session must be under key 0. Changing key 0 ends it.

        Raises:
            ChipRefused: the old key is another one, or the session is not under key 0.
        """
        channel = self._open_channel()
        data = ntag424.change_key_data(key_no, old_key, new_key, version)
        apdu = channel.command(_CHANGE_KEY, bytes([key_no]), data)
        if key_no != ntag424.MASTER_KEY_NO:
            self._sent("a new key", apdu)
            return
        # The session rests on the key that is gone: its answer carries no MAC (AN12196, table 27).
        self._channel = None
        _ok("a new master key", self._contact.exchange(apdu))

    def change_file_settings(self, file_no: int, settings: bytes) -> None:
        """Replace a file's settings; `settings` begins with the file option."""
        self._full(_CHANGE_FILE_SETTINGS, bytes([file_no]), settings)

    def set_random_uid(self) -> None:
        """Have the chip show another number in each field from now on. There is no way back (10.5.1)."""
        self._full(_SET_CONFIGURATION, _CONFIGURE_PICC, _RANDOM_UID)

    def version(self) -> Version:
        """Return what the chip says it is, outside of a session."""
        self._channel = None
        frames = [self._contact.exchange(_apdu(_GET_VERSION))]
        for _ in range(2):
            if frames[-1][-2:] != _MORE:
                raise ChipRefused("its version", frames[-1][-2:])
            frames.append(self._contact.exchange(_NEXT_FRAME))
        production = _ok("its version", frames[-1])
        return Version(frames[0][:-2], frames[1][:-2], production)

    def _prove(self, ins: int, header: bytes, key: bytes) -> tuple[bytes, bytes, bytes]:
        """Show the chip that we hold the key; return RndA, RndB and the chip's own proof, still encrypted."""
        challenge = self._contact.exchange(_apdu(ins, header))
        if challenge[-2:] != _MORE:
            raise ChipRefused("to authenticate", challenge[-2:])
        if len(challenge) != BLOCK + 2:
            raise NotGenuine("The chip's challenge has a wrong length.")
        rnd_a, rnd_b = self._entropy.bytes(BLOCK), decrypt_cbc(key, challenge[:-2])
        proof = encrypt_cbc(key, rnd_a + rnd_b[1:] + rnd_b[:1])
        return rnd_a, rnd_b, _ok("the proof of a key", self._contact.exchange(_apdu(_NEXT, proof)))

    def _full(self, ins: int, header: bytes = b"", data: bytes = b"") -> bytes:
        return self._sent(f"command {ins:02X}", self._open_channel().command(ins, header, data))

    def _sent(self, what: str, apdu: bytes) -> bytes:
        channel, answer = self._open_channel(), self._contact.exchange(apdu)
        if answer[-2:] != _OK:
            self._channel = None
            raise ChipRefused(what, answer[-2:])
        try:
            return channel.open_response(answer)
        except ChannelError as error:
            self._channel = None
            raise NotGenuine(str(error)) from error

    def _plain(self, ins: int, body: bytes) -> bytes:
        """Send a command in CommMode.Plain, which a session counts as any other (9.1.2)."""
        answer = self._contact.exchange(_apdu(ins, body))
        if answer[-2:] != _OK:
            self._channel = None
            raise ChipRefused(f"command {ins:02X}", answer[-2:])
        if self._channel is not None:
            self._channel.counter += 1
        return answer[:-2]

    def _open_channel(self) -> SecureChannel:
        assert self._channel is not None, "this command belongs into a session"
        return self._channel


def _apdu(ins: int, body: bytes = b"") -> bytes:
    """Return a native command wrapped for ISO/IEC 7816-4 (8.4)."""
    return bytes([0x90, ins, 0, 0]) + (bytes([len(body)]) + body if body else b"") + b"\x00"


def _ok(what: str, answer: bytes) -> bytes:
    if answer[-2:] != _OK:
        raise ChipRefused(what, answer[-2:])
    return answer[:-2]


def _position(file_no: int, offset: int, length: int) -> bytes:
    return bytes([file_no]) + offset.to_bytes(3, "little") + length.to_bytes(3, "little")


def _require_same(rotated: bytes, rnd_a: bytes) -> None:
    if not hmac.compare_digest(rotated, rnd_a[1:] + rnd_a[:1]):
        raise NotGenuine("The chip could not prove that it holds the key.")
