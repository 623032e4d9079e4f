"""The pieces of the emulated link and of activation that need no link to be checked."""

import socket
import threading
import time
from collections.abc import Iterator
from functools import reduce
from operator import xor

import nfc.clf
import pytest

from readers.drivers import open_driver
from readers.drivers.ats import complete_ats
from readers.drivers.base import is_random_uid
from readers.drivers.nfcpy_driver import NfcpyDriver
from readers.drivers.scanner import ScannerDriver
from readers.drivers.simulated import SimulatedDriver
from readers.drivers.udp_device import UdpDevice, parse_datagram
from simulators.chips.card_device import selection_answers


@pytest.mark.parametrize(
    ("legal", "complete"),
    [
        ("01", "0572804002"),
        ("0208", "0578804002"),
        ("031881", "0578814002"),
        ("032810", "0578801002"),
        ("034801", "0578804001"),
        ("0728108081", ""),
        ("05281080C1", "0778801002" + "80C1"),
        ("067777710280", "067777710280"),
    ],
)
def test_an_answer_to_select_is_completed_with_its_defaults(legal: str, complete: str) -> None:
    if not complete:
        with pytest.raises(ValueError, match="length"):
            complete_ats(bytes.fromhex(legal))
        return
    assert complete_ats(bytes.fromhex(legal)) == bytes.fromhex(complete)


@pytest.mark.parametrize("ats", ["", "00", "0278", "0377", "047777"])
def test_an_impossible_answer_to_select_is_refused(ats: str) -> None:
    with pytest.raises(ValueError, match="answer to select"):
        complete_ats(bytes.fromhex(ats))


@pytest.mark.parametrize(("size", "levels"), [(4, 1), (7, 2), (10, 3)])
def test_selection_goes_level_by_level(size: int, levels: int) -> None:
    uid = bytes(range(1, size + 1))
    answers = selection_answers(uid, b"\x44\x00", 0x20)
    assert len(answers) == 2 * levels
    told = b""
    for level in (0x93, 0x95, 0x97)[:levels]:
        part = answers[bytes([level, 0x20])]
        assert reduce(xor, part) == 0
        sel_res = answers[bytes([level, 0x70]) + part]
        more = sel_res[0] & 0x04
        told += part[1:4] if more else part[:4]
        assert bool(more) is (level != (0x93, 0x95, 0x97)[levels - 1])
        assert (part[0] == 0x88) is bool(more)
    assert told == uid


@pytest.mark.parametrize("size", [0, 3, 5, 8, 11])
def test_a_uid_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="4, 7 or 10"):
        selection_answers(bytes(size), b"\x44\x00", 0)


@pytest.mark.parametrize("data", [b"", b"106A", b"106A 1", b"106A zz", b"\xff 00", b"a b c"])
def test_a_malformed_datagram_is_a_transmission_error(data: bytes) -> None:
    with pytest.raises(nfc.clf.TransmissionError):
        parse_datagram(data)


def test_a_datagram() -> None:
    assert parse_datagram(b"106A 3004") == ("106A", bytearray(b"\x30\x04"))


def test_a_uid_that_begins_with_08_is_random() -> None:
    assert is_random_uid(b"\x08\x01\x02\x03")
    assert not is_random_uid(b"\x04\x08\x02\x03")
    assert not is_random_uid(b"")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("udp:127.0.0.1:54321", NfcpyDriver),
        ("usb:054c:06c3", NfcpyDriver),
        ("tty:S0:pn532", NfcpyDriver),
        ("scanner:socket://127.0.0.1:7001", ScannerDriver),
        ("scanner:/dev/ttyACM0", ScannerDriver),
        ("simulated:", SimulatedDriver),
    ],
)
def test_the_path_picks_the_driver(path: str, kind: type) -> None:
    driver = open_driver(path, lambda: 7.0)
    assert isinstance(driver, kind)
    assert (driver.health().state, driver.health().since) == ("starting", 7.0)


@pytest.mark.parametrize("path", ["", "nfc", "scanner:", "simulated:x", "http://x"])
def test_an_unknown_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="No driver knows"):
        open_driver(path, lambda: 0.0)


class Peer:
    """A reader's udp device and a bare socket in the place of a chip, which answers from a script."""

    def __init__(self) -> None:
        self.chip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.chip.bind(("127.0.0.1", 0))
        self.chip.settimeout(10)
        self.device = UdpDevice(self.chip.getsockname(), time.monotonic)
        assert self.device.socket is not None
        self.reader = self.device.socket.getsockname()
        self.target = nfc.clf.RemoteTarget("106A", _addr=self.device.addr)
        self.threads: list[threading.Thread] = []

    def answer(self, *scripts: list[bytes]) -> None:
        """Answer the next frames, each with the datagrams of one script."""

        def run() -> None:
            for script in scripts:
                self.chip.recvfrom(2048)
                for datagram in script:
                    self.chip.sendto(datagram, self.reader)

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def close(self) -> None:
        for thread in self.threads:
            thread.join()
        self.device.close()
        self.chip.close()


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


def test_a_late_answer_is_not_taken_for_the_next_one(peer: Peer) -> None:
    for _ in range(3):
        peer.chip.sendto(b"106A 0001", peer.reader)
    peer.answer([b"106A 0002"])
    assert peer.device.send_cmd_recv_rsp(peer.target, b"\x30\x04", 0.005) == b"\x00\x02"


def test_frames_of_an_impossible_shape_do_not_disturb_a_selection(peer: Peer) -> None:
    uid = bytes.fromhex("04112233445566")
    answers = selection_answers(uid, b"\x44\x00", 0).values()
    scripts = [b"\x44\x00", *answers]
    peer.answer(*([b"106A 112233", b"106A " + answer.hex().encode()] for answer in scripts))
    found = peer.device.sense_tta(nfc.clf.RemoteTarget("106A"))
    assert found is not None
    assert bytes(found.sdd_res) == uid


def test_the_answer_of_a_stranger_is_not_heard(peer: Peer) -> None:
    asked = threading.Event()

    def forge() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            peer.chip.recvfrom(2048)
            stranger.sendto(b"106A 0BAD", peer.reader)
            asked.set()

    peer.threads.append(threading.Thread(target=forge))
    peer.threads[-1].start()
    with pytest.raises(nfc.clf.TimeoutError):
        peer.device.send_cmd_recv_rsp(peer.target, b"\x30\x04", 0.25)
    assert asked.is_set()


def test_switching_the_field_off_is_told_to_a_chip_that_was_heard(peer: Peer) -> None:
    peer.device.mute()
    peer.answer([b"106A 0002"])
    peer.device.send_cmd_recv_rsp(peer.target, b"\x30\x04", 0.25)
    for thread in peer.threads:
        thread.join()
    peer.device.mute()
    peer.device.mute()
    assert peer.chip.recvfrom(2048)[0] == b"RFOFF"
    peer.chip.setblocking(False)
    with pytest.raises(BlockingIOError):
        peer.chip.recvfrom(2048)


@pytest.mark.parametrize("host", ["192.0.2.1", "0.0.0.0", "example.com"])
def test_a_field_beyond_this_machine_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        UdpDevice((host, 54321), time.monotonic)
