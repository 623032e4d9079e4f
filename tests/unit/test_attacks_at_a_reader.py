"""Attacks with a chip, a code or a stolen key at a reader: each is refused with its own reason.

What can't be refused is here too, with what it leaves behind instead.
"""

import copy
from datetime import timedelta
from itertools import product
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from readers.drivers.scanner import QrContact
from readers.outputs import Light
from readers.presentation import present
from readers.transport.base import Anchors
from simulators.chips.ntag424_memory import AppKey, Memory
from tests.support.chip_world import (
    ENTROPY,
    KEYS,
    HandContact,
    KnownKeys,
    a_band,
    a_chip_credential,
    file_3_of,
    key_of,
    master,
)
from tests.support.edge_world import (
    EDGE_KEY,
    ISSUER,
    KEY_ID,
    NOON,
    RESORT,
    UID,
    FakeContact,
    Rig,
    a_credential,
    a_document,
    a_snapshot,
    an_id,
)
from wallet import phone, qr
from wallet.chips import sun
from wallet.chips.keys import KEY_NO, KeySlot
from wallet.chips.ndef import encode_credential_message
from wallet.credential import Credential, medium_tag, sign
from wallet.journal import EntryKind
from wallet.medium import Medium, MediumKind, MediumState
from wallet.phone import PhoneCode
from wallet.proof import Proof
from wallet.reasons import Reason
from wallet.resort import Policies
from wallet.tap import Approved, Flag

OTHER_UID = bytes.fromhex("04998877665544")
PHONE_KEY = derive_private_key(4711, SECP256R1())
READERS = {"door-101": KeySlot.DOOR, "gate-1": KeySlot.GATE, "till-1": KeySlot.TILL}
ANCHORS = Anchors(
    "edge-1",
    "park",
    {KEY_ID: ISSUER.public_key().public_bytes_raw().hex()},
    reader_keys={1: master(KeySlot.READER).hex()},
    chip_masters={slot: {1: master(slot).hex()} for slot in READERS.values()},
)


class CopiedContact(FakeContact):
    """A magic card: any UID, any NDEF message; it knows no commands but those of plain reading."""

    def __init__(self, message: bytes | None, uid: bytes = UID, is_random_uid: bool = False) -> None:
        super().__init__(None, uid, is_random_uid=is_random_uid)
        self.message = message

    def read_message(self) -> bytes | None:
        return self.message


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.rig.close()


@pytest.fixture
def rig(house):
    return house.open()


class House:
    """An edge that can be started again on its files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def open(self, **policies: object) -> Rig:
        self.rig = Rig(self.directory)
        self.rig.custody.learn(ANCHORS)
        phone_medium = Medium(an_id(1, 4), MediumKind.PHONE, MediumState.ACTIVE)
        document = a_document(1)
        document = msgspec.structs.replace(document, media=(*document.media, phone_medium))
        snapshot = a_snapshot(document, a_document(2, media=()))
        resort = msgspec.structs.replace(RESORT, policies=Policies(**policies))
        self.rig.store.put_page(msgspec.structs.replace(snapshot, resort=resort), first=True)
        return self.rig

    def start_again(self) -> Rig:
        self.rig.close()
        minted, at = self.rig.entropy._next, self.rig.clock.at
        self.rig = Rig(self.directory)
        self.rig.entropy._next, self.rig.clock.at = minted, at
        return self.rig


def refused(rig, touchpoint, contact):
    sight = rig.tap(touchpoint, contact)
    assert sight.lamp.light is Light.BLUE
    return Reason(sight.lamp.reason)


def last(rig):
    return [entry for entry in rig.entries() if entry.kind is EntryKind.TAP][-1]


def sun_of(memory: Memory) -> bytes:
    """Return what a stranger's phone reads from a band: its message, with the address that the chip just made."""
    message = HandContact(memory).read_message()
    assert message is not None
    return message


@pytest.mark.parametrize("touchpoint", READERS)
def test_a_band_of_ours_opens_what_it_should(rig, touchpoint):
    rig.tap(touchpoint, HandContact(a_band(random_uid=True)))
    assert last(rig).tap.presented.proof is Proof.CHIP_KEY
    assert last(rig).token_id == an_id(1, 1)
    if touchpoint != "till-1":
        assert isinstance(last(rig).decision, Approved)


# --- copies


@pytest.mark.parametrize("touchpoint", READERS)
def test_a_copied_uid_and_ndef_message_on_a_magic_card_prove_nothing(rig, touchpoint):
    copied = CopiedContact(sun_of(a_band()))
    assert refused(rig, touchpoint, copied) is Reason.CHIP_NOT_PROVEN


