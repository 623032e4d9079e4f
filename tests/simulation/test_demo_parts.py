"""The parts of the demo that need no gateway."""

from pathlib import Path

import pytest

from gateway.resort_toml import read_resort
from readers.settings import load_settings
from simulators.cli import demo
from simulators.demo.chapters.departure import folio_unlike
from simulators.demo.chapters.photo import draw_picture
from simulators.demo.paper import write_settings
from simulators.demo.people import family, latecomer
from simulators.demo.plan import RESORT_FILE, Plan
from simulators.dice import Dice
from simulators.field.settings import load_field_settings
from simulators.ports import PORT_SPAN
from wallet.ids import is_id
from wallet.resort import TouchpointKind


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(tmp_path, 8701)


def test_the_same_seed_gives_the_same_people_chips_and_commands() -> None:
    first, again, other = Dice(7), Dice(7), Dice(8)
    assert family(first) == family(again) != family(other)
    assert first.chip_uid("Ana") == again.chip_uid("Ana") != other.chip_uid("Ana")
    assert first.command_id("book") == again.command_id("book") != other.command_id("book")


def test_what_the_dice_give_is_well_formed() -> None:
    dice = Dice(1)
    assert is_id(dice.command_id("book"))
    assert len(bytes.fromhex(dice.chip_uid("Ana"))) == 7
    assert not dice.chip_uid("Ana").startswith("08"), "a UID that starts with 08 is random, never an identity"
    assert len(dice.pin("lead")) == 4
    assert dice.pin("lead").isdigit()


def test_no_two_people_of_the_story_have_one_given_name() -> None:
    for seed in range(50):
        names = [person.given_name for person in (*family(Dice(seed)), latecomer(Dice(seed)))]
        assert len(set(names)) == 5


def test_every_port_of_the_plan_is_different_and_in_its_span(plan: Plan) -> None:
    for ports in (plan.tcp_ports(), plan.udp_ports()):
        assert len(set(ports.values())) == len(ports)
        assert all(plan.base <= port < plan.base + PORT_SPAN for port in ports.values())


def test_every_touchpoint_of_the_resort_has_a_reader(plan: Plan) -> None:
    resort = read_resort(RESORT_FILE.read_text(encoding="utf-8"))
    assert {reader.touchpoint for reader in plan.readers} == {each.id for each in resort.touchpoints}
    for reader in plan.readers:
        venue = {"hotel": "hotel", "park": "park", "shops": "shops", "desk": "hotel"}[reader.edge]
        assert resort.touchpoint(reader.touchpoint).venue == venue


def test_the_resort_refers_only_to_what_it_has() -> None:
    resort = read_resort(RESORT_FILE.read_text(encoding="utf-8"))
    places = {
        TouchpointKind.DOOR: resort.room,
        TouchpointKind.PARKING_LANE: resort.lot,
        TouchpointKind.PARK_GATE: resort.park,
        TouchpointKind.TILL: resort.outlet,
        TouchpointKind.BYPASS_ENTRANCE: resort.attraction,
        TouchpointKind.MERGE_POINT: resort.attraction,
    }
    for touchpoint in resort.touchpoints:
        resort.venue(touchpoint.venue)
        if touchpoint.kind in places:
            assert places[touchpoint.kind](touchpoint.place)
    for outlet in resort.outlets:
        assert all(resort.tax(item.tax) for item in outlet.items)


def test_the_settings_written_are_understood_by_edges_and_field(plan: Plan) -> None:
    write_settings(plan)
    field = load_field_settings(plan.field_settings)
    assert {each.reader for each in (*field.readers, *field.scanners)} == {each.id for each in plan.readers}
    for edge in plan.edges:
        settings = load_settings(plan.edge_settings(edge), {})
        assert settings.edge.gateway_url == f"http://127.0.0.1:{plan.link_port(edge)}"
        assert [each.path for each in settings.readers] == [r.path for r in plan.readers if r.edge == edge]
    assert plan.till_key_file.stat().st_mode & 0o777 == 0o600


def test_a_second_writing_keeps_the_tills_key(plan: Plan) -> None:
    write_settings(plan)
    key = plan.till_key_file.read_text()
    write_settings(plan)
    assert plan.till_key_file.read_text() == key
    assert len(key) >= 16


def test_the_picture_is_a_jpeg_and_the_same_for_the_same_seed() -> None:
    picture = draw_picture(3)
    assert picture.startswith(b"\xff\xd8\xff")
    assert picture == draw_picture(3) != draw_picture(4)


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        ([("t1", 1200), ("t2", 900), (None, 50_000), (None, -52_100)], True),
        ([("t2", 900), (None, 50_000)], False),
        ([("t1", 1200), ("t1", 1200), ("t2", 900)], False),
        ([("t1", 1199), ("t2", 900)], False),
        ([], False),
    ],
)
def test_a_folio_that_lacks_a_sale_or_has_it_twice_breaks_the_story_off(
    told: list[tuple[str | None, int]], holds: bool
) -> None:
    lines = [{"tap_id": tap_id, "amount_minor": amount_minor} for tap_id, amount_minor in told]
    assert (folio_unlike(lines, {"t2": 900, "t1": 1200}) == "") is holds


@pytest.mark.parametrize("wrong", ["99999", "65473", "0", "-1", "8701.5", "door"])
def test_a_port_that_cannot_be_is_refused_with_the_lawful_range(
    wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        demo(["--once", f"--port-base={wrong}"])

    assert left.value.code == 2
    assert f"{wrong} is no port from 1 to 65472" in capsys.readouterr().err
