"""The one command line hands over and holds no logic of its own."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import passband

ROOT = Path(passband.__file__).parent


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "passband.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_help_tells_every_word_with_its_sentence() -> None:
    told = run("--help")

    assert told.returncode == 0
    assert all(
        f"  {name}" in told.stdout and word.sentence in told.stdout for name, word in passband.WORDS.items()
    )


def test_an_unknown_word_is_a_usage_error() -> None:
    told = run("frobnicate")

    assert told.returncode == 2
    assert "there is no word 'frobnicate'" in told.stderr
    assert told.stdout == ""


def test_no_word_is_a_usage_error() -> None:
    assert run().returncode == 2


def test_a_word_gets_the_rest_and_its_answer_is_the_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "passband_test_cli.py").write_text(
        "got = []\ndef answer(argv):\n    got.extend(argv)\n    return 5\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(passband.WORDS, "trial", passband.Word("passband_test_cli", "answer", "A trial."))

    assert passband.main(["trial", "--json", "x"]) == 5
    assert sys.modules["passband_test_cli"].got == ["--json", "x"]


def test_help_loads_no_package_of_the_house() -> None:
    program = "import sys, passband; passband.main(['--help']); print(*sys.modules)"
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    loaded = told.splitlines()[-1].split()

    assert "passband" in loaded
    assert not {"gateway", "readers", "simulators", "fastapi", "sqlalchemy", "typer"} & set(loaded)


def test_every_word_leads_to_a_function_that_stands() -> None:
    leading_nowhere = {name for name, word in passband.WORDS.items() if not stands(word)}

    assert leading_nowhere == set()


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_who_has_enough_ends_it_quietly(tmp_path: Path, lines: int) -> None:
    (tmp_path / "passband_test_cli.py").write_text(
        f"def answer(argv):\n    print('line\\n' * {lines})\n    return 0\n"
    )
    program = (
        "import sys, passband; passband.WORDS['trial'] = passband.Word('passband_test_cli', 'answer', 'A trial.');"
        "sys.stdin.read(); sys.exit(passband.run(['trial']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"},
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (141, b"")


def stands(word: passband.Word) -> bool:
    """Tell, without importing it, whether a word's module defines its function."""
    path = (ROOT / word.module.replace(".", "/")).with_suffix(".py")
    if not path.exists():
        return False
    defined = ast.parse(path.read_text()).body
    return word.function in {node.name for node in defined if isinstance(node, ast.FunctionDef)}
