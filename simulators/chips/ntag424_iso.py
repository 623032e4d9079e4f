"""The inter-industry commands of an NTAG 424 DNA (NT4H2421Gx, 10.9): selection, and plain reading and updating."""

from simulators.chips.ntag424_context import READ_BINARY, Context
from simulators.chips.ntag424_memory import StandardFile
from simulators.chips.ntag424_settings import FREE, NEVER
from simulators.chips.ntag424_status import IsoStatus, require

SELECT_FILE, UPDATE_BINARY = 0xA4, 0xD6
PICC_NAME, APPLICATION_NAME = bytes.fromhex("D2760000850100"), bytes.fromhex("D2760000850101")
PICC_ID, APPLICATION_ID = 0x3F00, 0xE110
_BY_ID, _CHILD, _FILE, _PARENT, _BY_NAME = range(5)
_MAX_NAME_BYTES = 16


class IsoCommands:
    """Answers commands of CLA 00."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._handlers = {
            SELECT_FILE: self._select,
            READ_BINARY: self._read,
            UPDATE_BINARY: self._update,
        }

    def process(self, ins: int, p1: int, p2: int, body: bytes) -> bytes:
        """Return the answer's data; raises Refusal."""
        handler = self._handlers.get(ins)
        require(handler is not None, IsoStatus.UNKNOWN_INS)
        assert handler is not None
        return handler(p1, p2, body)

    def _select(self, p1: int, p2: int, body: bytes) -> bytes:
        """10.9.1; there is no FCI, whatever P2 asks for."""
        require(p1 <= _BY_NAME and p2 in (0x00, 0x0C), IsoStatus.WRONG_PARAMETERS)
        name = body[1 : 1 + body[0]] if body else b""
        if len(body) > 1:
            require(len(name) == body[0] and len(body) <= 2 + len(name), IsoStatus.WRONG_LENGTH)
        require(len(name) <= _MAX_NAME_BYTES, IsoStatus.WRONG_LENGTH)
        if p1 == _BY_NAME:
            require(name in (PICC_NAME, APPLICATION_NAME), IsoStatus.NOT_FOUND)
            self._enter(name == APPLICATION_NAME)
            return b""
        if not name and p1 in (_BY_ID, _PARENT):
            self._enter(application=False)
            return b""
        require(len(name) == 2 and p1 != _PARENT, IsoStatus.WRONG_LC)
        self._select_id(p1, int.from_bytes(name))
        return b""

    def _select_id(self, p1: int, wanted: int) -> None:
        if wanted == PICC_ID and p1 == _BY_ID:
            self._enter(application=False)
        elif wanted == APPLICATION_ID and p1 in (_BY_ID, _CHILD):
            self._enter(application=True)
        else:
            require(self._context.in_application and p1 != _CHILD, IsoStatus.NOT_FOUND)
            found = [each for each in self._context.memory.files.values() if each.iso_id == wanted]
            require(bool(found), IsoStatus.NOT_FOUND)
            self._context.selected = found[0]

    def _enter(self, application: bool) -> None:
        """Select an application or the PICC level, which ends a session."""
        self._context.in_application = application
        self._context.selected = None
        self._context.session = None

    def _read(self, p1: int, p2: int, body: bytes) -> bytes:
        """10.9.2: free reading only, and never in a session."""
        require(len(body) == 1, IsoStatus.WRONG_LENGTH)
        file, offset = self._target(p1, p2)
        rights, sdm = file.settings.rights, file.settings.sdm
        free = FREE in (rights.read, rights.read_write) or (sdm is not None and sdm.file_read != NEVER)
        require(free and self._context.session is None, IsoStatus.NOT_ALLOWED)
        require(offset < len(file.data), IsoStatus.WRONG_PARAMETERS)
        return self._context.shown(file, READ_BINARY)[offset : offset + (body[0] or 256)]

    def _update(self, p1: int, p2: int, body: bytes) -> bytes:
        """10.9.3: free writing only, and never in a session."""
        require(bool(body) and len(body) == 1 + body[0] and body[0] > 0, IsoStatus.WRONG_LENGTH)
        file, offset = self._target(p1, p2)
        rights = file.settings.rights
        free = FREE in (rights.write, rights.read_write)
        require(free and self._context.session is None, IsoStatus.NOT_ALLOWED)
        require(offset < len(file.data), IsoStatus.WRONG_PARAMETERS)
        require(offset + body[0] <= len(file.data), IsoStatus.WRONG_LENGTH)
        file.data[offset : offset + body[0]] = body[1:]
        self._context.on_change()
        return b""

    def _target(self, p1: int, p2: int) -> tuple[StandardFile, int]:
        """Return the file and the offset that P1 and P2 name; a short file id selects the file as well."""
        if not p1 & 0x80:
            offset = p1 << 8 | p2
        else:
            offset, short = p2, p1 & 0x1F
            require(not p1 & 0x60 and short != 0x1F, IsoStatus.WRONG_PARAMETERS)
            if short:
                files = self._context.memory.files.values() if self._context.in_application else ()
                found = [each for each in files if each.iso_id & 0x1F == short]
                require(bool(found), IsoStatus.NOT_FOUND)
                self._context.selected = found[0]
        selected = self._context.selected
        require(selected is not None, IsoStatus.CONDITIONS)
        assert selected is not None
        return selected, offset