def test_a_credential_read_from_a_band_and_put_on_a_magic_card_proves_nothing(rig):
    """Whoever has the reader key can read the credential; it says itself that its chip must prove a key."""
    copied = CopiedContact(encode_credential_message(a_chip_credential(1)))
    assert refused(rig, "gate-1", copied) is Reason.CHIP_NOT_PROVEN


def test_the_credential_of_one_band_in_another_is_refused(rig):
    other = a_band(uid=OTHER_UID)
    other.files[3].data[:] = a_band().files[3].data
    assert refused(rig, "gate-1", HandContact(other)) is Reason.CREDENTIAL_FORGED


def test_the_credential_of_one_plain_chip_on_another_is_refused(rig):
    assert refused(rig, "gate-1", FakeContact(a_credential(1), OTHER_UID)) is Reason.CREDENTIAL_OTHER_CHIP


def test_a_random_uid_is_nobodys_identity(rig):
    uid = b"\x08\xa1\xb2\xc3"
    signed_for_it = CopiedContact(encode_credential_message(a_credential(1, uid=uid)), uid, True)
    assert refused(rig, "gate-1", signed_for_it) is Reason.RANDOM_IDENTITY
    assert refused(rig, "gate-1", CopiedContact(None, uid, True)) is Reason.RANDOM_IDENTITY
    stranger = Memory(OTHER_UID)
    stranger.configuration.random_uid = True
    assert refused(rig, "gate-1", HandContact(stranger)) is Reason.RANDOM_IDENTITY


def test_a_clone_of_a_chip_without_keys_is_let_through_and_flagged(rig):
    """It can't be told from the band itself; that the guest can't be in two places is what shows it."""
    assert rig.tap("lane-in", FakeContact(a_credential(1))).lamp.light is Light.GREEN
    assert rig.tap("gate-1", FakeContact(a_credential(1))).lamp.light is Light.GREEN
    assert Flag.IMPOSSIBLE_TRAVEL in last(rig).decision.flags


# --- bits


def test_no_bit_of_a_credential_in_a_band_can_be_flipped():
    memory, content = a_band(), file_3_of(a_chip_credential(1))
    reasons = set()
    for bit in range((1 + content[0]) * 8):
        memory.files[3].data[:] = flipped(content, bit)
        shown = present(HandContact(memory), KEYS, KnownKeys(), KeySlot.GATE, ENTROPY)
        assert shown.credential is None, f"bit {bit}"
        reasons.add(shown.fault)
    assert reasons <= {
        Reason.CREDENTIAL_FORGED,
        Reason.CREDENTIAL_MALFORMED,
        Reason.CREDENTIAL_FOREIGN_KEY,
    }


def test_no_bit_of_a_credential_on_a_plain_chip_can_be_flipped():
    data = a_credential(1)
    for bit in range(len(data) * 8):
        contact = FakeContact(flipped(data, bit))
        shown = present(contact, KEYS, KnownKeys(), KeySlot.GATE, ENTROPY)
        assert shown.credential is None, f"bit {bit}"


def test_no_bit_of_a_sun_message_can_be_flipped():
    message = sun.parse_record(sun_of(a_band()))
    address = "https://resort.example/t?e={}&m={}"
    for bit in range(24 * 8):
        changed = flipped(message.picc + message.mac, bit)
        url = address.format(changed[:16].hex(), changed[16:].hex())
        record = b"\xd1\x01" + bytes([len(url) - 7]) + b"U\x04" + url.removeprefix("https://").encode()
        assert sun.parse_record(record) is not None
        shown = present(CopiedContact(record), KEYS, KnownKeys(), KeySlot.GATE, ENTROPY)
        # The last five bytes of the PICC data are padding of the chip's: AES spreads their flips over all of it.
        assert shown.fault is Reason.CHIP_NOT_PROVEN, f"bit {bit}"


class InBetween(HandContact):
    """Flips one bit of one answer on its way."""

    def __init__(self, memory: Memory, answer: int, bit: int) -> None:
        super().__init__(memory)
        self._answer, self._bit = answer, bit

    def exchange(self, apdu: bytes) -> bytes:
        number, answer = self.exchanges, super().exchange(apdu)
        return flipped(answer, self._bit % (len(answer) * 8)) if number == self._answer else answer


