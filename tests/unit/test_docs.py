"""The documents say what is there: links lead somewhere, commands parse, settings, policies and tests are complete."""

import argparse
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

import msgspec
import pytest

import passband
from benchmarks import cli as benchmarks_cli
from gateway import cli as gateway_cli
from gateway.settings import Settings
from readers import cli as readers_cli
from readers.settings import PREFIX, EdgeSettings
from simulators import cli as simulators_cli
from wallet.resort import Policies

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?\n(?P<block>.*?)^```|`(?P<inline>[^`\n]+)`", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|\s)(?:passband|passband\.py|run\.py (?=demo\b)) ?(?P<words>[a-z][^|;&#>\n]*)")
ROW = re.compile(r"^\| `(?P<name>PASSBAND_[A-Z_]+)` \| (?P<default>[^|]+) \|", re.MULTILINE)
TREES = {"gateway": gateway_cli.parser, "edge": readers_cli.parser}
PARSERS: dict[str, Callable[[list[str]], int]] = {
    "demo": simulators_cli.demo,
    "simulate": simulators_cli.simulate,
    "verify": simulators_cli.verify,
    "bench": benchmarks_cli.main,
}
WITH_SUBWORD = {"simulate", "bench"}


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as the usual viewers make them."""
    prose = CODE.sub(lambda found: "" if found["block"] else found["inline"], text_of(path))
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def commands(path: Path) -> Iterator[list[str]]:
    """Yield the words behind `passband` of every command that a document shows as code."""
    for code in CODE.finditer(text_of(path)):
        for line in (code["block"] or code["inline"]).splitlines():
            for found in COMMAND.finditer(line):
                words = found["words"].split()
                if words[0] in passband.WORDS:
                    yield words


def subwords_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the words that may follow, none where the options begin."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def mistake_in(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return what is wrong with a command, empty when its words and options exist."""
    options = {word.partition("=")[0] for word in words if word.startswith("--")} - {"--help"}
    if words[0] in TREES:
        command = TREES[words[0]]()
        rest = iter(words[1:])
        while subwords := subwords_of(command):
            word = next(rest, "…")
            if word in ("…", "--help"):
                return ""
            if word not in subwords:
                return f"there is no {word!r}"
            command = subwords[word]
        known = {name for action in command._actions for name in action.option_strings}
        return "".join(f"there is no {option}" for option in sorted(options - known))
    subword = words[1:2] if words[0] in WITH_SUBWORD else []
    with pytest.raises(SystemExit) as leaving:
        PARSERS[words[0]]([*subword, "--help"])
    told = capsys.readouterr().out
    if leaving.value.code:
        return f"there is no {subword}"
    return "".join(f"there is no {option}" for option in sorted(options) if option not in told)


def shown(default: object) -> str:
    """Return a default as the README's table shows it."""
    if default in (None, ""):
        return "none"
    return f"`{default.value if isinstance(default, StrEnum) else default}`"


def test_every_relative_link_leads_somewhere() -> None:
    broken = []
    for path in DOCUMENTS:
        for target in LINK.findall(CODE.sub("", text_of(path))):
            if "://" in target:
                continue
            file, _, anchor = target.partition("#")
            there = (path.parent / file).resolve() if file else path
            if not there.exists() or (anchor and anchor not in anchors(there)):
                broken.append(f"{path.relative_to(ROOT)}: {target}")
    assert not broken


def test_every_command_shown_exists_with_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    seen, mistakes = set(), []
    for path in DOCUMENTS:
        for words in commands(path):
            seen.add(words[0])
            mistake = mistake_in(words, capsys)
            if mistake:
                mistakes.append(f"{path.relative_to(ROOT)}: passband {' '.join(words)}: {mistake}")
    assert not mistakes
    assert {"demo", "gateway", "edge", "simulate", "verify"} <= seen


def test_a_command_that_does_not_exist_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert mistake_in(["gateway", "staff", "remove", "maria"], capsys) == "there is no 'remove'"
    assert mistake_in(["edge", "enrol", "--kode", "X"], capsys) == "there is no --kode"
    assert mistake_in(["verify", "--databse-url", "X"], capsys) == "there is no --databse-url"
    assert mistake_in(["simulate", "storms"], capsys) == "there is no ['storms']"


def test_the_readme_s_tables_are_the_settings_with_their_defaults() -> None:
    told = {found["name"]: found["default"].strip() for found in ROW.finditer(text_of(ROOT / "README.md"))}
    gateway = {
        f"PASSBAND_{name.upper()}": shown(info.default) for name, info in Settings.model_fields.items()
    }
    edge = {
        PREFIX + field.name.upper(): "required" if field.required else shown(field.default)
        for field in msgspec.structs.fields(EdgeSettings)
    }
    assert told == gateway | edge


def test_the_policies_page_tells_every_policy_and_no_other() -> None:
    rows = re.findall(r"^\| (`.+?`) \|", text_of(ROOT / "docs/policies.md"), re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert told == set(Policies.__struct_fields__)


def test_every_test_named_in_the_documents_exists() -> None:
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^\s*(?:async )?def (test_\w+)\(", text_of(path), re.MULTILINE)
    }
    named = {
        path.relative_to(ROOT).as_posix(): set(re.findall(r"`(test_\w+)`", text_of(path)))
        for path in DOCUMENTS
    }
    assert len(named["docs/security.md"]) > 30
    missing = {path: sorted(names - defined) for path, names in named.items() if names - defined}
    assert not missing
