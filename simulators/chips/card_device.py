"""The chip's end of an emulated field: nfcpy's udp device, bound to the reader's port."""

import select
import socket
from functools import reduce
from operator import xor
from time import monotonic
from typing import Any

import nfc.clf

from readers.drivers.udp_device import (
    ALL_REQ,
    CASCADE_LEVELS,
    CASCADE_TAG,
    SENS_REQ,
    Address,
    Frame,
    UdpDevice,
)

_UID_INCOMPLETE = 0x04


class Withdrawn(Exception):
    """Someone took the chip out of the field."""


class CardDevice(UdpDevice):
    """Listens as a Type A chip. `withdraw()` from another thread ends any wait at once."""

    def __init__(self, address: Address) -> None:
        self._unread: Frame | None = None
        self._alarm, self._bell = socket.socketpair()
        super().__init__(address, monotonic)
        self.halted = False
        self.powered = False
        """Whether the field has been on since the chip last powered up; the chip's holder sets it."""

    def withdraw(self) -> None:
        """End the wait of the thread that listens."""
        self._bell.send(b"!")

    def close(self) -> None:
        """Give port and sockets back."""
        super().close()
        self._alarm.close()
        self._bell.close()

    def mute(self) -> None:
        """A chip has no field to switch off, and its socket must keep what waits in it."""

    def listen_tta(self, target: Any, timeout: float) -> Any:
        """Answer selection until a command for the selected chip arrives; return it in a LocalTarget.

        Returns None when the field goes off as well, because a chip may come back with another UID. A chip in HALT
        wakes up by ALL_REQ or a new field only (ISO/IEC 14443-3, 6.4).
        """
        answers = selection_answers(bytes(target.sdd_res), bytes(target.sens_res), target.sel_res[0])
        last_step = list(answers)[-1]
        deadline = monotonic() + timeout
        selected = False
        while (left_s := deadline - monotonic()) > 0:
            try:
                brty, data, source = self._recv_data(left_s, target.brty)
            except nfc.clf.TimeoutError:
                return None
            except nfc.clf.BrokenLinkError:
                return None
            except nfc.clf.CommunicationError:
                continue
            frame = bytes(data)
            if frame == ALL_REQ or (frame == SENS_REQ and not self.halted):
                self.halted = selected = False
                self._send_data(brty, target.sens_res, source)
            elif frame in answers and not self.halted:
                self._send_data(brty, answers[frame], source)
                selected = frame == last_step
            elif selected:
                return nfc.clf.LocalTarget(
                    brty,
                    _addr=source,
                    sens_res=target.sens_res,
                    sdd_res=target.sdd_res,
                    sel_res=target.sel_res,
                    tt2_cmd=data,
                )
        return None

    def send_rsp_recv_cmd(self, target: Any, data: bytes | None, timeout: float | None) -> bytearray | None:
        """Send the chip's answer (None stays silent) and return the next command.

        Raises:
            nfc.clf.BrokenLinkError: the field went off, or a reader begins a new selection.
        """
        if data is not None:
            self._send_data(target.brty, data, target._addr)
        if timeout is not None and timeout <= 0:
            return None
        brty, command, source = self._recv_data(timeout, target.brty)
        if bytes(command) in (SENS_REQ, ALL_REQ):
            self._unread = brty, command, source
            raise nfc.clf.BrokenLinkError("selection begins anew")
        return command

    def _create_socket(self) -> None:
        if self.socket is None:
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self.socket.bind(self.addr)
            except OSError:
                self.socket.close()
                raise
            self.socket.setblocking(False)

    def _recv_data(self, timeout: float | None, *brty_list: str) -> Frame:
        if self._unread is not None:
            frame, self._unread = self._unread, None
            return frame
        try:
            return super()._recv_data(timeout, *brty_list)
        except nfc.clf.BrokenLinkError:
            self.powered = self.halted = False
            raise

    def _is_peer(self, source: Address) -> bool:
        return True  # bound to loopback; a reader's own port is any

    def _receive(self, wait_s: float | None) -> tuple[bytes, Address] | None:
        assert self.socket is not None, "the device is closed"
        ready = select.select([self._alarm, self.socket], [], [], wait_s)[0]
        if self._alarm in ready:
            raise Withdrawn
        return self.socket.recvfrom(2048) if ready else None


def selection_answers(uid: bytes, sens_res: bytes, sel_res: int) -> dict[bytes, bytes]:
    """Return what a chip answers to each anticollision and selection frame (ISO/IEC 14443-3, 6.5), in order.

    Args:
        uid: 4, 7 or 10 bytes.
        sens_res: ATQA, 2 bytes.
        sel_res: SAK of the complete selection.
    """
    if len(uid) not in (4, 7, 10) or len(sens_res) != 2:
        raise ValueError("A UID is 4, 7 or 10 bytes long and SENS_RES 2.")
    parts = []
    while len(uid) > 4:
        parts.append(bytes([CASCADE_TAG]) + uid[:3])
        uid = uid[3:]
    parts.append(uid)
    answers = {}
    for level, part in zip(CASCADE_LEVELS, parts, strict=False):
        checked = part + bytes([reduce(xor, part)])
        complete = part is parts[-1]
        answers[bytes([level, 0x20])] = checked
        answers[bytes([level, 0x70]) + checked] = bytes([sel_res if complete else _UID_INCOMPLETE])
    return answers
