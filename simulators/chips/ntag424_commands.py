"""The native commands of an NTAG 424 DNA on data, keys and settings (NT4H2421Gx, 10.5 to 10.8)."""

from collections.abc import Callable

from simulators.chips.ntag424_configuration import configure, version_frames
from simulators.chips.ntag424_context import Context
from simulators.chips.ntag424_keys import new_key
from simulators.chips.ntag424_memory import NDEF_FILE, AppKey, StandardFile, sdm_bytes
from simulators.chips.ntag424_settings import FREE, NEVER, CommMode, unpack_settings
from simulators.chips.ntag424_status import Status, require

GET_VERSION, GET_CARD_UID, READ_SIGNATURE, SET_CONFIGURATION = 0x60, 0x51, 0x3C, 0x5C
CHANGE_KEY, GET_KEY_VERSION = 0xC4, 0x64
CHANGE_FILE_SETTINGS, GET_FILE_SETTINGS, GET_FILE_COUNTERS = 0x5F, 0xF5, 0xF6
READ_DATA, WRITE_DATA = 0xAD, 0x8D
SIGNATURE_OK = b"\x91\x90"
"""Read_Sig's own status (AN12196, originality signature)."""
_FRAME_BYTES = 125  # FSC 128 less PCB and CRC: a longer command came in a chain
_COMMAND_OVERHEAD = 6
_FILE_RFU = 0xE0


