"""All automation, stopped and started by one file."""


def test_one_command_stops_everything_and_one_lets_it_go_on(run, at):
    assert run("start").out == "Automation was not stopped.\n"
    told = run("stop", "the auditor is here")
    assert str(at.stop_file) in told.out
    assert at.stop_file.read_text().startswith("ada stopped it on ")
    assert "the auditor is here" in at.stop_file.read_text()
    assert run("start").code == 0
    assert not at.stop_file.exists()


def test_where_the_file_cannot_be_made_it_says_what_helps(run, at):
    at.config.parent.mkdir(parents=True)
    at.config.write_text("a file where a folder should be")
    ended = run("stop")
    assert ended.code == 3
    assert "sudo" in ended.err
