"""Listening in: what a running field heard over the air at one of its readers."""

import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from simulators.field.settings import FieldFault, load_field_settings

WAIT_S = 5.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the field is on loopback


def heard(settings_file: Path, reader: str) -> list[str]:
    """Return one line for each frame since a chip was last held to the reader.

    Raises:
        FieldFault: the settings can't be used, the field doesn't run, or it has no such reader.
    """
    port = load_field_settings(settings_file).control_port
    url = f"http://127.0.0.1:{port}/fields/{urllib.parse.quote(reader, safe='')}/air"
    try:
        with _DIRECT.open(url, timeout=WAIT_S) as answer:
            lines: list[str] = json.load(answer)["lines"]
            return lines
    except urllib.error.HTTPError as refusal:
        raise FieldFault(str(json.load(refusal)["detail"])) from None
    except OSError as error:
        raise FieldFault(f"No field answers at port {port} ({error}); start it first.") from None
