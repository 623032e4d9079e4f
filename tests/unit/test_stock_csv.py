"""A supplier's manifest: taken whole, or every wrong line is named; hostile bytes are only that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.stock_csv import StockFaults, read_manifest

HEAD = "uid,printed_id,kind\n"
GOOD = "04a1b2c3d4e5f6,PB-0001,ntag424\n"


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(StockFaults) as refused:
        read_manifest(text)
    return [(fault.line, fault.sentence) for fault in refused.value.faults]


@pytest.mark.parametrize(
    "text",
    [
        HEAD + GOOD,
        "\ufeff" + HEAD + GOOD,
        HEAD + GOOD.rstrip("\n"),
        (HEAD + GOOD).replace("\n", "\r\n"),
        HEAD + "\n" + GOOD + "\n",
        'Kind, UID ,note,printed_id\nNTAG424,04:A1:B2:C3:D4:E5:F6,"a, b",pb-0001\n',
    ],
)
def test_what_suppliers_write_is_understood(text: str) -> None:
    (chip,) = read_manifest(text).chips
    assert (chip.uid, chip.printed_id, chip.kind) == ("04a1b2c3d4e5f6", "PB-0001", "ntag424")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [1]),
        (HEAD, [1]),
        ("uid,printed_id\n" + GOOD, [1]),
        ("uid,uid,printed_id,kind\n", [1]),
        (HEAD + "04a1b2c3,PB-1,ntag424\n", [2]),
        (HEAD + "04a1b2c3d4e5fz,PB-1,ntag424\n", [2]),
        (HEAD + GOOD + GOOD, [3, 3]),
        (HEAD + GOOD + "04000000000001,pb-0001,ntag424\n", [3]),
        (HEAD + "04000000000001,P,ntag424\n04000000000002,PB-2,mifare\n", [2, 3]),
        (HEAD + GOOD + "04000000000001,PB-2\n", [3]),
        (HEAD + GOOD + "04000000000001,=HYPERLINK(1),ntag424\n", [3]),
        (HEAD + GOOD + "0400000000\0001,PB-2,ntag424\n", [3]),
        (HEAD + GOOD + '"04000000000001,PB-2,ntag424\n', [3]),
        (HEAD + GOOD + "04000000000001," + "A" * 200_000 + ",ntag424\n", [3]),
        (HEAD + '"04000000000001\n",PB-2,ntag424\n04000000000003,!,ntag424\n', [4]),
    ],
)
def test_every_wrong_line_is_named(text: str, lines: list[int]) -> None:
    assert [line for line, _ in faults(text)] == lines


def test_a_sentence_shows_nothing_that_moves_a_cursor() -> None:
    ((_, sentence),) = faults(HEAD + "\x1b[2Jevil,PB-1,ntag424\n")
    assert "\x1b" not in sentence
    assert len(faults(HEAD + "x,PB-1,ntag424\n" * 500)) <= 51


@given(st.text(max_size=400))
def test_whatever_comes_is_taken_or_refused_with_lines(text: str) -> None:
    for whole in (text, HEAD + text):
        found: list[int] = []
        try:
            found = [len(read_manifest(whole).chips)]
        except StockFaults as refused:
            found = [fault.line for fault in refused.faults if fault.sentence]
        assert found
        assert min(found) >= 1
