"""What the native and the inter-industry commands of an NTAG 424 DNA share: memory, selection, session, reads."""

from collections.abc import Callable

from simulators.chips.ntag424_memory import AppKey, Memory, StandardFile
from simulators.chips.ntag424_sdm import MAX_READ_COUNTER, ReadRun, counter_spent, dynamic_data
from simulators.chips.ntag424_session import Session
from simulators.chips.ntag424_settings import FREE, KEY_COUNT, NEVER, CommMode
from simulators.chips.ntag424_status import IsoStatus, Refusal, Status, require

READ_BINARY = 0xB0


class Context:
    """One chip while it has power.

    Attributes:
        in_application: False at the PICC level (MF), where a field finds the chip (8.2.1).
        selected: the file that ISOSelectFile chose.
        on_change: called after each change of the memory, before the command is answered.
    """

    def __init__(self, memory: Memory, random: Callable[[int], bytes]) -> None:
        self.memory = memory
        self.random = random
        self.on_change: Callable[[], None] = lambda: None
        self._run = ReadRun(random)
        self.power_up()

    def power_up(self) -> None:
        """Forget selection, session and the run of reads."""
        self.in_application = False
        self.selected: StandardFile | None = None
        self.session: Session | None = None
        self._run.end()

    def note(self, ins: int) -> None:
        """A command arrived."""
        self._run.note(ins)

    def failed(self) -> None:
        """A command was refused: the session is over (9.1.9), and so is a run of reads."""
        self.session = None
        self._run.end()

    def file(self, number: int) -> StandardFile:
        """Return the file of the application; raises Refusal."""
        require(self.in_application, Status.PERMISSION_DENIED)
        require(number in self.memory.files, Status.FILE_NOT_FOUND)
        return self.memory.files[number]

    def key(self, number: int, rfu_bits: int = 0xC0) -> AppKey:
        """Return the application's key; raises Refusal. At the PICC level there are only originality keys."""
        require(not number & rfu_bits, Status.PARAMETER_ERROR)
        require(self.in_application and number < KEY_COUNT, Status.NO_SUCH_KEY)
        return self.memory.keys[number]

    def require_key(self, number: int) -> Session:
        """Return the session, which must rest on this key; raises Refusal."""
        if self.session is None or self.session.key_no != number:
            raise Refusal(Status.AUTHENTICATION_ERROR)
        return self.session

    def granted(self, file: StandardFile, *rights: int) -> CommMode:
        """Return how a command that any of `rights` allows must travel (8.2.3.3, 8.2.3.5).

        Raises:
            Refusal: PERMISSION_DENIED where nobody ever may, AUTHENTICATION_ERROR where this session may not.
        """
        if self.session is not None and self.session.key_no in rights:
            return file.settings.comm_mode
        if FREE in rights:
            return CommMode.PLAIN
        require(any(right != NEVER for right in rights), Status.PERMISSION_DENIED)
        raise Refusal(Status.AUTHENTICATION_ERROR)

    def shown(self, file: StandardFile, ins: int) -> bytes:
        """Return what a read sees of the file: as it is in a session, with everything mirrored otherwise.

        Steps the read counter at the first read of a run; the caller has checked rights and bounds.

        Raises:
            Refusal: the counter is at its limit.
        """
        sdm = file.settings.sdm
        if self.session is not None or sdm is None:
            return bytes(file.data)
        if not self._run.continues(ins, file.number):
            if counter_spent(file):
                raise Refusal(_spent(ins, overflow=file.read_counter >= MAX_READ_COUNTER))
            self._run.begin(ins, file.number)
            if sdm.counter:
                file.read_counter += 1
                self.on_change()
        return dynamic_data(file, self.memory.uid, self.memory.keys, self._run.padding)


def _spent(ins: int, overflow: bool) -> Status | IsoStatus:
    if ins == READ_BINARY:
        return IsoStatus.NOT_ALLOWED
    return Status.INTEGRITY_ERROR if overflow else Status.PERMISSION_DENIED
