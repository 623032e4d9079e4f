"""Whose key is which."""

import pytest

from wallet.chips.an10922 import diversify_aes128
from wallet.chips.keys import KEY_NO, KeySlot, chip_key, slot_of
from wallet.resort import TouchpointKind

MASTER = bytes(range(16))
UID = bytes.fromhex("04de5f1eacc040")


def test_no_two_slots_and_no_two_chips_share_a_key_but_the_reader_s() -> None:
    own = [slot for slot in KeySlot if slot is not KeySlot.READER]
    keys = {chip_key(MASTER, slot, uid) for slot in own for uid in (UID, bytes.fromhex("04de5f1eacc041"))}
    assert len(keys) == 2 * len(own)
    assert chip_key(MASTER, KeySlot.READER, UID) == MASTER


def test_a_chip_s_key_is_an10922_over_uid_key_number_and_system() -> None:
    assert chip_key(MASTER, KeySlot.GATE, UID) == diversify_aes128(MASTER, UID + b"\x02PASSBAND")


@pytest.mark.parametrize("kind", TouchpointKind)
def test_every_kind_of_touchpoint_has_one_slot_and_none_but_encoders_the_master_key(
    kind: TouchpointKind,
) -> None:
    slot = slot_of(kind)
    assert (KEY_NO[slot] == 0) is (kind is TouchpointKind.ENCODER)
    assert slot is not KeySlot.READER
