"""Settings, time, secrets: what production refuses, and that a simulation's secrets are its owner's alone."""

import base64
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import SimulationClock, SystemEntropy
from gateway.settings import Environment, SettingsFault, read_settings
from gateway.vault import Vault, VaultFault

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("PASSBAND_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PASSBAND_DIRECTORY", str(tmp_path))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "PASSBAND_MASTER_KEY"),
        ({"MASTER_KEY": KEY, "SIMULATION_CLOCK": "clock"}, "PASSBAND_SIMULATION_CLOCK"),
        ({"MASTER_KEY": KEY, "SIMULATION_CONTROL_URL": "http://x"}, "PASSBAND_SIMULATION_CONTROL_URL"),
        ({"MASTER_KEY": "not base64!"}, "not base64"),
        ({"MASTER_KEY": base64.b64encode(b"short").decode()}, "5 bytes, it needs 32"),
        ({"ENVIRONMENT": "staging"}, "PASSBAND_ENVIRONMENT"),
        ({"MASTER_KEY": KEY, "PORT": "eighty"}, "PASSBAND_PORT"),
    ],
)
def test_production_refuses_what_is_missing_or_meant_for_a_simulation(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], said: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"PASSBAND_{name}", value)

    with pytest.raises(SettingsFault, match=said) as refused:
        read_settings()
    assert "short" not in str(refused.value)
    assert KEY not in str(refused.value)


def test_production_takes_its_master_key_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PASSBAND_MASTER_KEY", KEY)
    settings = read_settings()

    assert settings.environment is Environment.PRODUCTION
    assert settings.master(SystemEntropy()) == bytes(range(32))
    assert settings.database == f"sqlite:///{tmp_path}/gateway.sqlite"
    assert KEY not in repr(settings)


def test_a_simulation_makes_its_key_once_and_for_its_owner_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PASSBAND_ENVIRONMENT", "simulation")
    settings = read_settings()
    made = settings.master(SystemEntropy())

    assert settings.master(SystemEntropy()) == made
    assert len(made) == 32
    assert stat.S_IMODE((tmp_path / "master.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["master.key"]


def test_simulated_time_goes_forward_only_and_survives_a_torn_file(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    clock = SimulationClock(file)

    def offset() -> float:
        return (clock.now() - datetime.now(UTC)).total_seconds()

    def write(text: str) -> None:
        part = tmp_path / "part"
        part.write_text(text)
        part.replace(file)

    assert offset() == pytest.approx(0, abs=1)
    before, elapsed_s = clock.monotonic(), clock.elapsed_s()
    write("86400.5")
    assert offset() == pytest.approx(86400.5, abs=1)
    assert clock.monotonic() - before >= 86400
    assert 0 <= clock.elapsed_s() - elapsed_s < 3600
    for torn in ("", "8", "nonsense", "nan", "inf", "-5", "1e15"):
        write(torn)
        assert offset() == pytest.approx(86400.5, abs=1), torn
    write("90000")
    assert offset() == pytest.approx(90000, abs=1)
    file.unlink()
    assert offset() == pytest.approx(90000, abs=1)
    assert clock.now() - datetime.now(UTC) > timedelta(hours=24)


@given(st.binary(max_size=64), st.text(max_size=8))
def test_what_is_sealed_opens_under_the_same_key_purpose_and_name_only(secret: bytes, name: str) -> None:
    vault, nonce = Vault(bytes(32)), bytes(12)
    sealed = vault.seal("issuer key", name, secret, nonce)

    assert vault.open("issuer key", name, sealed) == secret
    changed = bytearray.fromhex(sealed)
    changed[-1] ^= 1
    for other, purpose, called, text in (
        (Vault(b"\x01" * 32), "issuer key", name, sealed),
        (vault, "other", name, sealed),
        (vault, "issuer key", name + "x", sealed),
        (vault, "issuer key", name, changed.hex()),
    ):
        with pytest.raises(VaultFault):
            other.open(purpose, called, text)


def test_codes_are_told_again_and_read_the_way_people_type_them() -> None:
    vault = Vault(bytes(32))
    code = vault.code("sign-in", "command-1")

    assert vault.code("sign-in", "command-1") == code
    assert len({vault.code("sign-in", f"command-{n}") for n in range(500)}) == 500
    assert vault.code("enrol", "command-1") != code
    assert set(code) <= set("23456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert vault.code_hash("sign-in", f" {code[:4].lower()}-{code[4:]} ") == vault.code_hash("sign-in", code)
    assert vault.code_hash("enrol", code) != vault.code_hash("sign-in", code)
    assert Vault(b"\x01" * 32).code_hash("sign-in", code) != vault.code_hash("sign-in", code)
