"""What a field consists of: one TOML file, written by the demo, by a test or by hand."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

_Port = Annotated[int, Meta(ge=1, le=65535)]


class FieldFault(Exception):
    """The field can't be set up; the sentence says what to change."""


class ReaderField(Struct, frozen=True, forbid_unknown_fields=True):
    """One reader's radio field: the udp port of `udp:127.0.0.1:PORT` in the edge's settings."""

    reader: str
    port: _Port


class ScannerSocket(Struct, frozen=True, forbid_unknown_fields=True):
    """One code scanner: the TCP port of `scanner:socket://127.0.0.1:PORT` in the edge's settings."""

    reader: str
    port: _Port


class NetworkLink(Struct, frozen=True, forbid_unknown_fields=True):
    """One edge's cable: what connects to `port` is led to `target_port`, both on loopback.

    `web_url` is where the edge's own web is, and `till_key_file` holds its tills' key: told on, for the workbench.
    """

    edge: str
    port: _Port
    target_port: _Port
    web_url: str = ""
    till_key_file: str = ""


class FieldSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A field, complete. `directory`, relative to the settings file, keeps chips and cuts over a restart."""

    directory: str
    control_port: _Port
    readers: tuple[ReaderField, ...] = ()
    scanners: tuple[ScannerSocket, ...] = ()
    networks: tuple[NetworkLink, ...] = ()


def load_field_settings(path: Path) -> FieldSettings:
    """Return the settings in the file.

    Raises:
        FieldFault: unreadable, not TOML, or a key missing, unknown, out of range or used twice.
    """
    try:
        settings = msgspec.toml.decode(path.read_bytes(), type=FieldSettings)
    except OSError as error:
        explanation = f"{path} can't be read ({error.strerror}); give an existing --settings file."
        raise FieldFault(explanation) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FieldFault(f"{path}: {error}; correct that key.") from None
    except RecursionError:
        raise FieldFault(f"{path} nests its lists or tables too deep.") from None
    _refuse_twice(settings, path)
    return msgspec.structs.replace(settings, directory=str(path.parent / settings.directory))


def _refuse_twice(settings: FieldSettings, path: Path) -> None:
    tcp = [settings.control_port]
    tcp += [each.port for each in settings.scanners] + [each.port for each in settings.networks]
    readers = [each.reader for each in settings.readers] + [each.reader for each in settings.scanners]
    uses: dict[str, list[str]] = {
        "reader": readers,
        "network": [each.edge for each in settings.networks],
        "TCP port": [str(port) for port in tcp],
        "UDP port": [str(each.port) for each in settings.readers],
    }
    for what, values in uses.items():
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise FieldFault(f"{path}: the {what} {twice[0]} stands there twice; give each its own.")
