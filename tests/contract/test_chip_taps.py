"""A band with keys at a reader: over the emulated link, from selection to who it is."""

import socket

import pytest

from readers.drivers.base import ChipKind, Contact
from readers.presentation import present
from simulators.chips.ntag424 import Ntag424
from simulators.chips.ntag424_memory import Memory
from tests.contract.test_driver_contract import free_port
from tests.support.chip_world import ENTROPY, KEYS, HandContact, KnownKeys, a_band, a_plan, over_the_air
from tests.support.edge_world import UID, an_id
from tests.unit.test_chip_personalise import Desk, encoder_at
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


def test_a_band_of_the_epoch_before_is_taken_where_both_are_known() -> None:
    contact = HandContact(a_band(random_uid=True))
    assert at(KeySlot.GATE, KnownKeys(epochs=(1, 2)))(contact).proof is Proof.CHIP_KEY
    assert contact.exchanges == 9, "one authentication more: the newest reader key came first"


def test_a_blank_chip_is_made_over_the_air_and_one_that_was_pulled_away_is_finished() -> None:
    desk = Desk(a_plan())
    encoder, chip = encoder_at(desk, 1), Memory(UID)
    with over_the_air(
        free_port(socket.SOCK_DGRAM), lambda contact: encoder.take("encoder-1", contact)
    ) as reader:
        for frames in (9, 16, 24, 33, 45):
            assert not reader.tap(Ntag424(chip), tear_after_exchanges=frames).ok
            assert not desk.active
            reader.wait_until_empty()
        assert reader.tap(Ntag424(chip)).sentence == "The band is ready."
        reader.wait_until_empty()
        reader.act = at(KeySlot.TILL)
        assert reader.tap(Ntag424(chip)).proof is Proof.CHIP_KEY
