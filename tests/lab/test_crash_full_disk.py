"""The ledger on a filesystem of its own that is really full: what is under way is written down all the same."""

import asyncio
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from groundskeeper.knowledge.ledger import SqliteLedger
from groundskeeper.lab.namespaces import CLONE_NEWNS, unshare
from groundskeeper.model import Said, Unavailable
from groundskeeper.testing.kills.tracing import forked

AT = datetime(2026, 3, 1, tzinfo=UTC)


def on_two_megabytes(folder: Path, work: Callable[[], None]) -> int:
    """The exit code of the work, done in a process that sees a filesystem of 2 MB there."""

    def there() -> None:
        unshare(CLONE_NEWNS)
        subprocess.run(("mount", "--make-rprivate", "/"), check=True)
        subprocess.run(("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)), check=True)
        work()

    return forked(there)


def fill(folder: Path) -> None:
    """To the last byte."""
    with (folder / "fill").open("ab", buffering=0) as file:
        for size in (65536, 4096):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    assert os.statvfs(folder).f_bavail == 0


async def write(ledger: SqliteLedger, lines: int) -> int:
    """How many lines could be written, up to so many."""
    for number in range(lines):
        try:
            await ledger.record(AT, [Said(who="ada", what=str(number))])
        except Unavailable:
            return number
    return lines


def test_a_full_disk_leaves_room_for_what_is_under_way_and_nothing_is_damaged(tmp_path: Path) -> None:
    async def life() -> None:
        ledger = SqliteLedger(tmp_path / "ledger.db")
        fill(tmp_path)
        written = await write(ledger, 5000)
        assert 40 < written < 5000, "the reserve carries some lines, and then it is said that the disk is full"
        assert await ledger.verify() == written
        (tmp_path / "fill").unlink()
        assert await write(ledger, 5) == 5, "it goes on as soon as there is room"
        assert await ledger.verify() == written + 5
        await ledger.close()

    assert on_two_megabytes(tmp_path, lambda: asyncio.run(life())) == 0


@pytest.mark.parametrize("clean", [True, False], ids=["stopped", "killed"])
def test_a_start_on_a_full_disk_goes_on_where_it_stopped(tmp_path: Path, clean: bool) -> None:
    async def first() -> None:
        ledger = SqliteLedger(tmp_path / "ledger.db")
        assert await write(ledger, 3) == 3
        if not clean:
            os._exit(0)
        await ledger.close()

    async def second() -> None:
        ledger = SqliteLedger(tmp_path / "ledger.db")
        assert await write(ledger, 3) == 3
        assert await ledger.verify() == 6
        await ledger.close()

    def work() -> None:
        assert forked(lambda: asyncio.run(first())) == 0
        fill(tmp_path)
        asyncio.run(second())

    assert on_two_megabytes(tmp_path, work) == 0
