"""A band is made in one touch, and a touch that is torn anywhere is finished by the next one."""

import copy
from collections.abc import Iterator

import pytest

from readers.backoff import Backoff
from readers.clock import SystemEntropy
from readers.drivers.base import ContactLost
from readers.encoder import Encoded, Encoder
from readers.presentation import present
from readers.transport.base import Anchors, ChipPlan, EncodingJob, IssuedCredential, NotAccepted
from readers.trust import Trust
from simulators.chips.ntag424_memory import AppKey, Memory
from tests.support.chip_world import (
    ENTROPY,
    KEYS,
    HandContact,
    KnownKeys,
    a_band,
    a_chip_credential,
    a_plan,
)
from tests.support.edge_world import ISSUER, KEY_ID, UID, an_id
from wallet.chips.keys import FACTORY_KEY, KeySlot
from wallet.proof import Proof
from wallet.reasons import Reason

JOB = EncodingJob("job-1", an_id(1, 1), "encoder-1", "band")
READERS = (KeySlot.DOOR, KeySlot.GATE, KeySlot.TILL)
EXCHANGES_MAX = 200
# NT4H2421Gx, 10: ChangeKey, WriteData, ISOUpdateBinary, ChangeFileSettings, SetConfiguration.
CHANGING = {0xC4, 0x8D, 0xD6, 0x5F, 0x5C}


class Desk:
    """The gateway's part: one job for one guest's band, active once it is confirmed."""

    def __init__(self, plan: ChipPlan, credential: bytes | None = None, *, by_touch: bool = False) -> None:
        self.plan = plan
        self.credential = credential or a_chip_credential(1)
        self.by_touch = by_touch
        self.active = False
        self.failures: list[str] = []
        self.issued_for: list[tuple[str, str]] = []

    def jobs(self, wait_s: float) -> tuple[EncodingJob, ...]:
        return () if self.active or self.by_touch else (JOB,)

    def touch(self, encoder: str, chip_uid: str) -> EncodingJob:
        if not self.by_touch or chip_uid != UID.hex():
            raise NotAccepted("No band waits to be written here.")
        return JOB

    def issue(self, encoding_id: str, chip_uid: str, chip_kind: str, capacity_bytes: int) -> IssuedCredential:
        self.issued_for.append((chip_uid, chip_kind))
        return IssuedCredential(self.credential.hex(), an_id(1, 2), self.plan)

    def confirm(self, encoding_id: str, *, ok: bool, sentence: str, medium_id: str) -> None:
        self.active = self.active or ok
        if not ok:
            self.failures.append(sentence)


class Listening(HandContact):
    """An emulator that notes which commands came."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory)
        self.commands: set[int] = set()

    def exchange(self, apdu: bytes) -> bytes:
        self.commands.add(apdu[1])
        return super().exchange(apdu)


class Owed:
    """What an edge's store remembers for its encoder, in memory: hundreds of encoders are started here."""

    def __init__(self) -> None:
        self._owed: dict[str, str] = {}

    def owed_confirmations(self) -> dict[str, str]:
        return dict(self._owed)

    def owe_confirmation(self, encoding_id: str, medium_id: str) -> None:
        self._owed[encoding_id] = medium_id

    def settle_confirmation(self, encoding_id: str) -> None:
        self._owed.pop(encoding_id, None)


def encoder_at(desk: Desk, *reader_epochs: int) -> Encoder:
    trust = Trust(Anchors("edge-1", "hotel", {KEY_ID: ISSUER.public_key().public_bytes_raw().hex()}))
    keys = KnownKeys((), reader_epochs=reader_epochs)
    return Encoder(desk, trust, Owed(), keys, ENTROPY, Backoff(SystemEntropy(), max_s=0.1), wait_s=0)


def proofs(memory: Memory, *epochs: int) -> set[object]:
    """Return what doors, gates and tills that know these epochs make of the chip: a set of proofs and faults."""
    custody = KnownKeys(epochs=epochs)
    shown = [present(HandContact(memory), KEYS, custody, slot, ENTROPY) for slot in READERS]
    return {each.fault or each.proof for each in shown}


