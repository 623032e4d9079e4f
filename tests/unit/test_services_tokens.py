"""PIN, limits and media of a token, and the credential a band or phone gets."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.db import rows as r
from gateway.errors import Rejection
from gateway.services.media import PHONES_MAX, AddPhone, RevokeMedium
from gateway.services.passes import fitted, phone_claims, phone_of
from gateway.services.tokens import SetLimits, SetPin
from tests.support.guests_world import World
from tests.support.resort_world import RESORT
from tests.support.till import Edge, charged, new_tap, phone
from wallet.credential import Credential, open_credential
from wallet.entitlement import Spending
from wallet.grants import grants_for


def test_a_new_pin_forgets_the_wrong_tries(world: World) -> None:
    party = world.book()
    world.do("token.set_pin", SetPin(party.tokens[1], "scrypt1$a$b"))
    (token,) = world.rows(r.TokenRow, id=party.tokens[1])
    (document,) = world.rows(r.TokenDocumentRow, token_id=party.tokens[1])
    assert (token.pin_verifier, token.pin_tries) == ("scrypt1$a$b", 0)
    assert (document.body.pin_verifier, document.version) == ("scrypt1$a$b", 2)


@pytest.mark.parametrize("limit", [-1, 30_001])
def test_a_limit_stays_within_what_the_resort_allows(world: World, limit: int) -> None:
    party = world.checked_in()
    with pytest.raises(Rejection) as refused:
        world.do("token.set_limits", SetLimits(party.tokens[0], limit))
    assert refused.value.code == "limit_out_of_range"


def test_a_new_limit_judges_no_older_tap(world: World) -> None:
    party, edge = world.checked_in(), Edge(world, "shops", "shops")
    token = party.tokens[1]
    (old,) = party.rights("spending", 1)
    world.clock.at += timedelta(minutes=10)
    late = new_tap(world, token, 2_000, medium_id=phone(world, token))
    world.clock.at += timedelta(minutes=10)
    world.do("token.set_limits", SetLimits(token, 1_000))
    new = next(row for row in party.rights("spending", 1) if row.revoked_at is None)
    assert isinstance(new.body, Spending)
    assert (new.body.daily_limit_minor, new.body.account_id) == (1_000, party.row.folio_account_id)
    world.clock.at += timedelta(minutes=10)
    edge.bring_home((late, charged(world, late, old.id)))
    assert world.rows(r.ConflictRow) == []
    assert party.folio == 149_001 + 2_000


def test_limits_come_with_check_in(world: World) -> None:
    party = world.book()
    with pytest.raises(Rejection) as refused:
        world.do("token.set_limits", SetLimits(party.tokens[0], 100))
    assert refused.value.code == "no_spending"


def test_a_medium_is_revoked_alone_and_for_ever(world: World) -> None:
    party = world.book()
    first, second = phone(world, party.tokens[0]), phone(world, party.tokens[0])
    revoked_at = world.clock.at
    answer = world.do("medium.revoke", RevokeMedium(first, "lost"))
    world.clock.at += timedelta(hours=1)
    assert world.do("medium.revoke", RevokeMedium(first))["revoked_at"] == answer["revoked_at"]
    states = {row.id: (row.state.value, row.revoked_at) for row in world.rows(r.MediumRow)}
    assert states == {first: ("revoked", revoked_at), second: ("active", None)}
    assert world.events(party.id).count("medium.revoked") == 1


def test_phones_have_a_number(world: World) -> None:
    party = world.book()
    for _ in range(PHONES_MAX):
        phone(world, party.tokens[0])
    with pytest.raises(Rejection) as refused:
        world.do("medium.add_phone", AddPhone(party.tokens[0]))
    assert refused.value.code == "phones_max"


def test_a_phone_shows_a_signed_pass_for_moments_only(world: World) -> None:
    party = world.checked_in()
    medium_id, issuer = phone(world, party.tokens[1]), world.gateway.issuer
    medium = phone_of(world.rows(r.MediumRow, token_id=party.tokens[1]))
    rights = tuple(row.body for kind in ("admission", "room") for row in party.rights(kind, 1))
    party_row, key = world.rows(r.PartyRow)[0], issuer.current()
    claims = phone_claims(medium, party_row, rights, (), key, world.clock.at, RESORT)
    keys = {
        name: Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        for name, key in issuer.public_keys().items()
    }
    opened = open_credential(fitted(claims, issuer.sign), keys, "")
    assert medium.id == medium_id
    assert opened.token_id == party.tokens[1]
    assert opened.expires_at - opened.issued_at == timedelta(seconds=30)
    assert len(opened.grants) == 2


def test_grants_are_dropped_from_the_end_until_they_fit(world: World) -> None:
    party, issuer = world.checked_in(), world.gateway.issuer
    rights = tuple(row.body for kind in ("admission", "room") for row in party.rights(kind, 1))
    key, at = issuer.current(), world.clock.at
    claims = Credential(
        party.tokens[1],
        b"12345678",
        "04a1b2c3d4e5f6",
        at,
        at + timedelta(days=1),
        key.epoch,
        key.key_id,
        grants_for(rights, at, RESORT),
    )
    whole = len(issuer.sign(claims))
    assert len(fitted(claims, issuer.sign, whole)) == whole
    assert len(fitted(claims, issuer.sign, whole - 1)) < whole - 1
    with pytest.raises(Rejection) as refused:
        fitted(claims, issuer.sign, 60)
    assert refused.value.code == "chip_too_small"


def test_without_a_phone_there_is_no_pass(world: World) -> None:
    party = world.book()
    medium = phone(world, party.tokens[0])
    world.do("medium.revoke", RevokeMedium(medium))
    with pytest.raises(Rejection) as refused:
        phone_of(world.rows(r.MediumRow))
    assert refused.value.code == "no_phone"
