"""What every custody of chips' keys promises, and what the sealed file does on top of it."""

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from readers.custody import EpochKey, KeyCustody, SealedCustody, keys_of_new_enrolment
from readers.sealing import Seal, SealBroken
from readers.store import Store
from readers.transport.base import Anchors
from tests.support.chip_world import key_of, master
from tests.support.edge_world import EDGE_KEY, NOON, UID, a_document, a_snapshot, an_id
from wallet.chips.keys import ChipKey, KeySlot

OTHER_UID = bytes.fromhex("04998877665544")
BOTH = Anchors(
    "edge-1",
    "park",
    {},
    reader_keys={1: master(KeySlot.READER, 1).hex(), 2: master(KeySlot.READER, 2).hex()},
    chip_masters={KeySlot.GATE: {1: master(KeySlot.GATE, 1).hex(), 2: master(KeySlot.GATE, 2).hex()}},
)
OF_ONE_CHIP = ChipKey(UID.hex(), KeySlot.TILL, 1, key_of(KeySlot.TILL).hex())


class SealedHouse:
    """A sealed custody on its files, which can be opened again."""

    def __init__(self, directory: Path, key: Ed25519PrivateKey = EDGE_KEY) -> None:
        self.directory, self.key = directory, key
        self.store: Store | None = None

    def open(self) -> SealedCustody:
        self.close()
        seal = Seal(self.key)
        self.store = Store(self.directory / "edge.sqlite", "edge-1", an_id(1, 99), NOON, seal)
        return SealedCustody(self.directory, seal, self.store)

    def close(self) -> None:
        if self.store is not None:
            self.store.close()
            self.store = None


HOUSES: dict[str, Callable[[Path], SealedHouse]] = {"sealed file": SealedHouse}


@pytest.fixture(params=HOUSES)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SealedHouse]:
    made = HOUSES[request.param](tmp_path)
    yield made
    made.close()


def known(custody: KeyCustody) -> tuple[object, ...]:
    asked = [(slot, uid) for slot in KeySlot for uid in (UID, OTHER_UID)]
    return custody.reader_keys(), *(custody.slot_keys(slot, uid) for slot, uid in asked)


def test_at_first_it_knows_nothing(house: SealedHouse) -> None:
    custody = house.open()
    assert known(custody) == known(custody)
    assert not any(known(custody))


def test_keys_come_with_the_newest_epoch_first_and_a_master_gives_each_chip_its_own(
    house: SealedHouse,
) -> None:
    custody = house.open()
    custody.learn(BOTH)
    assert custody.reader_keys() == (
        EpochKey(2, master(KeySlot.READER, 2)),
        EpochKey(1, master(KeySlot.READER, 1)),
    )
    for uid in (UID, OTHER_UID):
        assert custody.slot_keys(KeySlot.GATE, uid) == (
            EpochKey(2, key_of(KeySlot.GATE, 2, uid)),
            EpochKey(1, key_of(KeySlot.GATE, 1, uid)),
        )
    assert custody.slot_keys(KeySlot.DOOR, UID) == (), "of another kind it was told nothing"


def test_a_key_of_one_chip_is_known_for_that_chip_and_slot_alone(house: SealedHouse) -> None:
    custody = house.open()
    custody.learn_keys([OF_ONE_CHIP])
    assert custody.slot_keys(KeySlot.TILL, UID) == (EpochKey(1, key_of(KeySlot.TILL)),)
    assert custody.slot_keys(KeySlot.TILL, OTHER_UID) == ()
    assert custody.slot_keys(KeySlot.DOOR, UID) == ()


def test_what_is_learnt_of_masters_replaces_and_what_is_learnt_of_chips_adds(house: SealedHouse) -> None:
    custody = house.open()
    custody.learn(BOTH)
    custody.learn_keys([OF_ONE_CHIP])
    custody.learn_keys([ChipKey(UID.hex(), KeySlot.TILL, 2, key_of(KeySlot.TILL, 2).hex())])
    custody.learn(Anchors("edge-1", "park", {}, reader_keys={2: BOTH.reader_keys[2]}))
    assert [each.epoch for each in custody.reader_keys()] == [2]
    assert custody.slot_keys(KeySlot.GATE, UID) == ()
    assert [each.epoch for each in custody.slot_keys(KeySlot.TILL, UID)] == [2, 1]


