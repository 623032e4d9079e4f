"""A gateway process killed in the middle of its work: every command it answered is there, once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.db import rows as r
from gateway.db.engine import Database
from gateway.db.load import rows_where
from tests.support.gateway_world import Charge, house

ROOT = Path(__file__).resolve().parents[2]

WORKER = """
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from tests.support.gateway_world import Charge, house

url, folio, part = sys.argv[1:]
with house(url, load=False) as gateway, ThreadPoolExecutor(8) as pool:
    def charge(n):
        gateway.do("test.charge", Charge(folio, 1), f"{part}-{n}")
        # One write per line, so that the line is whole or not there at all.
        os.write(1, f"{part}-{n}\\n".encode())
    list(pool.map(charge, range(5_000)))
"""


@contextmanager
def worker(url: str, folio: str, part: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", WORKER, url, folio, part]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def answered_before_kill(process: subprocess.Popen[bytes], after: int) -> list[str]:
    """Read `after` answers, kill the process, and return every answer it had given until then."""
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(after)]
    assert all(lines), "the worker died by itself"
    os.kill(process.pid, signal.SIGKILL)
    lines += process.stdout.readlines()
    return [line.decode().strip() for line in lines]


def limitless(database: Database, folio: str) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(f"UPDATE account SET limit_minor = NULL WHERE id = '{folio}'")


@pytest.mark.parametrize("after", [3, 57, 160])
def test_every_answered_command_is_there_once_after_a_kill(database_url: str, after: int) -> None:
    with house(database_url) as gateway:
        folio = gateway.party()["folio"]
        limitless(gateway.database, folio)
    with worker(database_url, folio, "first") as process:
        answered = answered_before_kill(process, after)

    assert len(answered) >= after
    with house(database_url, load=False) as gateway:
        with gateway.database.read() as connection:
            commands = {row.id for row in rows_where(connection, r.CommandRow)}
            transfers = [row.command_id for row in rows_where(connection, r.TransferRow)]
            posted = sum(
                row.amount_minor for row in rows_where(connection, r.PostingRow) if row.account_id == folio
            )
            (account,) = rows_where(connection, r.AccountRow)
        assert set(answered) <= commands
        assert len(transfers) == len(set(transfers))
        assert set(transfers) == {each for each in commands if each.startswith("first")}
        assert account.balance_minor == posted == len(transfers)
        # Whoever did not hear the answer asks again, and nothing happens twice.
        for command_id in sorted(transfers)[-20:]:
            gateway.do("test.charge", Charge(folio, 1), command_id)
        with gateway.database.read() as connection:
            (again,) = rows_where(connection, r.AccountRow)
        assert again.balance_minor == account.balance_minor
        positions = [entry.position for entry in gateway.feed.entries(0, 100_000)]
        assert positions == list(range(1, len(positions) + 1))


def test_one_of_two_gateways_is_killed_and_the_other_goes_on(database_url: str) -> None:
    with house(database_url) as gateway:
        folio = gateway.party()["folio"]
        limitless(gateway.database, folio)
        with worker(database_url, folio, "other") as process:
            assert process.stdout is not None
            process.stdout.readline()
            for n in range(20):
                gateway.do("test.charge", Charge(folio, 1), f"mine-{n}")
            answered = answered_before_kill(process, 20)
        gateway.do("test.charge", Charge(folio, 1), "mine-at-last")

        gateway.feed.sweep()
        with gateway.database.read() as connection:
            transfers = [row.command_id for row in rows_where(connection, r.TransferRow)]
            (account,) = rows_where(connection, r.AccountRow)
        assert len(transfers) == len(set(transfers)) == account.balance_minor
        assert {*answered, *(f"mine-{n}" for n in range(20)), "mine-at-last"} <= set(transfers)
        positions = [entry.position for entry in gateway.feed.entries(0, 100_000)]
        assert positions == list(range(1, len(positions) + 1))
