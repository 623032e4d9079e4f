"""One rig per driver: the means to present something to it."""

import socket
import time
from collections.abc import Callable
from typing import Protocol

from readers.drivers import open_driver
from readers.drivers.base import ChipKind, Driver
from readers.drivers.simulated import SimulatedChip, SimulatedDriver
from simulators.chips.chip import EmulatedChip
from simulators.chips.field import Field
from simulators.chips.ntag21x import Ntag21x
from simulators.chips.ntag424 import Ntag424
from simulators.chips.ntag424_memory import NDEF_FILE, Memory
from simulators.chips.type4 import NdefApplication, Type4Chip
from wallet.chips.ndef import encode_credential_message

PATIENCE_S = 10.0
UID = bytes.fromhex("04A1B2C3D4E5F6")
CREDENTIAL = b"6BF0*M2*4C1D" * 10  # printable, because a QR code carries it too


class Rig(Protocol):
    """One driver with the means to present something to it."""

    driver: Driver
    kind: ChipKind
    uid: bytes

    def present(self, credential: bytes) -> None: ...
    def present_again(self) -> None: ...
    def present_torn(self) -> None: ...
    def present_damaged(self) -> None: ...
    def take_away(self) -> None: ...
    def close(self) -> None: ...


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ntag_with(message: bytes) -> Ntag21x:
    chip = Ntag21x("ntag216", UID)
    tlv = b"\x03" + bytes([len(message)]) + message + b"\xfe"
    chip.memory[16 : 16 + len(tlv)] = tlv
    return chip


def type4_with(message: bytes) -> Type4Chip:
    return Type4Chip(UID, NdefApplication((len(message).to_bytes(2) + message).ljust(512, b"\x00")))


def ntag424_with(message: bytes) -> Ntag424:
    memory = Memory(UID)
    content = len(message).to_bytes(2) + message
    memory.files[NDEF_FILE].data[: len(content)] = content
    return Ntag424(memory)


class EmulatedRig:
    """An nfcpy reader on udp and an emulated chip in its field."""

    uid = UID

    def __init__(self, kind: ChipKind, chip_with: Callable[[bytes], EmulatedChip]) -> None:
        port = free_port(socket.SOCK_DGRAM)
        self.kind = kind
        self.driver = open_driver(f"udp:127.0.0.1:{port}", time.monotonic)
        self._chip_with = chip_with
        self._field = Field(port)
        self._chip: EmulatedChip | None = None

    def present(self, credential: bytes) -> None:
        self._chip = self._chip_with(encode_credential_message(credential))
        self.present_again()

    def present_again(self) -> None:
        assert self._chip is not None
        self._field.present(self._chip)

    def present_torn(self) -> None:
        self._field.present(self._chip_with(encode_credential_message(CREDENTIAL)), tear_after_exchanges=5)

    def present_damaged(self) -> None:
        self._field.present(self._chip_with(encode_credential_message(CREDENTIAL)[:-9]))

    def take_away(self) -> None:
        self._field.remove()

    def close(self) -> None:
        self._field.remove()


class SimulatedRig:
    """The in-process driver."""

    kind = ChipKind.NTAG216
    uid = UID

    def __init__(self) -> None:
        driver = open_driver("simulated:", time.monotonic)
        assert isinstance(driver, SimulatedDriver)
        self.driver: Driver = driver
        self._simulated = driver
        self._chip = SimulatedChip(UID)

    def present(self, credential: bytes) -> None:
        self._chip = SimulatedChip(UID, credential)
        self.present_again()

    def present_again(self) -> None:
        self._simulated.present(self._chip)

    def present_torn(self) -> None:
        self._simulated.present(SimulatedChip(UID, CREDENTIAL, gone_after=0))

    def present_damaged(self) -> None:
        self._simulated.present(SimulatedChip(UID, damage="The record is damaged."))

    def take_away(self) -> None:
        pass

    def close(self) -> None:
        pass


class ScannerRig:
    """A scanner on a socket."""

    kind = ChipKind.QR
    uid = b""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(PATIENCE_S)
        self.driver = open_driver(
            f"scanner:socket://127.0.0.1:{self._server.getsockname()[1]}", time.monotonic
        )
        self._peer: socket.socket | None = None
        self._line = b""

    def present(self, credential: bytes) -> None:
        self._line = credential + b"\r\n"
        self.present_again()

    def present_again(self) -> None:
        self._send(self._line)

    def present_torn(self) -> None:
        raise NotImplementedError("a code arrives whole or not at all")

    def present_damaged(self) -> None:
        self._send(b"6BF\x00\xff\r\n")

    def take_away(self) -> None:
        pass

    def close(self) -> None:
        if self._peer is not None:
            self._peer.close()
        self._server.close()

    def _send(self, data: bytes) -> None:
        if self._peer is None:
            self._peer = self._server.accept()[0]
        self._peer.sendall(data)
