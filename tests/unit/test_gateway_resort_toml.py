"""The resort's file: read, checked with lines, and written back."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.resort_toml import ResortFaults, read_resort, write_resort
from wallet.resort import CancellationRule, Item, Lot, Outlet, Policies, Product, Resort, Tax, Venue

DEMO = (Path(__file__).resolve().parents[2] / "simulators/demo/resort.toml").read_text()


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(ResortFaults) as caught:
        read_resort(text)
    return [(fault.line, fault.sentence) for fault in caught.value.faults]


def test_the_demo_resort_is_read_and_written_back_the_same() -> None:
    resort = read_resort(DEMO)

    assert read_resort(write_resort(resort)) == resort
    assert resort.product("family-package").price_minor == 129_000
    assert resort.lot("lot-a").fee_per_day_minor == 1200
    assert resort.outlet("harbour-grill").item("lemonade").price_minor == 380
    assert resort.product("day-ticket").cancellation[1] == CancellationRule(0, 10_000)
    assert not resort.attraction("carousel").merge_point


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ('zone = "Europe/Madrid"', 'zone = "Europe/Madrit"', "Madrit", "no time zone"),
        ('currency = "EUR"', 'currency = "euro"', '"euro"', "ISO 4217"),
        ('currency = "EUR"', 'currency = "ZZZ"', '"ZZZ"', "ISO 4217"),
        ('fee_per_day = "12.00"', "fee_per_day = 12.0", "fee_per_day", "in quotes"),
        ('fee_per_day = "12.00"', 'fee_per_day = "-1.00"', "fee_per_day", "zero or more"),
        ('fee_per_day = "12.00"', 'fee_per_day = "1.005"', "fee_per_day", "digits"),
        ('id = "202"', 'id = "201"', 'id = "201"', "taken by number 3"),
        ('id = "102"', 'id = "Room 102"', "Room 102", "no id"),
        ('place = "plaza"\n', 'place = "plaza"\ncolour = "red"\n', "colour", "knows no `colour`"),
        (
            "tier = 2\ncapacity_per_window = 80",
            "tear = 2\ncapacity_per_window = 80",
            "tear",
            "Did you mean `tier`",
        ),
        ("guests_max = 4", "guests_max = 0", "guests_max = 0", "1 or more"),
        ("guests_max = 4", "guests_max = true", "guests_max = true", "whole number, not true"),
        ("opens = 09:00:00", 'opens = "nine"', "opens", "a time like"),
        ('place = "falls"', 'place = "fells"', "fells", "no attraction"),
        ('kind = "encoder"', 'kind = "printer"', "printer", "Known: door"),
        ('lots = ["lot-a"]', 'lots = ["lot-z"]', "lot-z", "no car park"),
        ('tax = "vat21"\ncategory = "clothing"', 'tax = "vat22"\ncategory = "clothing"', "vat22", "no tax"),
        ('room_type = "family"', 'room_type = "suite"', "suite", "Known: family"),
        ("closes = 23:00:00", "closes = 08:00:00", "closes", "before it opens"),
        ('deposit = "390.00"', 'deposit = "3900.00"', "3900", "more than the price"),
        ("rate_bp = 2100", "rate_bp = 21000", "rate_bp = 21000", "10000"),
        ('place = "carousel"', 'place = "carousel"\ndirection = "up"', '"up"', "Known: in, out"),
        ('pin_above = "50.00"', 'pin_abvoe = "50.00"', "pin_abvoe", "Did you mean `pin_above`"),
    ],
)
def test_a_mistake_is_named_with_its_line(before: str, after: str, line: str, said: str) -> None:
    assert before in DEMO
    text = DEMO.replace(before, after, 1)
    # Where the same text stands twice, the second is the mistake.
    lines = [number for number, each in enumerate(text.splitlines(), 1) if line in each]

    assert any(number in lines and said in sentence for number, sentence in faults(text)), faults(text)


def test_every_mistake_is_told_in_one_reading_and_nothing_besides() -> None:
    text = DEMO
    for before, after in (
        ('"Europe/Madrid"', '"Nowhere"'),
        ('fee_per_day = "12.00"', "fee_per_day = 12"),
        ("tier = 1\n", ""),
        ('place = "102"', 'place = "109"'),
        ('kind = "encoder"', "kind = 7"),
    ):
        text = text.replace(before, after, 1)

    assert [sentence.partition(".")[0] for _, sentence in faults(text)] == [
        '"Nowhere" is no time zone',
        '`fee_per_day` must be an amount in quotes like "12',
        "[[attractions]] number 1 lacks `tier`",
        'There is no room "109"',
        "`kind` is 7",
    ]


def test_a_door_elsewhere_than_its_room_is_a_mistake() -> None:
    text = DEMO.replace('venue = "hotel"\nplace = "101"', 'venue = "park"\nplace = "101"')

    assert faults(text) == [
        (line_of(text, 'place = "101"') - 1, 'The room "101" is at "hotel", so its touchpoints are too.')
    ]


def test_text_that_is_no_toml_names_its_line() -> None:
    text = DEMO.replace('code = "lagoon-bay"', "code = lagoon-bay")

    ((line, sentence),) = faults(text)
    assert line == line_of(text, "code = lagoon-bay")
    assert "not TOML" in sentence


@pytest.mark.parametrize("text", ["", "[resort]\n", "resort = 1\n", "venues = 3\n[resort]\n", "[[resort]]\n"])
def test_what_is_no_resort_at_all_is_refused_and_not_crashed_on(text: str) -> None:
    assert faults(text)


def test_a_value_over_several_lines_keeps_the_lines_after_it_right() -> None:
    text = DEMO.replace('place = "202"', "").replace(
        "days_before = 7, fee_bp = 3000", 'days_before = "x", fee_bp = 3000'
    )
    text = text.replace('place = "front-desk"', 'plaice = "front-desk"')

    told = dict(faults(text))
    assert "plaice" in told[line_of(text, "plaice")]
    # A mistake inside a list is shown where the list begins.
    assert any("days_before" in sentence for sentence in told.values())


IDS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=12)
AMOUNTS = st.integers(0, 10**9)


@st.composite
def resorts(draw: st.DrawFn) -> Resort:
    venue, tax = draw(IDS), draw(IDS)
    items = draw(
        st.lists(
            st.builds(Item, IDS, NAMES, AMOUNTS, st.just(tax), NAMES), max_size=3, unique_by=lambda i: i.id
        )
    )
    price = draw(AMOUNTS)
    return Resort(
        code=draw(IDS),
        name=draw(NAMES.filter(str.strip)),
        zone="Europe/Madrid",
        currency=draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        venues=(Venue(venue, draw(NAMES)),),
        lots=(Lot("lot", draw(NAMES), venue, draw(st.integers(1, 99)), draw(AMOUNTS)),),
        taxes=(Tax(tax, draw(NAMES), draw(st.integers(0, 10_000)), draw(st.booleans())),),
        outlets=(Outlet("shop", draw(NAMES), venue, tuple(items)),),
        products=(
            Product(
                "p",
                draw(NAMES),
                price,
                draw(st.integers(0, price)),
                tax,
                0,
                0,
                draw(st.integers(1, 9)),
                vehicles=0,
            ),
        ),
        policies=Policies(pin_above_minor=draw(AMOUNTS), unknown_at_doors=draw(st.booleans())),
    )


@given(resorts())
def test_any_resort_is_read_back_as_it_was_written(resort: Resort) -> None:
    assert read_resort(write_resort(resort)) == resort


def test_a_file_nested_without_end_is_a_mistake_like_any_other() -> None:
    assert faults(f"a = {'[' * 5000}{']' * 5000}") == [
        (1, "Lists or tables are nested deeper than any resort needs.")
    ]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("nights = 3", "nights = 99999999999", "3660 is the most"),
        ("guests_max = 4", "guests_max = 99999999999999999999", "2147483647 is the most"),
    ],
)
def test_a_number_outside_of_every_calendar_and_database_is_a_mistake(
    before: str, after: str, said: str
) -> None:
    assert before in DEMO
    text = DEMO.replace(before, after, 1)
    ((line, sentence),) = faults(text)
    assert line == line_of(text, after)
    assert said in sentence


@pytest.mark.parametrize(("wish", "least"), [("window_length_s = 0", 300), ("pass_valid_s = 0", 10)])
def test_a_duration_that_nothing_could_happen_in_is_a_mistake(wish: str, least: int) -> None:
    ((line, sentence),) = faults(DEMO.replace("[policies]", f"[policies]\n{wish}", 1))
    assert line == line_of(DEMO, "[policies]") + 1
    assert sentence == f"`{wish.partition(' ')[0]}` is 0; it must be {least} or more."
