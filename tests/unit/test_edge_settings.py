from datetime import UTC, datetime

import pytest

from readers.clock import SystemClock
from readers.settings import SettingsFault, load_settings

GOOD = """
[edge]
id = "park"
venue = "park"
gateway_url = "http://127.0.0.1:8701"
directory = "state"
[[readers]]
id = "gate-1-nfc"
touchpoint = "gate-1"
path = "udp:127.0.0.1:54321"
"""


def load(tmp_path, text=GOOD, **environment):
    file = tmp_path / "edge.toml"
    file.write_text(text)
    return load_settings(file, environment)


def test_paths_are_relative_to_the_file_and_the_environment_overrides(tmp_path):
    settings = load(tmp_path, PASSBAND_EDGE_WEB_PORT="9001", PASSBAND_EDGE_LAMP_LOG="lamps/l.jsonl")
    assert settings.edge.directory == tmp_path / "state"
    assert settings.edge.lamp_log == tmp_path / "lamps/l.jsonl"
    assert settings.edge.web_port == 9001
    assert settings.environment == "production"
    assert settings.backoff_max_s == 5.0


def test_a_simulation_backs_off_less(tmp_path):
    assert load(tmp_path, PASSBAND_ENVIRONMENT="simulation").backoff_max_s == 0.5


@pytest.mark.parametrize(
    ("text", "environment", "named"),
    [
        (GOOD.replace('venue = "park"\n', ""), {}, "venue"),
        (GOOD.replace("8701", "8701/x"), {}, "gateway_url"),
        (GOOD.replace("127.0.0.1:8701", "gateway.example"), {}, "insecure_gateway"),
        (GOOD.replace("127.0.0.1:8701", "[::1"), {}, "gateway_url"),
        (GOOD + "colour = 1\n", {}, "colour"),
        (GOOD, {"PASSBAND_EDGE_WEB_PORT": "70000"}, "web_port"),
        (GOOD, {"PASSBAND_EDGE_ONLINE_S": "soon"}, "online_s"),
        (
            GOOD + '[[readers]]\nid = "b"\ntouchpoint = "b"\npath = "udp:127.0.0.1:54321"\n',
            {},
            "readers.path",
        ),
        ("[edge", {}, "not TOML"),
        ("edge = 3", {}, "[edge]"),
        (GOOD, {"PASSBAND_ENVIRONMENT": "holiday"}, "PASSBAND_ENVIRONMENT"),
        (GOOD, {"PASSBAND_SIMULATION_CLOCK": "/tmp/c"}, "PASSBAND_SIMULATION_CLOCK"),
    ],
)
def test_a_mistake_names_its_key(tmp_path, text, environment, named):
    with pytest.raises(SettingsFault) as fault:
        load(tmp_path, text, **environment)
    assert named in str(fault.value)


@pytest.mark.parametrize(
    "host", ["10.0.0.7:8701", "0.0.0.0", "[fe80::1]:8701", "localhost.example", "127.example"]
)
def test_keys_come_from_another_machine_over_tls_or_where_the_settings_say_so(tmp_path, host):
    plain = GOOD.replace("127.0.0.1:8701", host)
    with pytest.raises(SettingsFault, match="in the clear; use https://"):
        load(tmp_path, plain)
    with pytest.raises(SettingsFault, match="in the clear"):
        load(tmp_path, PASSBAND_EDGE_GATEWAY_URL=f"http://{host}")
    for allowed in (
        plain.replace("http://", "https://"),
        plain.replace("[[readers]]", "insecure_gateway = true\n[[readers]]"),
    ):
        assert host in load(tmp_path, allowed).edge.gateway_url
    assert load(tmp_path, plain, PASSBAND_EDGE_INSECURE_GATEWAY="true").edge.insecure_gateway


@pytest.mark.parametrize("host", ["127.0.0.1:8701", "127.8.0.1", "[::1]:8701", "localhost:8701", "LOCALHOST"])
def test_a_gateway_on_the_same_machine_needs_no_tls(tmp_path, host):
    assert host in load(tmp_path, GOOD.replace("127.0.0.1:8701", host)).edge.gateway_url


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(SettingsFault, match="can't be read"):
        load_settings(tmp_path / "none.toml", {})


def test_the_clock_follows_the_offset_file_forward_only(tmp_path):
    file = tmp_path / "offset"
    clock = SystemClock(file)
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 5
    for text, expected in (("86400", 86400), ("3600", 86400), ("nonsense", 86400), ("172800.5", 172800.5)):
        replacement = tmp_path / "new"
        replacement.write_text(text)
        replacement.replace(file)
        assert abs((clock.now() - datetime.now(UTC)).total_seconds() - expected) < 5


def test_settings_nested_without_end_are_a_fault(tmp_path):
    with pytest.raises(SettingsFault, match="too deep"):
        load(tmp_path, "a = " + "[" * 5000 + "]" * 5000)
