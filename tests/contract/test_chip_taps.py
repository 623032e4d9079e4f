"""A band with keys at a reader: over the emulated link, from selection to who it is."""

import socket

import pytest

from readers.drivers.base import ChipKind, Contact
from readers.presentation import present
from simulators.chips.ntag424 import Ntag424
from tests.contract.test_driver_contract import free_port
from tests.support.chip_world import ENTROPY, KEYS, HandContact, KnownKeys, a_band, over_the_air
from tests.support.edge_world import an_id
from wallet.chips.keys import KeySlot
from wallet.proof import Proof
from wallet.tap import Presented


def at(slot: KeySlot, custody: KnownKeys | None = None):
    return lambda contact: present(contact, KEYS, custody or KnownKeys(), slot, ENTROPY)


@pytest.mark.parametrize("random_uid", [False, True])
def test_a_band_proves_itself_over_the_air(random_uid: bool) -> None:
    with over_the_air(free_port(socket.SOCK_DGRAM), at(KeySlot.DOOR)) as reader:
        presented = reader.tap(Ntag424(a_band(random_uid=random_uid)))
        assert isinstance(presented, Presented)
        assert presented.fault is None
        assert presented.proof is Proof.CHIP_KEY
        assert presented.credential is not None
        assert presented.credential.token_id == an_id(1, 1)


@pytest.mark.parametrize(("random_uid", "exchanges"), [(False, 6), (True, 7)])
def test_a_tap_takes_no_more_exchanges_than_it_must(random_uid: bool, exchanges: int) -> None:
    contact = HandContact(a_band(random_uid=random_uid))
    assert at(KeySlot.TILL)(contact).proof is Proof.CHIP_KEY
    assert contact.exchanges == exchanges


def test_the_driver_asks_the_chip_what_it_is_and_can_talk_to_it_after() -> None:
    def ask(contact: Contact) -> object:
        return contact.chip_kind, at(KeySlot.GATE)(contact).proof

    with over_the_air(free_port(socket.SOCK_DGRAM), ask) as reader:
        assert reader.tap(Ntag424(a_band())) == (ChipKind.NTAG424, Proof.CHIP_KEY)
