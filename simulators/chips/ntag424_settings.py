"""A file's settings in an NTAG 424 DNA, as ChangeFileSettings takes them (NT4H2421Gx, 8.2.3.3 and 10.7.1)."""

from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import pairwise

from simulators.chips.ntag424_status import Refusal, Status, require

KEY_COUNT = 5
FREE, NEVER = 0xE, 0xF
NO_MIRROR = 0xFFFFFF
UID_CHARS, COUNTER_CHARS, PICC_CHARS, MAC_CHARS = 14, 6, 32, 16
_SDM_ENABLED, _FILE_OPTION_RFU = 0x40, 0xBC
_UID, _COUNTER, _LIMIT, _ENCRYPTED, _ASCII, _SDM_OPTIONS_RFU = 0x80, 0x40, 0x20, 0x10, 0x01, 0x0E


class CommMode(IntEnum):
    """How a file's data travel; bit 1 without bit 0 is plain as well (table 10)."""

    PLAIN = 0
    MAC = 1
    FULL = 3


@dataclass(frozen=True)
class AccessRights:
    """Who may do what with a file: a key's number, FREE or NEVER (8.2.3.3)."""

    read: int
    write: int
    read_write: int
    change: int

    @classmethod
    def unpack(cls, packed: bytes) -> "AccessRights":
        """Return the rights from their two bytes, low byte first."""
        return cls(packed[1] >> 4, packed[1] & 0xF, packed[0] >> 4, packed[0] & 0xF)

    def pack(self) -> bytes:
        """Return the two bytes."""
        return bytes([self.read_write << 4 | self.change, self.read << 4 | self.write])


@dataclass(frozen=True)
class Sdm:
    """Secure Dynamic Messaging of a file (9.3): what is mirrored where, offsets in bytes; None is absent."""

    uid: bool
    counter: bool
    encrypted: bool
    meta_read: int
    file_read: int
    counter_return: int
    uid_offset: int | None = None
    counter_offset: int | None = None
    picc_offset: int | None = None
    mac_input_offset: int | None = None
    encrypted_offset: int | None = None
    encrypted_length: int | None = None
    mac_offset: int | None = None
    limit: int | None = None

    def pack(self) -> bytes:
        """Return SDMOptions, SDMAccessRights and whatever offsets are present."""
        flags = (
            (self.uid, _UID),
            (self.counter, _COUNTER),
            (self.limit is not None, _LIMIT),
            (self.encrypted, _ENCRYPTED),
        )
        options = _ASCII | sum(bit for on, bit in flags if on)
        rights = bytes([NEVER << 4 | self.counter_return, self.meta_read << 4 | self.file_read])
        offsets = (
            self.uid_offset,
            self.counter_offset,
            self.picc_offset,
            self.mac_input_offset,
            self.encrypted_offset,
            self.encrypted_length,
            self.mac_offset,
            self.limit,
        )
        packed = b"".join(each.to_bytes(3, "little") for each in offsets if each is not None)
        return bytes([options]) + rights + packed


@dataclass(frozen=True)
class FileSettings:
    """All that ChangeFileSettings can change."""

    comm_mode: CommMode
    rights: AccessRights
    sdm: Sdm | None = None

    def pack(self) -> bytes:
        """Return the file option and access rights; GetFileSettings puts the size behind them."""
        option = self.comm_mode | (_SDM_ENABLED if self.sdm else 0)
        return bytes([option]) + self.rights.pack()


def unpack_settings(packed: bytes, file_size: int) -> FileSettings:
    """Return the settings in the data of ChangeFileSettings (table 69).

    Raises:
        Refusal: LENGTH_ERROR for too few or too many bytes, PARAMETER_ERROR for what table 71 forbids; that a limit
            is above the counter's value is the caller's to check.
    """
    require(len(packed) >= 3, Status.LENGTH_ERROR)
    option, rights = packed[0], AccessRights.unpack(packed[1:3])
    require(not option & _FILE_OPTION_RFU, Status.PARAMETER_ERROR)
    for right in (rights.read, rights.write, rights.read_write, rights.change):
        require(right < KEY_COUNT or right in (FREE, NEVER), Status.PARAMETER_ERROR)
    comm_mode = CommMode(option & 3) if option & 1 else CommMode.PLAIN
    if not option & _SDM_ENABLED:
        require(len(packed) == 3, Status.LENGTH_ERROR)
        return FileSettings(comm_mode, rights)
    sdm = _unpack_sdm(packed[3:])
    _check(sdm, file_size)
    return FileSettings(comm_mode, rights, sdm)


