"""Our ends of the emulated link work with nfcpy's own, unmended ones: the protocol on the wire is nfcpy's."""

import queue
import socket
import threading
import time
from collections.abc import Iterator

import nfc
import nfc.clf
import pytest

from readers.drivers.base import Contact
from readers.drivers.nfcpy_driver import NfcpyDriver
from simulators.chips.field import Field
from simulators.chips.ntag21x import Ntag21x
from simulators.chips.type4 import NdefApplication, Type4Chip
from wallet.chips.ndef import encode_credential_message

PATIENCE_S = 15.0
CREDENTIAL = bytes(range(200))
MESSAGE = encode_credential_message(CREDENTIAL)
UID = bytes.fromhex("04A1B2C3D4E5F6")


def ntag() -> Ntag21x:
    chip = Ntag21x("ntag216", UID)
    tlv = b"\x03" + bytes([len(MESSAGE)]) + MESSAGE + b"\xfe"
    chip.memory[16 : 16 + len(tlv)] = tlv
    return chip


def type4() -> Type4Chip:
    return Type4Chip(UID, NdefApplication((len(MESSAGE).to_bytes(2) + MESSAGE).ljust(512, b"\x00")))


@pytest.fixture
def port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class StockCard:
    """A chip behind nfcpy's own udp device, as anyone would write it with listen and exchange."""

    def __init__(self, port: int, chip: Ntag21x | Type4Chip) -> None:
        self._chip = chip
        self._gone = threading.Event()
        self._frontend = nfc.ContactlessFrontend(f"udp:127.0.0.1:{port}")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def remove(self) -> None:
        self._gone.set()
        self._thread.join(PATIENCE_S)
        self._frontend.close()

    def _run(self) -> None:
        while not self._gone.is_set():
            self._chip.power_up()
            target = self._frontend.listen(
                nfc.clf.LocalTarget(
                    "106A",
                    sens_res=bytearray(self._chip.sens_res),
                    sdd_res=bytearray(self._chip.uid),
                    sel_res=bytearray([self._chip.sel_res]),
                ),
                timeout=1.0,
            )
            command = target and (target.tt4_cmd or target.tt2_cmd)
            try:
                while command and not self._gone.is_set():
                    command = self._frontend.exchange(self._chip.respond(bytes(command)), timeout=2.0)
            except nfc.clf.CommunicationError:
                continue


@pytest.fixture(params=[ntag, type4], ids=["ntag216", "type4"])
def chip(request: pytest.FixtureRequest) -> Ntag21x | Type4Chip:
    made: Ntag21x | Type4Chip = request.param()
    return made


@pytest.fixture
def stock_card(port: int, chip: Ntag21x | Type4Chip) -> Iterator[StockCard]:
    card = StockCard(port, chip)
    yield card
    card.remove()


def test_our_reader_reads_and_writes_a_card_on_nfcpys_own_device(port: int, stock_card: StockCard) -> None:
    seen: queue.Queue[object] = queue.Queue()

    def handle(contact: Contact) -> None:
        before = contact.read_credential()
        contact.write_credential(CREDENTIAL[::-1])
        seen.put((contact.uid, before, contact.read_credential()))

    stop = threading.Event()
    driver = NfcpyDriver(f"udp:127.0.0.1:{port}", time.monotonic)
    thread = threading.Thread(target=driver.serve, args=(handle, stop), daemon=True)
    thread.start()
    try:
        assert seen.get(timeout=PATIENCE_S) == (UID, CREDENTIAL, CREDENTIAL[::-1])
        with pytest.raises(queue.Empty):
            seen.get(timeout=0.6)
    finally:
        stop.set()
        thread.join(PATIENCE_S)
    assert driver.health().faults == 0


def test_nfcpys_own_reader_reads_and_writes_our_chip(port: int, chip: Ntag21x | Type4Chip) -> None:
    field = Field(port)
    field.present(chip)
    found = []

    def on_connect(tag: nfc.tag.Tag) -> bool:
        found.append(bytes(tag.ndef.octets))
        tag.ndef.octets = encode_credential_message(CREDENTIAL[::-1])
        found.append(None if tag.ndef.has_changed else bytes(tag.ndef.octets))
        return False

    try:
        with nfc.ContactlessFrontend(f"udp:127.0.0.1:{port}") as frontend:
            deadline = time.monotonic() + PATIENCE_S
            tag = frontend.connect(
                rdwr={"targets": ["106A"], "iterations": 1, "on-connect": on_connect},
                terminate=lambda: time.monotonic() > deadline,
            )
            assert tag.identifier == UID
            assert tag.is_present
    finally:
        field.remove()
    assert found == [MESSAGE, encode_credential_message(CREDENTIAL[::-1])]
