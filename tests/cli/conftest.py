"""A home folder of Groundskeeper, and the command run in it as the shell would run it."""

import asyncio
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from groundskeeper.agent.home import Home, home
from groundskeeper.cli import main
from groundskeeper.knowledge.ledger import SqliteLedger
from groundskeeper.simulation import read_script, simulate

EXAMPLES = Path(__file__).parents[2] / "examples"


class Ended(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out)


Run = Callable[..., Ended]


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty home; every command of the test uses it."""
    monkeypatch.setenv("GROUNDSKEEPER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SUDO_USER", "ada")
    return home()


@pytest.fixture
def run(at: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command line to its end."""

    def running(*words: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["groundskeeper", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        seen = capsys.readouterr()
        return Ended(code, seen.out, seen.err)

    return running


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger that holds what happened in two of the example worlds."""
    path = tmp_path_factory.mktemp("lived") / "ledger.db"
    for name in ("stopped_service", "no_help"):
        asyncio.run(_play(EXAMPLES / f"{name}.json", path))
    return path


@pytest.fixture
def lived(at: Home, ledger: Path) -> Home:
    """A home with that ledger."""
    at.make()
    shutil.copy(ledger, at.ledger)
    return at


async def _play(script: Path, ledger: Path) -> None:
    made = SqliteLedger(ledger)
    await simulate(read_script(script), made)
    await made.close()
