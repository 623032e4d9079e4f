"""The settings of an edge: one TOML file, each key of [edge] overridden by PASSBAND_EDGE_<KEY>."""

import os
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

_Id = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
_Seconds = Annotated[float, Meta(ge=0.01, le=86400)]
_Port = Annotated[int, Meta(ge=0, le=65535)]

PREFIX = "PASSBAND_EDGE_"


class SettingsFault(Exception):
    """The settings can't be used; the sentence names the key and says what to do."""


class ReaderSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One reader device: its own id, the touchpoint it serves and the path that picks its driver."""

    id: _Id
    touchpoint: _Id
    path: str


class EdgeSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What [edge] says. Paths are relative to the settings file; durations are in seconds.

    Args:
        insecure_gateway: whether keys may come from another machine's gateway in the clear.
    """

    id: _Id
    venue: _Id
    gateway_url: Annotated[str, Meta(pattern=r"^https?://[^/\s?#]+/?$")]
    directory: Path
    insecure_gateway: bool = False
    lamp_log: Path | None = None
    web_host: str = "127.0.0.1"
    web_port: _Port = 8710
    till_key_file: Path | None = None
    online_s: _Seconds = 10.0
    feed_wait_s: _Seconds = 4.0
    hold_deadline_s: _Seconds = 1.5
    pin_wait_s: _Seconds = 30.0
    sale_wait_s: _Seconds = 60.0
    backoff_max_s: _Seconds | None = None


class Settings(Struct, frozen=True):
    """An edge's settings, complete and checked."""

    edge: EdgeSettings
    readers: tuple[ReaderSettings, ...]
    environment: Literal["simulation", "production"]
    simulation_clock: Path | None

    @property
    def backoff_max_s(self) -> float:
        """Longest pause after a failure: short, so that a healed network is soon noticed."""
        if self.edge.backoff_max_s is not None:
            return self.edge.backoff_max_s
        return 0.5 if self.environment == "simulation" else 5.0


class _File(Struct, forbid_unknown_fields=True):
    edge: EdgeSettings
    readers: tuple[ReaderSettings, ...] = ()


def load_settings(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of the file, overridden by the environment (the process's own unless given).

    Raises:
        SettingsFault: unreadable, not TOML, a key missing, unknown or out of range.
    """
    environment = os.environ if environment is None else environment
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsFault(f"{path} can't be read ({error.strerror}); name an existing file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsFault(f"{path} is not TOML: {error}") from None
    except RecursionError:
        raise SettingsFault(f"{path} nests its lists or tables too deep") from None
    _override(content, environment)
    try:
        file = msgspec.convert(content, _File, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise SettingsFault(f"{path}: {error}; correct that key or its {PREFIX}… variable") from None
    _check_gateway(file.edge, path)
    _check_readers(file.readers, path)
    where, clock = _environment(environment)
    return Settings(_located(file.edge, path.parent), file.readers, where, clock)


def _path(_: type, value: Any) -> Path:
    if not isinstance(value, str) or not value:
        raise ValueError("a path is a text")
    return Path(value)


def _override(content: dict[str, Any], environment: Mapping[str, str]) -> None:
    edge = content.setdefault("edge", {})
    if not isinstance(edge, dict):
        raise SettingsFault("[edge] must be a table; write the keys below a line [edge]")
    for key in EdgeSettings.__struct_fields__:
        value = environment.get(PREFIX + key.upper())
        if value:
            edge[key] = value


def _check_gateway(edge: EdgeSettings, path: Path) -> None:
    """Refuse a gateway of another machine without TLS: requests are signed, but the keys in its answers are open."""
    try:
        url = urlsplit(edge.gateway_url)
    except ValueError as error:
        raise SettingsFault(f"{path}: edge.gateway_url is no address ({error}); correct it") from None
    if url.scheme == "https" or edge.insecure_gateway or _is_loopback(url.hostname or ""):
        return
    raise SettingsFault(
        f"{path}: edge.gateway_url {edge.gateway_url!r} would bring keys over the network in the clear; "
        "use https://, or set edge.insecure_gateway = true where that network carries nobody else"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_readers(readers: tuple[ReaderSettings, ...], path: Path) -> None:
    for key, values in (("id", [each.id for each in readers]), ("path", [each.path for each in readers])):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise SettingsFault(f"{path}: readers.{key} {twice[0]!r} stands twice; each reader has its own")


def _environment(environment: Mapping[str, str]) -> tuple[Literal["simulation", "production"], Path | None]:
    where = environment.get("PASSBAND_ENVIRONMENT") or "production"
    clock = environment.get("PASSBAND_SIMULATION_CLOCK")
    if where not in ("simulation", "production"):
        raise SettingsFault(f"PASSBAND_ENVIRONMENT is {where!r}; set it to simulation or production")
    if where == "production":
        if clock:
            raise SettingsFault("PASSBAND_SIMULATION_CLOCK is set in production; unset it")
        return "production", None
    return "simulation", Path(clock) if clock else None


def _located(edge: EdgeSettings, base: Path) -> EdgeSettings:
    return msgspec.structs.replace(
        edge,
        directory=base / edge.directory,
        lamp_log=base / edge.lamp_log if edge.lamp_log else None,
        till_key_file=base / edge.till_key_file if edge.till_key_file else None,
    )
