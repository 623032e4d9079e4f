"""A reader's radio field: where an emulated chip is held to it and taken away."""

import logging
import threading

import nfc
import nfc.clf

from simulators.chips.card_device import CardDevice, Withdrawn
from simulators.chips.chip import ChipState, EmulatedChip, KeepsPower
from simulators.chips.trace import AirLog, Sender

log = logging.getLogger(__name__)

LISTEN_S = 1.0
COMMAND_WAIT_S = 2.0
_WITHDRAW_LIMIT_S = 5.0


class FieldBusy(Exception):
    """Another chip, perhaps another process's, is in this field already."""


class Field:
    """One reader's field, which is one udp port on loopback. Holds one chip at a time."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.address = (host, port)
        self._device: CardDevice | None = None
        self._thread: threading.Thread | None = None

    def present(
        self,
        chip: EmulatedChip,
        tear_after_exchanges: int | None = None,
        *,
        lose_last_answer: bool = False,
        trace: AirLog | None = None,
    ) -> None:
        """Hold `chip` to the reader. Returns at once.

        Args:
            tear_after_exchanges: take the chip away by itself after that many answered commands.
            lose_last_answer: let it still obey the command after those, and be gone before it answers.
            trace: keeps every frame of this presentation.

        Raises:
            FieldBusy: another chip is there.
        """
        if self.occupied:
            raise FieldBusy(f"A chip is in the field of port {self.address[1]} already.")
        self.remove()
        try:
            self._device = CardDevice(self.address)
        except OSError as error:
            raise FieldBusy(f"Port {self.address[1]} is taken by another process's chip.") from error
        self._thread = threading.Thread(
            target=self._hold,
            args=(self._device, chip, _Budget(tear_after_exchanges, lose_last_answer, trace)),
            daemon=True,
            name=f"field-{self.address[1]}",
        )
        self._thread.start()

    def remove(self) -> None:
        """Take the chip away; it has stopped answering when this returns."""
        if self._thread is None or self._device is None:
            return
        self._device.withdraw()
        self._thread.join(_WITHDRAW_LIMIT_S)
        self._device.close()
        self._thread = self._device = None

    def wait_empty(self, timeout_s: float) -> bool:
        """Wait until a chip that tears itself away is gone; return whether it is."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        return not self.occupied

    @property
    def occupied(self) -> bool:
        """Whether a chip is in the field."""
        return self._thread is not None and self._thread.is_alive()

    def _hold(self, device: CardDevice, chip: EmulatedChip, budget: "_Budget") -> None:
        frontend = nfc.ContactlessFrontend()
        frontend.device = device
        try:
            while True:
                self._one_selection(frontend, device, chip, budget)
        except Withdrawn:
            log.debug("A chip left the field of port %s.", self.address[1])
        if device.socket is not None:
            device.socket.close()  # a chip that is gone leaves its port to the next one
            device.socket = None

    def _one_selection(
        self, frontend: nfc.ContactlessFrontend, device: CardDevice, chip: EmulatedChip, budget: "_Budget"
    ) -> None:
        """Power the chip up, wait for a selection, answer until the field goes off or the chip sleeps."""
        if not device.powered:
            chip.power_up()
            device.powered = True
        offer = nfc.clf.LocalTarget(
            "106A",
            sens_res=bytearray(chip.sens_res),
            sdd_res=bytearray(chip.uid),
            sel_res=bytearray([chip.sel_res]),
        )
        target = frontend.listen(offer, timeout=LISTEN_S)
        if target is None:
            return
        if isinstance(chip, KeepsPower):
            chip.reselect()
        else:
            chip.power_up()
        command: bytes | None = bytes(target.tt2_cmd)
        try:
            while True:
                answer = None
                if command is not None:
                    answer = budget.answer(chip, command)
                    if chip.state is not ChipState.ACTIVE:
                        device.halted = chip.state is ChipState.HALT
                        frontend.exchange(answer, timeout=0)
                        return
                command = self._next_command(frontend, answer)
        except nfc.clf.BrokenLinkError:
            device.halted = False

    def _next_command(self, frontend: nfc.ContactlessFrontend, answer: bytes | None) -> bytes | None:
        try:
            return bytes(frontend.exchange(answer, timeout=COMMAND_WAIT_S))
        except nfc.clf.BrokenLinkError:
            raise
        except nfc.clf.CommunicationError:  # nothing for a while, or noise: a chip stays silent
            return None


class _Budget:
    """How many more commands a chip answers before it is torn away, and who listens to them."""

    def __init__(self, left: int | None, lose_last_answer: bool, trace: AirLog | None) -> None:
        self._left = left
        self._lose_last_answer = lose_last_answer
        self._trace = trace

    def answer(self, chip: EmulatedChip, command: bytes) -> bytes | None:
        """Return what the chip answers; raises Withdrawn when it is gone."""
        self._note(Sender.READER, command)
        if self._left == 0:
            if self._lose_last_answer:
                chip.respond(command)
            raise Withdrawn
        if self._left is not None:
            self._left -= 1
        answer = chip.respond(command)
        self._note(Sender.CHIP, answer)
        return answer

    def _note(self, sender: Sender, frame: bytes | None) -> None:
        if self._trace is not None and frame is not None:
            self._trace.note(sender, frame)
