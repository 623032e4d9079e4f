"""The edge's clock follows the simulation's offset file and outlives whatever stands in it."""

from datetime import UTC, datetime

import pytest

from readers.clock import SystemClock


@pytest.mark.parametrize("garbled", ["", "nonsense", "nan", "inf", "-inf", "1e15", "1e300", "-5"])
def test_a_garbled_offset_file_neither_moves_time_nor_stops_it(tmp_path, garbled):
    file = tmp_path / "clock"
    clock = SystemClock(file)

    def write(text):
        part = tmp_path / "part"
        part.write_text(text)
        part.replace(file)

    for text, offset_s in (("3600.0", 3600), (garbled, 3600), ("7200.0", 7200)):
        write(text)
        assert (clock.now() - datetime.now(UTC)).total_seconds() == pytest.approx(offset_s, abs=1)