def test_it_knows_the_same_when_it_is_opened_again(house: SealedHouse) -> None:
    custody = house.open()
    custody.learn(BOTH)
    custody.learn_keys([OF_ONE_CHIP])
    before = known(custody)
    assert known(house.open()) == before


def test_what_is_forgotten_does_not_come_back(house: SealedHouse) -> None:
    custody = house.open()
    custody.learn(BOTH)
    custody.learn_keys([OF_ONE_CHIP])
    custody.forget()
    assert not any(known(custody))
    assert not any(known(house.open()))


@pytest.mark.parametrize("spoilt", ["zz" * 16, "00" * 15])
def test_what_is_no_key_is_refused_and_what_was_known_stays(house: SealedHouse, spoilt: str) -> None:
    custody = house.open()
    custody.learn(BOTH)
    before = known(custody)
    with pytest.raises(ValueError):
        custody.learn(Anchors("edge-1", "park", {}, reader_keys={3: spoilt}))
    with pytest.raises(ValueError):
        custody.learn_keys([OF_ONE_CHIP, ChipKey(UID.hex(), KeySlot.TILL, 2, spoilt)])
    assert known(custody) == before
    assert known(house.open()) == before


# --- the sealed file


def test_no_key_lies_open_on_the_disk_and_no_one_else_may_read_the_file(tmp_path: Path) -> None:
    house = SealedHouse(tmp_path)
    custody = house.open()
    custody.learn(BOTH)
    custody.learn_keys([OF_ONE_CHIP])
    house.close()
    secrets = [*BOTH.reader_keys.values(), *BOTH.chip_masters[KeySlot.GATE].values(), OF_ONE_CHIP.key]
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert len(files) >= 2
    for secret in secrets:
        for content in files:
            assert bytes.fromhex(secret) not in content
            assert secret.encode() not in content
    assert stat.S_IMODE((tmp_path / "chip-keys.sealed").stat().st_mode) == 0o600


def test_another_edge_can_do_nothing_with_the_files_and_says_so(tmp_path: Path) -> None:
    house = SealedHouse(tmp_path)
    custody = house.open()
    custody.learn(BOTH)
    custody.learn_keys([OF_ONE_CHIP])
    house.close()
    other = SealedHouse(tmp_path, Ed25519PrivateKey.from_private_bytes(b"o" * 32))
    thief = other.open()
    assert not any(known(thief))
    assert "enrol the edge anew" in thief.alarm
    other.close()


def test_a_sealed_key_put_in_another_chips_place_opens_nothing() -> None:
    seal = Seal(EDGE_KEY)
    sealed = seal.close(b"k" * 16, b"chip one")
    assert seal.open(sealed, b"chip one") == b"k" * 16
    for place, changed in ((b"chip two", sealed), (b"chip one", sealed[:-1] + b"\x00"), (b"chip one", b"")):
        with pytest.raises(SealBroken):
            seal.open(changed, place)


def test_an_enrolment_keeps_nothing_of_the_one_before_and_asks_for_a_whole_snapshot(tmp_path: Path) -> None:
    house = SealedHouse(tmp_path)
    custody = house.open()
    custody.learn(BOTH)
    custody.learn_keys([OF_ONE_CHIP])
    assert house.store is not None
    house.store.put_page(a_snapshot(a_document(1)), first=True)
    house.close()
    keys_of_new_enrolment(
        tmp_path, EDGE_KEY, Anchors("edge-1", "park", {}, reader_keys={2: BOTH.reader_keys[2]})
    )
    custody = house.open()
    assert [each.epoch for each in custody.reader_keys()] == [2]
    assert custody.slot_keys(KeySlot.TILL, UID) == custody.slot_keys(KeySlot.GATE, UID) == ()
    assert house.store.known().as_of is None
    house.close()
