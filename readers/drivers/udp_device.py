"""nfcpy's udp device, mended: the radio link of a reader or of an emulated chip as datagrams on loopback.

What nfcpy 1.0.4 gets wrong, and what is done about it here:

1. It binds 0.0.0.0 and takes datagrams from anyone: both ends bind loopback, a reader hears its port only.
2. `mute` closes the socket and loses what waits in it: the socket stays; a reader's `mute` only sends RFOFF.
3. An empty field blocks a second per try: a try takes `poll_wait_s`.
4. A late answer is taken for the answer to the next command: the socket is drained before each command,
   answers get a quarter of a second at least, and a frame of an impossible shape is not a selection answer.
5. UIDs of ten bytes never activate: all three cascade levels work at both ends.
6. Malformed datagrams raise ValueError out of the library: they count as transmission errors.
"""

import binascii
import ipaddress
import select
import socket
from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Any

import nfc.clf
import nfc.clf.udp

Address = tuple[str, int]
Frame = tuple[str, bytearray, Address]

POLL_WAIT_S = 0.04
ANSWER_FLOOR_S = 0.25
SENS_REQ = b"\x26"
ALL_REQ = b"\x52"
CASCADE_TAG = 0x88
CASCADE_LEVELS = (0x93, 0x95, 0x97)
_UID_INCOMPLETE = 0x04
_MAX_DATAGRAM = 2048


class UdpDevice(nfc.clf.udp.Device):  # type: ignore[misc]  # nfcpy ships no types
    """A reader's end of the link; `simulators` derives the chip's end from it."""

    def __init__(
        self, address: Address, monotonic: Callable[[], float], poll_wait_s: float = POLL_WAIT_S
    ) -> None:
        self.addr = loopback(address)
        self.monotonic = monotonic
        self.poll_wait_s = poll_wait_s
        self._path = f"udp:{self.addr[0]}:{self.addr[1]}"
        self._vendor_name, self._device_name, self._chipset_name = "Passband", "udp", "UDP"
        self.socket: socket.socket | None = None
        self.sent_data = self.rcvd_data = 0
        self._create_socket()

    def close(self) -> None:
        """Switch the field off and give the socket back."""
        if self.socket is not None:
            self.mute()
            self.socket.close()
            self.socket = None

    def mute(self) -> None:
        """Switch the field off: a chip that was heard learns it, the socket stays."""
        if self.socket is not None and self.rcvd_data:
            self._send_data("RFOFF", b"", self.addr)
            self.rcvd_data = 0

    def sense_tta(self, target: Any) -> Any:
        """Return the Type A chip in the field as RemoteTarget; None for none, or another than asked for."""
        if target.brty != "106A":
            raise nfc.clf.UnsupportedTargetError(f"unsupported bitrate {target.brty}")
        sens_res = self._request_sens_res(target)
        if sens_res is None:
            return None
        try:
            selected = self._select()
        except nfc.clf.CommunicationError:
            return None
        if selected is None or (target.sel_req and bytes(target.sel_req) != selected[0]):
            return None
        uid, sel_res = selected
        return nfc.clf.RemoteTarget(
            "106A", _addr=self.addr, sens_res=sens_res, sel_res=sel_res, sdd_res=bytearray(uid)
        )

    def send_cmd_recv_rsp(self, target: Any, data: bytes | None, timeout: float) -> bytearray | None:
        """Send a command to the selected chip and return its answer."""
        self._drain()
        if data is not None:
            self._send_data(target.brty, data, target._addr)
        if timeout <= 0:
            return None
        return self._recv_data(max(timeout, ANSWER_FLOOR_S), target.brty)[1]

    def _request_sens_res(self, target: Any) -> bytearray | None:
        # A chip that was just heard is asked again for as long as an answer may take: some
        # emulators close their socket on RFOFF and lose what is sent at that moment.
        tries = max(1, round(ANSWER_FLOOR_S / self.poll_wait_s)) if target.sel_req else 1
        for _ in range(tries):
            try:
                return self._ask(bytes(target.sens_req or SENS_REQ), 2, self.poll_wait_s)
            except nfc.clf.CommunicationError:
                continue
        return None

    def _select(self) -> tuple[bytes, bytearray] | None:
        """Return UID and SEL_RES after up to three cascade levels (ISO/IEC 14443-3, 6.5)."""
        uid = b""
        for level in CASCADE_LEVELS:
            part = self._ask(bytes([level, 0x20]), 5, ANSWER_FLOOR_S)
            if reduce(xor, part):
                raise nfc.clf.TransmissionError("wrong check byte in the UID")
            sel_res = self._ask(bytes([level, 0x70]) + part, 1, ANSWER_FLOOR_S)
            if not sel_res[0] & _UID_INCOMPLETE:
                return uid + bytes(part[:4]), sel_res
            uid += bytes(part[1:4])
        return None

    def _ask(self, request: bytes, answer_size: int, timeout: float) -> bytearray:
        self._drain()
        self._send_data("106A", request, self.addr)
        deadline = self.monotonic() + timeout
        while True:
            _, data, _ = self._recv_data(max(0.0, deadline - self.monotonic()), "106A")
            if len(data) == answer_size:
                return data

    def _create_socket(self) -> None:
        if self.socket is None:
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind((self.addr[0], 0))
            self.socket.setblocking(False)

    def _drain(self) -> None:
        assert self.socket is not None, "the device is closed"
        try:
            while True:
                self.socket.recvfrom(_MAX_DATAGRAM)
        except BlockingIOError:
            return

    def _recv_data(self, timeout: float | None, *brty_list: str) -> Frame:
        deadline = None if timeout is None else self.monotonic() + timeout
        while True:
            wait_s = None if deadline is None else max(0.0, deadline - self.monotonic())
            received = self._receive(wait_s)
            if received is None:
                raise nfc.clf.TimeoutError("no data received")
            data, source = received
            if not self._is_peer(source):
                continue
            if data.startswith(b"RFOFF"):
                raise nfc.clf.BrokenLinkError("RFOFF")
            brty, payload = parse_datagram(data)
            self.rcvd_data += len(payload)
            if brty in brty_list:
                return brty, payload, source

    def _is_peer(self, source: Address) -> bool:
        return source == self.addr

    def _receive(self, wait_s: float | None) -> tuple[bytes, Address] | None:
        """Return the next datagram, None when `wait_s` passed without one."""
        assert self.socket is not None, "the device is closed"
        if not select.select([self.socket], [], [], wait_s)[0]:
            return None
        return self.socket.recvfrom(_MAX_DATAGRAM)


def parse_datagram(data: bytes) -> tuple[str, bytearray]:
    """Return technology and frame of a datagram such as `106A 3004`.

    Raises:
        nfc.clf.TransmissionError: it is not one.
    """
    try:
        brty, payload = data.split()
        return brty.decode("ascii"), bytearray(binascii.unhexlify(payload))
    except ValueError as error:
        raise nfc.clf.TransmissionError("malformed datagram") from error


def loopback(address: Address) -> Address:
    """Return the address with a numeric host; ValueError unless it is a loopback one."""
    host = "127.0.0.1" if address[0] == "localhost" else address[0]
    try:
        local = ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ValueError(f"An emulated field must be on loopback, not on {address[0]}.")
    return host, address[1]