class _Offsets:
    """Takes three bytes after three bytes."""

    def __init__(self, packed: bytes) -> None:
        self._left = packed

    def take(self, present: bool) -> int | None:
        if not present:
            return None
        require(len(self._left) >= 3, Status.LENGTH_ERROR)
        value, self._left = int.from_bytes(self._left[:3], "little"), self._left[3:]
        return value

    def end(self) -> None:
        require(not self._left, Status.LENGTH_ERROR)


def _unpack_sdm(packed: bytes) -> Sdm:
    require(len(packed) >= 3, Status.LENGTH_ERROR)
    options, low, high = packed[:3]
    meta_read, file_read, counter_return = high >> 4, high & 0xF, low & 0xF
    require(options & (_ASCII | _SDM_OPTIONS_RFU) == _ASCII, Status.PARAMETER_ERROR)
    require(low >> 4 == NEVER, Status.PARAMETER_ERROR)
    require(meta_read < KEY_COUNT or meta_read in (FREE, NEVER), Status.PARAMETER_ERROR)
    require(file_read < KEY_COUNT or file_read == NEVER, Status.PARAMETER_ERROR)
    require(counter_return < KEY_COUNT or counter_return in (FREE, NEVER), Status.PARAMETER_ERROR)
    uid, counter = bool(options & _UID), bool(options & _COUNTER)
    encrypted, plain, maced = bool(options & _ENCRYPTED), meta_read == FREE, file_read != NEVER
    sdm = Sdm(uid, counter, encrypted, meta_read, file_read, counter_return)
    offsets = _Offsets(packed[3:])
    sdm = replace(
        sdm,
        uid_offset=offsets.take(uid and plain),
        counter_offset=offsets.take(counter and plain),
        picc_offset=offsets.take(meta_read < KEY_COUNT),
        mac_input_offset=offsets.take(maced),
        encrypted_offset=offsets.take(maced and encrypted),
        encrypted_length=offsets.take(maced and encrypted),
        mac_offset=offsets.take(maced),
        limit=offsets.take(bool(options & _LIMIT)),
    )
    offsets.end()
    return sdm


def _check(sdm: Sdm, file_size: int) -> None:
    """Refuse what table 71 forbids."""
    mirrors = sdm.uid or sdm.counter
    lawful = (
        (sdm.meta_read == NEVER or mirrors)
        and not (sdm.meta_read == NEVER and sdm.uid)
        and (sdm.counter_return == NEVER or sdm.counter)
        and (not sdm.encrypted or (sdm.file_read != NEVER and sdm.uid and sdm.counter))
        and (sdm.limit is None or sdm.counter)
    )
    require(lawful, Status.PARAMETER_ERROR)
    mirrored = [
        (sdm.uid_offset, UID_CHARS),
        (None if sdm.counter_offset == NO_MIRROR else sdm.counter_offset, COUNTER_CHARS),
        (sdm.picc_offset, PICC_CHARS),
        (sdm.encrypted_offset, sdm.encrypted_length or 0),
        (sdm.mac_offset, MAC_CHARS),
    ]
    spans = sorted((offset, offset + length) for offset, length in mirrored if offset is not None)
    require(all(end <= file_size for _, end in spans), Status.PARAMETER_ERROR)
    apart = all(first[1] <= second[0] for first, second in pairwise(spans))
    require(apart, Status.PARAMETER_ERROR)
    if sdm.mac_offset is None or sdm.mac_input_offset is None:
        return
    require(sdm.mac_input_offset <= sdm.mac_offset, Status.PARAMETER_ERROR)
    if sdm.encrypted_offset is None or sdm.encrypted_length is None:
        return
    if sdm.encrypted_length < 32 or sdm.encrypted_length % 32:
        raise Refusal(Status.PARAMETER_ERROR)
    inside = sdm.mac_input_offset <= sdm.encrypted_offset
    require(inside and sdm.encrypted_offset + sdm.encrypted_length <= sdm.mac_offset, Status.PARAMETER_ERROR)
