"""Every world that is shipped as an example plays, and shows what it says."""

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
ENDS = {
    "stopped_service": ("nginx.service", "resolved", ["confirmed"]),
    "no_help": ("postgresql@15-main.service", "escalated", ["reverted", "reverted"]),
    "full_disk": ("/var", "resolved", ["confirmed"]),
    "read_only_disk": ("/srv", "escalated", []),
}


def test_each_example_is_tested_and_told_of():
    scripts = {path.stem for path in EXAMPLES.glob("*.json")}
    assert scripts == set(ENDS)
    page = (EXAMPLES / "README.md").read_text()
    assert all(f"`{name}.json`" in page for name in scripts)


@pytest.mark.parametrize("name", ENDS)
def test_an_example_ends_as_it_should(run, name):
    subject, phase, stages = ENDS[name]
    told = run("simulate", EXAMPLES / f"{name}.json", "--json").json
    (story,) = told["incidents"]
    assert story["incident"]["finding"]["subject"] == subject
    assert story["incident"]["phase"] == phase
    assert [change["stage"] for change in story["changes"]] == stages
    assert subject in run("simulate", EXAMPLES / f"{name}.json").out


def test_a_file_that_is_no_script_is_wrong_input(run, tmp_path):
    nonsense = tmp_path / "nonsense.json"
    nonsense.write_text('{"because": 3}')
    for path in (nonsense, tmp_path / "nowhere.json"):
        ended = run("simulate", path)
        assert ended.code == 2
        assert str(path) in ended.err


def test_a_quiet_world_says_so(run, tmp_path):
    quiet = tmp_path / "quiet.json"
    quiet.write_text('{"because": "Nothing happens.", "scenes": []}')
    assert "Nothing was found wrong" in run("simulate", quiet).out
