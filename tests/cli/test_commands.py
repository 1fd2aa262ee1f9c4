"""The commands as a whole: they load, they help, they complete."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.core import TyperGroup

from groundskeeper import __version__
from groundskeeper.cli.commands import COMMANDS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_table_says_what_the_command_says(command):
    loaded = command.load()
    assert loaded.name == command.name
    assert loaded.help.splitlines()[0] == command.help


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_explains_itself(run, command):
    loaded = command.load()
    lines = [[command.name]]
    if isinstance(loaded, TyperGroup):
        lines += [[command.name, name] for name in loaded.commands]
    for words in lines:
        ended = run(*words, "--help")
        assert ended.code == 0
        assert "Usage: groundskeeper" in ended.out


def test_help_lists_every_command_and_the_exit_codes(run):
    told = run("--help").out
    assert all(f" {command.name} " in told for command in COMMANDS)
    assert "Exit codes" in told


def test_every_command_has_its_place_in_the_manual():
    manual = (ROOT / "docs" / "command-line.md").read_text()
    assert [command.name for command in COMMANDS if f"`{command.name}" not in manual and command.name != "start"] == []


def test_the_version_is_the_packages(run):
    assert run("--version").out.strip() == __version__
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


def test_a_wrong_word_is_wrong_usage_and_a_near_one_is_named(run):
    ended = run("incidets")
    assert ended.code == 2
    assert "incidents" in ended.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(run, shell):
    assert "_GROUNDSKEEPER_COMPLETE" in run("completion", "show", shell).out


def completed(*words: str) -> list[str]:
    """What bash would offer for the last word, asked as its script asks."""
    environment = os.environ | {
        "_GROUNDSKEEPER_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["groundskeeper", *words]),
        "COMP_CWORD": str(len(words)),
    }
    asked = [sys.executable, "-c", "from groundskeeper.cli import main; main()"]
    return subprocess.run(asked, env=environment, capture_output=True, text=True, check=True).stdout.split()


def test_commands_and_ids_are_completed(lived):
    assert completed("inc") == ["incidents", "incident"]
    assert completed("undo", "0") == ["0930052"]
    assert completed("approve", "") == ["0930011"]


def test_faults_are_completed(at):
    assert completed("lab", "fault", "web-k") == ["web-killed"]


def test_nothing_is_offered_where_nothing_is_recorded(at):
    assert completed("incident", "0") == []