def test_no_bit_of_what_a_band_answers_can_be_flipped_on_its_way():
    memory = a_band(random_uid=True)
    for answer, bit in product(range(1, 7), range(0, 160 * 8, 7)):
        contact = InBetween(memory, answer, bit)
        shown = present(contact, KEYS, KnownKeys(), KeySlot.TILL, ENTROPY)
        assert shown.credential is None, f"bit {bit} of answer {answer}"
        assert shown.fault is not None


class Hostile(HandContact):
    """A chip that follows the protocol for a while and then answers what it likes."""

    def __init__(self, honest: int, answers: list[bytes]) -> None:
        super().__init__(a_band(random_uid=True))
        self._honest, self._answers = honest, answers

    def exchange(self, apdu: bytes) -> bytes:
        answer = super().exchange(apdu)
        number = self.exchanges - 1 - self._honest
        return self._answers[number % len(self._answers)] if number >= 0 else answer


@settings(max_examples=300, deadline=None)
@given(
    honest=st.integers(0, 6),
    answers=st.lists(
        st.builds(
            lambda body, status: body + status,
            st.binary(max_size=80) | st.sampled_from([bytes(16), bytes(32), b"\x01", bytes(144 + 8)]),
            st.sampled_from([b"\x90\x00", b"\x91\x00", b"\x91\xaf", b"\x91\xae", b"\x6e\x00"])
            | st.binary(min_size=2, max_size=2),
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_whatever_a_chip_answers_the_reader_lives_and_nobody_is_let_in(honest, answers):
    shown = present(Hostile(honest, answers), KEYS, KnownKeys(epochs=(1, 2)), KeySlot.GATE, ENTROPY)
    assert shown.credential is None
    assert shown.sun is None
    assert shown.fault is not None


# --- stolen keys


@pytest.mark.parametrize(
    ("key_id", "reason"),
    [(KEY_ID, Reason.CREDENTIAL_FORGED), ("0d0e0f00", Reason.CREDENTIAL_FOREIGN_KEY)],
)
def test_a_credential_signed_by_a_stolen_edges_key_is_refused(rig, key_id, reason):
    forged = forged_credential(EDGE_KEY, key_id)
    assert refused(rig, "gate-1", HandContact(a_band(forged))) is reason
    plain = msgspec.structs.replace(CLAIMS, chip_keys=False, key_id=key_id)
    assert refused(rig, "gate-1", FakeContact(sign(plain, EDGE_KEY))) is reason


@pytest.mark.parametrize("touchpoint", ["door-101", "till-1"])
def test_what_a_stolen_gate_knows_opens_no_door_and_pays_nowhere(rig, touchpoint):
    assert refused(rig, touchpoint, HandContact(imitated(KeySlot.GATE))) is Reason.CHIP_NOT_PROVEN


def test_what_a_stolen_gate_knows_does_imitate_a_band_at_gates(rig):
    """Said openly: within its own kind a stolen master imitates; a new epoch of keys ends that."""
    assert rig.tap("gate-1", HandContact(imitated(KeySlot.GATE))).lamp.light is Light.GREEN


def test_the_reader_key_alone_proves_nothing_anywhere(rig):
    for touchpoint in READERS:
        assert refused(rig, touchpoint, HandContact(imitated(KeySlot.READER))) is Reason.CHIP_NOT_PROVEN


def test_a_band_of_an_epoch_that_this_edge_was_not_told_is_no_forgery(rig):
    assert refused(rig, "gate-1", HandContact(a_band(epoch=2))) is Reason.CHIP_KEY_UNKNOWN
    half = a_band()
    half.keys[KEY_NO[KeySlot.GATE]] = AppKey(key_of(KeySlot.GATE, 2), 2)
    assert refused(rig, "gate-1", HandContact(half)) is Reason.CHIP_KEY_UNKNOWN
    assert rig.tapping.faults("gate-1-nfc", Reason.CHIP_KEY_UNKNOWN) == 2


# --- SUN


def test_a_sun_address_is_good_once_where_the_resort_allows_it_and_its_journal_names_the_guest(house):
    rig = house.open(sun_fallback=True)
    harvested = sun_of(a_band())
    assert rig.tap("gate-1", CopiedContact(harvested)).lamp.light is Light.GREEN
    assert last(rig).token_id == an_id(1, 1)
    assert last(rig).tap.presented.sun.chip_uid == UID.hex()
    assert Flag.BY_SUN in last(rig).decision.flags
    assert refused(rig, "gate-1", CopiedContact(harvested)) is Reason.SUN_REPLAYED


def test_a_sun_address_older_than_one_that_was_seen_is_refused(house):
    rig, band = house.open(sun_fallback=True), a_band()
    older, newer = sun_of(band), sun_of(band)
    rig.tap("gate-1", CopiedContact(newer))
    assert refused(rig, "gate-2", CopiedContact(older)) is Reason.SUN_REPLAYED


def test_an_edge_that_was_started_again_still_knows_the_counters(house):
    rig, band = house.open(sun_fallback=True), a_band()
    older, newer = sun_of(band), sun_of(band)
    rig.tap("gate-1", CopiedContact(newer))
    rig = house.start_again()
    for harvested in (older, newer):
        assert refused(rig, "gate-1", CopiedContact(harvested)) is Reason.SUN_REPLAYED


@pytest.mark.parametrize("touchpoint", ["door-101", "till-1"])
def test_no_door_and_no_till_takes_a_sun_address_whatever_the_policy(house, touchpoint):
    rig = house.open(sun_fallback=True)
    assert refused(rig, touchpoint, CopiedContact(sun_of(a_band()))) is Reason.CHIP_NOT_PROVEN


# --- codes of a phone


def test_a_live_code_is_let_in(rig):
    assert rig.tap("gate-1", shown_by_phone(NOON)).lamp.light is Light.GREEN
    assert last(rig).tap.presented.proof is Proof.DEVICE_KEY


def test_a_screenshot_of_a_code_is_worth_nothing_after_a_minute(rig):
    rig.clock.pass_s(60)
    assert refused(rig, "gate-1", shown_by_phone(NOON)) is Reason.CODE_STALE


def test_a_code_shown_again_within_its_seconds_is_refused_at_the_same_edge(rig, house):
    rig.tap("gate-1", shown_by_phone(NOON))
    rig.clock.pass_s(5)
    assert refused(rig, "gate-2", shown_by_phone(NOON)) is Reason.CODE_REPLAYED
    again = house.start_again()
    assert refused(again, "gate-1", shown_by_phone(NOON)) is Reason.CODE_REPLAYED, "whatever was restarted"


def test_a_code_that_another_phone_signed_is_refused(rig):
    assert refused(rig, "gate-1", shown_by_phone(NOON, derive_private_key(4712, SECP256R1()))) is (
        Reason.CREDENTIAL_FORGED
    )


def test_the_credential_of_a_phone_without_its_signature_is_no_code(rig):
    assert refused(rig, "gate-1", QrContact(qr.encode(PHONE_CREDENTIAL).encode())) is Reason.CODE_STALE


def test_a_pass_without_a_phones_key_is_not_made_good_by_any_phone(rig):
    unbound = sign(msgspec.structs.replace(PHONE_CLAIMS, device_key=b""), ISSUER)
    assert refused(rig, "gate-1", shown_by_phone(NOON, credential=unbound)) is Reason.CREDENTIAL_FORGED


def test_codes_are_forgotten_once_they_could_not_be_shown_again(rig):
    rig.tap("gate-1", shown_by_phone(NOON))
    rig.clock.pass_s(3600)
    rig.tap("gate-1", shown_by_phone(NOON + timedelta(hours=1)))
    with rig.store._database.reading() as db:
        assert db.execute("SELECT count(*) FROM code_shown").fetchone()[0] == 1


CLAIMS = Credential(
    an_id(1, 1), medium_tag(an_id(1, 2)), UID.hex(), NOON, NOON + timedelta(days=9), 1, KEY_ID, chip_keys=True
)
PHONE_CLAIMS = msgspec.structs.replace(
    CLAIMS,
    medium_tag=medium_tag(an_id(1, 4)),
    chip_uid="",
    chip_keys=False,
    device_key=PHONE_KEY.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint),
)
PHONE_CREDENTIAL = sign(PHONE_CLAIMS, ISSUER)


def shown_by_phone(at, key=PHONE_KEY, credential=PHONE_CREDENTIAL) -> QrContact:
    r, s = decode_dss_signature(key.sign(phone.to_be_signed(credential, at), ECDSA(SHA256())))
    code = PhoneCode(credential, at, r.to_bytes(32) + s.to_bytes(32))
    return QrContact(qr.encode(phone.encode(code)).encode())


def forged_credential(key: Ed25519PrivateKey, key_id: str) -> bytes:
    return sign(msgspec.structs.replace(CLAIMS, key_id=key_id), key)


def imitated(*slots: KeySlot) -> Memory:
    """Return a chip made with the keys that a stolen edge gives away: the reader key, and its own kind's."""
    memory = copy.deepcopy(a_band())
    for slot in set(KeySlot) - {KeySlot.READER, *slots}:
        memory.keys[KEY_NO[slot]] = AppKey(b"\x66" * 16, 1)
    return memory


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