def torn_everywhere(memory: Memory, encoder_for: object, desk_for: object) -> Iterator[tuple[Memory, Desk]]:
    """Tear the first touch at every exchange, before the chip did it and after; yield what that left."""
    for exchanges in range(EXCHANGES_MAX):
        whole = False
        for answer_lost in (False, True):
            chip, desk = copy.deepcopy(memory), desk_for()  # type: ignore[operator]  # a factory
            told = encoder_for(desk).take("encoder-1", HandContact(chip, exchanges, answer_lost=answer_lost))  # type: ignore[operator]
            whole = whole or told.ok
            yield chip, desk
        if whole:
            return
    raise AssertionError("a touch never came to its end")


@pytest.mark.parametrize("random_uid", [False, True])
def test_a_blank_chip_becomes_a_band_in_one_touch(random_uid: bool) -> None:
    desk, chip = Desk(a_plan(random_uid=random_uid)), Memory(UID)
    assert encoder_at(desk, 1).take("encoder-1", HandContact(chip)) == Encoded(
        True, "The band is ready.", "job-1"
    )
    assert desk.active
    assert desk.issued_for == [(UID.hex(), "ntag424")]
    assert proofs(chip, 1) == {Proof.CHIP_KEY}
    assert [key.version for key in chip.keys] == [1] * 5
    assert FACTORY_KEY not in [key.value for key in chip.keys]
    assert chip.configuration.random_uid is random_uid


def test_torn_at_any_exchange_a_blank_chip_is_finished_by_the_next_touch() -> None:
    torn = 0
    for chip, desk in torn_everywhere(Memory(UID), lambda desk: encoder_at(desk, 1), lambda: Desk(a_plan())):
        if desk.active:
            assert proofs(chip, 1) == {Proof.CHIP_KEY}, "active before it proves itself"
        else:
            torn += 1
            assert not desk.failures
            assert encoder_at(desk, 1).take("encoder-1", HandContact(chip)).ok
        assert desk.active
        assert proofs(chip, 1) == {Proof.CHIP_KEY}
    assert torn > 60, "each exchange was torn twice"


def test_a_band_works_on_at_readers_of_both_epochs_however_its_new_keys_are_torn() -> None:
    old = a_band(random_uid=True)

    def desk() -> Desk:
        return Desk(a_plan(2, before=(1,), factory=False), by_touch=True)

    for chip, told in torn_everywhere(old, lambda desk: encoder_at(desk, 1, 2), desk):
        assert proofs(chip, 1, 2) == {Proof.CHIP_KEY}
        if not told.active:
            assert encoder_at(told, 1, 2).take("encoder-1", HandContact(chip)).ok
        assert proofs(chip, 2) == {Proof.CHIP_KEY}
        assert [key.version for key in chip.keys] == [2] * 5


def test_torn_twice_at_any_two_places_it_is_still_finished() -> None:
    for exchanges in range(0, 30, 3):
        for again in range(0, 30, 5):
            chip, desk = Memory(UID), Desk(a_plan())
            for gone_after in (exchanges, again):
                contact = HandContact(chip, gone_after, answer_lost=True)
                encoder_at(desk, 1).take("encoder-1", contact)
            assert encoder_at(desk, 1).take("encoder-1", HandContact(chip)).ok
            assert proofs(chip, 1) == {Proof.CHIP_KEY}


def test_a_fresh_credential_is_written_at_the_next_touch_and_the_keys_stay() -> None:
    chip = a_band(random_uid=True)
    fresh = a_chip_credential(1, epoch=2)
    desk = Desk(a_plan(1), fresh, by_touch=True)
    keys = copy.deepcopy(chip.keys)
    assert encoder_at(desk, 1).take("encoder-1", HandContact(chip)).ok
    shown = present(HandContact(chip), KEYS, KnownKeys(), KeySlot.GATE, ENTROPY)
    assert shown.credential is not None
    assert shown.credential.epoch == 2
    assert chip.keys == keys


