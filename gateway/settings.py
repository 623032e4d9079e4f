"""The gateway's settings, read from PASSBAND_* in the environment: the one place that looks at it."""

import base64
import binascii
import os
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.clock import Clock, Entropy, SimulationClock, SystemClock

MASTER_KEY_BYTES = 32
_SUN_PATH = "/tap"


class Environment(StrEnum):
    """What the gateway runs for; production, the default, refuses what only a simulation may do."""

    PRODUCTION = "production"
    SIMULATION = "simulation"


class SettingsFault(Exception):
    """The settings cannot be used; one sentence says what to do."""


class Storage(BaseSettings):
    """Where the gateway keeps its things: all that a program needs who only reads its database."""

    model_config = SettingsConfigDict(env_prefix="PASSBAND_", frozen=True)

    directory: Path = Path(".passband")
    database_url: str = ""

    @property
    def database(self) -> str:
        """The database's URL; by default a SQLite file in the directory."""
        return self.database_url or f"sqlite:///{self.directory.absolute() / 'gateway.sqlite'}"


class Settings(Storage):
    """What an operator may set. Each field is PASSBAND_ and its name in capitals."""

    host: str = "127.0.0.1"
    port: int = Field(default=8701, ge=0, le=65535)
    public_url: str = ""
    environment: Environment = Environment.PRODUCTION
    simulation_clock: Path | None = None
    simulation_control_url: str = ""
    master_key: SecretStr | None = None
    queue_max: int = Field(default=2000, ge=1)
    batch_max: int = Field(default=100, ge=1, le=1000)
    pool_size: int = Field(default=10, ge=1, le=200)
    body_bytes_max: int = Field(default=1 << 20, ge=1024)
    photo_bytes_max: int = Field(default=25 << 20, ge=1024)
    journal_bytes_max: int = Field(default=8 << 20, ge=1024)
    sign_in_failures: str = "10/15 minutes"
    sign_in_failures_per_address: str = "300/15 minutes"
    bookings_per_address: str = "30/minute"
    band_readings_per_address: str = "60/minute"
    guest_session_days: int = Field(default=30, ge=1)
    staff_session_hours: int = Field(default=12, ge=1)

    @field_validator(
        "sign_in_failures",
        "sign_in_failures_per_address",
        "bookings_per_address",
        "band_readings_per_address",
    )
    @classmethod
    def _a_rate(cls, value: str) -> str:
        from limits import (
            parse,
        )  # only where a rate is set: what reads settings and serves nothing needs it not

        try:
            parse(value)
        except ValueError:
            raise ValueError(f'"{value}" is no rate like "10/15 minutes"') from None
        return value

    @model_validator(mode="after")
    def _fit_for_production(self) -> "Settings":
        if self.environment is Environment.PRODUCTION:
            if self.simulation_clock is not None:
                raise ValueError(
                    "PASSBAND_SIMULATION_CLOCK moves time: set PASSBAND_ENVIRONMENT=simulation, or unset it"
                )
            if self.simulation_control_url:
                raise ValueError(
                    "PASSBAND_SIMULATION_CONTROL_URL is for PASSBAND_ENVIRONMENT=simulation only"
                )
            if self.master_key is None:
                raise ValueError(
                    "set PASSBAND_MASTER_KEY to 32 random bytes in base64 (openssl rand -base64 32) and keep it safe: "
                    "without it no issuer key can be opened"
                )
        if self.master_key is not None:
            _key_bytes(self.master_key.get_secret_value())
        return self

    @field_validator("public_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        from wallet.chips.sun import template  # what reads settings and writes no chip needs it not

        value = value.rstrip("/")
        if value:
            try:
                template(value + _SUN_PATH)
            except ValueError as error:
                raise ValueError(f"PASSBAND_PUBLIC_URL: {error}") from None
        return value

    @property
    def sun_url(self) -> str:
        """The address on a band that a guest's phone opens: where this gateway is reached from outside."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}") + _SUN_PATH

    @property
    def is_simulation(self) -> bool:
        """Whether this gateway plays a simulation."""
        return self.environment is Environment.SIMULATION

    def clock(self) -> Clock:
        """Return the clock all of this gateway reads."""
        return SimulationClock(self.simulation_clock) if self.simulation_clock else SystemClock()

    @property
    def master_key_file(self) -> Path:
        """Where a simulation keeps the master key that it made for itself."""
        return self.directory / "master.key"

    def master(self, entropy: Entropy) -> bytes:
        """Return the master key; a simulation without one makes its own, readable by its owner alone."""
        if self.master_key is not None:
            return _key_bytes(self.master_key.get_secret_value())
        path = self.master_key_file
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make_secret_file(path, base64.b64encode(entropy.draw(MASTER_KEY_BYTES)) + b"\n")
        return _key_bytes(path.read_text().strip())


def read_settings() -> Settings:
    """Return the settings.

    Raises:
        SettingsFault: one is missing or wrong; the sentence names it and says what to do.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsFault("; ".join(map(_sentence, error.errors()))) from None


def _sentence(error: object) -> str:
    assert isinstance(error, dict)
    name = "".join(f"PASSBAND_{str(part).upper()}: " for part in error["loc"][:1])
    return f"{name}{str(error['msg']).removeprefix('Value error, ')}"


def _make_secret_file(path: Path, data: bytes) -> None:
    """Write a file for its owner alone, whole or not at all; one that another process has just made stays."""
    part = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    with suppress(FileExistsError):
        path.hardlink_to(part)
    part.unlink()


def _key_bytes(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("PASSBAND_MASTER_KEY is not base64") from None
    if len(key) != MASTER_KEY_BYTES:
        raise ValueError(f"PASSBAND_MASTER_KEY has {len(key)} bytes, it needs {MASTER_KEY_BYTES}")
    return key