class NativeCommands:
    """Answers commands of CLA 90 that need no second frame."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.handlers: dict[int, Callable[[bytes], bytes]] = {
            GET_CARD_UID: self._get_card_uid,
            READ_SIGNATURE: self._read_signature,
            SET_CONFIGURATION: self._set_configuration,
            CHANGE_KEY: self._change_key,
            GET_KEY_VERSION: self._get_key_version,
            CHANGE_FILE_SETTINGS: self._change_file_settings,
            GET_FILE_SETTINGS: self._get_file_settings,
            GET_FILE_COUNTERS: self._get_file_counters,
            READ_DATA: self._read_data,
            WRITE_DATA: self._write_data,
        }

    def version_frames(self, body: bytes) -> list[bytes]:
        """Answer GetVersion (10.5.2): three frames; in a session the last one carries the MAC over all."""
        opened = self._open(GET_VERSION, 0, body, CommMode.MAC)
        require(not opened, Status.LENGTH_ERROR)
        one, two, three = version_frames(self._context.memory)
        if self._context.session is not None:
            three = self._context.session.seal_response(one + two + three, CommMode.MAC)[len(one + two) :]
        return [
            one + Status.ADDITIONAL_FRAME.word,
            two + Status.ADDITIONAL_FRAME.word,
            three + Status.OK.word,
        ]

    def _get_card_uid(self, body: bytes) -> bytes:
        require(self._context.session is not None, Status.AUTHENTICATION_ERROR)
        opened = self._open(GET_CARD_UID, 0, body, CommMode.FULL)
        require(not opened, Status.LENGTH_ERROR)
        return self._seal(self._context.memory.uid, CommMode.FULL)

    def _read_signature(self, body: bytes) -> bytes:
        in_session = self._context.session is not None
        hidden = self._context.memory.configuration.random_uid and not in_session
        require(not hidden, Status.COMMAND_NOT_FOUND)
        opened = self._open(READ_SIGNATURE, 1, body, CommMode.FULL)
        require(opened == b"\x00", Status.COMMAND_FORMAT)
        if in_session:
            return self._seal(self._context.memory.signature, CommMode.FULL)
        return self._context.memory.signature + SIGNATURE_OK

    def _set_configuration(self, body: bytes) -> bytes:
        require(self._context.in_application, Status.PERMISSION_DENIED)
        self._context.require_key(0)
        opened = self._open(SET_CONFIGURATION, 1, body, CommMode.FULL, with_data=True)
        self._context.memory.configuration = configure(
            self._context.memory.configuration, opened[0], opened[1:]
        )
        self._context.on_change()
        return self._seal(b"", CommMode.FULL)

    def _change_key(self, body: bytes) -> bytes:
        """10.6.1: a new key 0 ends the session, so that its answer carries no MAC (AN12196, table 27)."""
        require(self._context.in_application, Status.PERMISSION_DENIED)
        self._context.require_key(0)
        opened = self._open(CHANGE_KEY, 1, body, CommMode.FULL, with_data=True)
        number, data = opened[0], opened[1:]
        key = self._context.key(number)
        value, version = new_key(number, key.value, data)
        self._context.memory.keys[number] = AppKey(value, version)
        self._context.on_change()
        if number == 0:
            self._context.session = None
        return self._seal(b"", CommMode.FULL)

    def _get_key_version(self, body: bytes) -> bytes:
        opened = self._open(GET_KEY_VERSION, 1, body, CommMode.MAC)
        require(len(opened) == 1, Status.LENGTH_ERROR)
        key = self._context.key(opened[0], rfu_bits=0xF0)
        return self._seal(bytes([key.version]), CommMode.MAC)

    def _change_file_settings(self, body: bytes) -> bytes:
        """10.7.1: encrypted unless anybody may change them."""
        file = self._file(body)
        change = file.settings.rights.change
        self._context.granted(file, change)
        mode = CommMode.PLAIN if change == FREE else CommMode.FULL
        data = self._open(CHANGE_FILE_SETTINGS, 1, body, mode, with_data=True)[1:]
        settings = unpack_settings(data, len(file.data))
        require(settings.sdm is None or file.number == NDEF_FILE, Status.PERMISSION_DENIED)
        counter = file.read_counter
        if settings.sdm is not None and file.settings.sdm is None:
            counter = 0  # 9.3.1: reset when SDM is being enabled
        limit = settings.sdm.limit if settings.sdm else None
        require(limit is None or limit > counter, Status.PARAMETER_ERROR)
        file.settings, file.read_counter = settings, counter
        self._context.on_change()
        return self._seal(b"", mode)

    def _get_file_settings(self, body: bytes) -> bytes:
        file = self._file(body)
        opened = self._open(GET_FILE_SETTINGS, 1, body, CommMode.MAC)
        require(len(opened) == 1, Status.LENGTH_ERROR)
        size = len(file.data).to_bytes(3, "little")
        return self._seal(b"\x00" + file.settings.pack() + size + sdm_bytes(file.settings), CommMode.MAC)

    def _get_file_counters(self, body: bytes) -> bytes:
        file = self._file(body)
        sdm = file.settings.sdm
        allowed = sdm.counter_return if sdm is not None else NEVER
        self._context.granted(file, allowed)
        opened = self._open(GET_FILE_COUNTERS, 1, body, CommMode.FULL)
        require(len(opened) == 1, Status.LENGTH_ERROR)
        return self._seal(file.read_counter.to_bytes(3, "little") + bytes(2), CommMode.FULL)

    def _read_data(self, body: bytes) -> bytes:
        """10.8.1; without a session SDMFileRead opens the file as well, whatever key it names."""
        file = self._file(body)
        rights, sdm = file.settings.rights, file.settings.sdm
        allowed = [rights.read, rights.read_write]
        if sdm is not None and self._context.session is None and sdm.file_read != NEVER:
            allowed.append(FREE)
        mode = self._context.granted(file, *allowed)
        opened = self._open(READ_DATA, 7, body, mode)
        require(len(opened) == 7, Status.LENGTH_ERROR)
        offset, length = _position(opened)
        require(offset + (length or 1) <= len(file.data), Status.BOUNDARY_ERROR)
        shown = self._context.shown(file, READ_DATA)
        return self._seal(shown[offset : offset + length if length else None], mode)

    def _write_data(self, body: bytes) -> bytes:
        """10.8.2, the whole command at once: a chain that is torn has written nothing."""
        file = self._file(body)
        mode = self._context.granted(file, file.settings.rights.write, file.settings.rights.read_write)
        chained = len(body) + _COMMAND_OVERHEAD > _FRAME_BYTES
        locked = self._context.memory.configuration.no_chained_writing and mode is not CommMode.PLAIN
        require(not (chained and locked), Status.PERMISSION_DENIED)
        opened = self._open(WRITE_DATA, 7, body, mode, with_data=True)
        require(len(opened) >= 7, Status.LENGTH_ERROR)
        (offset, length), data = _position(opened), opened[7:]
        require(length > 0, Status.PARAMETER_ERROR)
        require(length == len(data), Status.LENGTH_ERROR)
        require(offset + length <= len(file.data), Status.BOUNDARY_ERROR)
        file.data[offset : offset + length] = data
        self._context.on_change()
        return self._seal(b"", mode)

    def _file(self, body: bytes) -> StandardFile:
        """Return the file that the first byte of a command names."""
        require(bool(body), Status.LENGTH_ERROR)
        require(not body[0] & _FILE_RFU, Status.PARAMETER_ERROR)
        return self._context.file(body[0])

    def _open(
        self, ins: int, header_bytes: int, body: bytes, mode: CommMode, with_data: bool = False
    ) -> bytes:
        """Return the command's plain header and data; without a session they came so."""
        session = self._context.session
        if session is None:
            return body
        opened = session.open_command(ins, header_bytes, body, mode, with_data)
        require(len(opened) >= header_bytes, Status.LENGTH_ERROR)
        return opened

    def _seal(self, data: bytes, mode: CommMode) -> bytes:
        if self._context.session is not None:
            data = self._context.session.seal_response(data, mode)
        return data + Status.OK.word


def _position(header: bytes) -> tuple[int, int]:
    """Return offset and length from the header of ReadData or WriteData."""
    return int.from_bytes(header[1:4], "little"), int.from_bytes(header[4:7], "little")