def test_the_read_counter_of_a_band_never_goes_back_when_it_is_made_anew() -> None:
    chip = a_band()
    chip.files[2].read_counter = 77
    desk = Desk(a_plan(2, before=(1,)), by_touch=True)
    assert encoder_at(desk, 1, 2).take("encoder-1", HandContact(chip)).ok
    assert chip.files[2].read_counter > 77


@pytest.mark.parametrize("key_no", range(5))
def test_a_chip_with_a_strangers_key_is_refused_in_a_sentence(key_no: int) -> None:
    chip, desk = Memory(UID), Desk(a_plan())
    chip.keys[key_no] = AppKey(b"\x55" * 16, 7)
    told = encoder_at(desk, 1).take("encoder-1", HandContact(chip))
    assert told.sentence == "This chip's keys are not ours. Take another one."
    assert desk.failures == [told.sentence]
    assert not desk.active


@pytest.mark.parametrize("plan", [a_plan(factory=False), a_plan(2, before=(1,), factory=False)])
@pytest.mark.parametrize("pretended", [0, 1, 2])
def test_an_emulator_with_a_bands_number_and_factory_keys_is_given_no_key_of_the_band(
    plan: ChipPlan, pretended: int
) -> None:
    """What it is sent under keys that it knows, it can read: the key, and with it the band."""
    chip, desk = Memory(UID), Desk(plan, by_touch=True)
    for key_no in range(5):
        chip.keys[key_no] = AppKey(FACTORY_KEY, pretended)
    before, contact = copy.deepcopy(chip), Listening(chip)
    told = encoder_at(desk, 1, 2).take("encoder-1", contact)
    assert not told.ok
    assert contact.commands.isdisjoint(CHANGING)
    assert ("may be a copy" if pretended == 0 else "not ours") in told.sentence
    assert desk.failures == [told.sentence]
    assert not desk.active
    assert [(key.value, key.version) for key in chip.keys] == [(FACTORY_KEY, pretended)] * 5
    assert (chip.files, chip.configuration) == (before.files, before.configuration)


@pytest.mark.parametrize("key_no", range(1, 5))
def test_a_band_in_service_with_one_key_of_the_factorys_is_refused(key_no: int) -> None:
    chip, desk = a_band(), Desk(a_plan(2, before=(1,), factory=False), by_touch=True)
    chip.keys[key_no] = AppKey(FACTORY_KEY, 0)
    files = copy.deepcopy(chip.files)
    assert "may be a copy" in encoder_at(desk, 1, 2).take("encoder-1", HandContact(chip)).sentence
    assert chip.keys[key_no] == AppKey(FACTORY_KEY, 0)
    assert chip.files == files


def test_a_strangers_chip_that_hides_its_number_is_not_asked_about() -> None:
    chip, desk = Memory(UID), Desk(a_plan())
    chip.configuration.random_uid = True
    told = encoder_at(desk, 1).take("encoder-1", HandContact(chip))
    assert told.sentence == "This band hides its number and is not one of ours."
    assert desk.issued_for == []


def test_a_chip_that_keeps_another_key_than_it_was_given_is_not_confirmed() -> None:
    chip, desk = a_band(), Desk(a_plan(), by_touch=True)
    chip.keys[3] = AppKey(b"\x55" * 16, 1)
    told = encoder_at(desk, 1).take("encoder-1", HandContact(chip))
    assert "as a till asks it to (chip_not_proven)" in told.sentence
    assert not desk.active


def test_half_made_it_is_no_band_yet_at_a_reader() -> None:
    """Its keys are ours and its credential is missing: the guest is told to finish it, not that it was forged."""
    chip = a_band()
    chip.files[3].data[:] = bytes(128)
    assert proofs(chip, 1) == {Reason.MEDIUM_PENDING}
    chip.files[3].settings = Memory(UID).files[3].settings
    assert proofs(chip, 1) == {Reason.MEDIUM_PENDING}


def test_a_chip_that_leaves_says_so() -> None:
    with pytest.raises(ContactLost):
        HandContact(Memory(UID), 0).exchange(b"\x90\x60\x00\x00\x00")
