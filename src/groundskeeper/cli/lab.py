"""`groundskeeper lab …`: raise a company of real machines, break things in it, and see what its client feels."""

import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from groundskeeper.cli.exits import TROUBLE
from groundskeeper.cli.options import Json
from groundskeeper.cli.saying import complain, say
from groundskeeper.cli.showing import console, say_json
from groundskeeper.cli.storms import felt_in_words, score_table, score_words
from groundskeeper.lab import Lab, load_office
from groundskeeper.lab.agents import MANAGED, OBSERVE, Agents, with_agents
from groundskeeper.lab.drawing import draw
from groundskeeper.lab.errors import LabError
from groundskeeper.lab.faults import CATALOGUE, STORMS, Fault, fault_named
from groundskeeper.lab.faults.own import own_fault
from groundskeeper.lab.image import cache_home
from groundskeeper.lab.judge import UNAIDED, Felt, play
from groundskeeper.lab.machine import ENVIRONMENT
from groundskeeper.lab.scoring import Deeds, Line, Score, as_json, judged
from groundskeeper.lab.storm import play_managed, play_storm

lab = typer.Typer(
    help="A company of real machines, to break things in.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Name = Annotated[str, typer.Option("--name", help="The lab's name, where several are up at once.")]
Policy = Annotated[str, typer.Option("--policy", help="What the agents may do: managed, or observe.")]


def _faults(incomplete: str) -> list[tuple[str, str]]:
    return [(name, known.what) for name, known in CATALOGUE.items() if name.startswith(incomplete)]


def _storms(incomplete: str) -> list[str]:
    return [name for name in STORMS if name.startswith(incomplete)]


def _machines(incomplete: str) -> list[str]:
    return [plan.name for plan in load_office("office").machines if plan.name.startswith(incomplete)]


@lab.command()
def up(
    office: Annotated[str, typer.Argument(help="An office that ships with the lab, or a TOML file.")] = "office",
    name: Name = "",
    agents: Annotated[bool, typer.Option(help="Start an agent on each machine that would have one.")] = True,
    policy: Policy = MANAGED,
) -> None:
    """Raise an office: every machine booted and ready. The first time its image is made, which takes two minutes."""
    raised = _raised(office, name, policy if agents else None)
    raised.leave_running()
    machines = [plan.name for plan in raised.office.machines]
    named = "" if raised.name == "office" else f" --name {raised.name}"
    say(f"{raised.name} is up: {', '.join(machines)}.")
    say(f"`groundskeeper lab shell {machines[0]}{named}` goes in, `groundskeeper lab down {raised.name}` ends it.")


@lab.command()
def down(name: Annotated[str, typer.Argument(help="The lab's name.")] = "office") -> None:
    """Take a lab down, also one whose owner was killed. Nothing of it is left."""
    Lab(name).down()
    say(f"{name} is down, and nothing of it is left.")


@lab.command()
def status(name: Name = "office", json: Json = False) -> None:
    """The machines of a lab that is up."""
    machines = Lab(name).control.machines()
    if json:
        say_json(machines)
        return
    for machine, state in machines.items():
        say(f"{machine:14} {'ready' if state['ready'] else 'not ready':10} started {state['boots']}×")


@lab.command()
def shell(
    machine: Annotated[str, typer.Argument(help="The machine's name.", autocompletion=_machines)],
    command: Annotated[list[str] | None, typer.Argument(help="A command to run there instead.")] = None,
    name: Name = "office",
) -> None:
    """A shell on one machine of the lab."""
    there = Lab(name).machine(machine)
    argv = there.command(*(command or ["/bin/bash", "-l"]))
    os.execvpe(argv[0], argv, {**ENVIRONMENT, "TERM": os.environ.get("TERM", "dumb")})


@lab.command()
def faults(json: Json = False) -> None:
    """Every fault that the lab can play."""
    if json:
        say_json([{"name": f.name, "machine": f.machine, "what": f.what} for f in CATALOGUE.values()])
        return
    for known in CATALOGUE.values():
        say(f"{known.name:30} {known.machine:12} {known.what}")


@lab.command()
def fault(
    which: Annotated[
        str, typer.Argument(help="A fault's name, or any executable given by its path.", autocompletion=_faults)
    ],
    on: Annotated[str, typer.Option(help="For an executable: the machine to run it on.")] = "web-1",
    policy: Policy = MANAGED,
    name: Name = "office",
    json: Json = False,
) -> None:
    """Play one fault in a lab that is up, and judge it from the client's chair."""
    chosen = own_fault(Path(which), on) if "/" in which else fault_named(which)
    line = _played_once(Lab(name), chosen, policy)
    if json:
        say_json(msgspec.to_builtins(line))
    else:
        say(f"{line.what}: {felt_in_words(line.managed)}{f', by {line.by}' if line.by else ''}")


@lab.command()
def storm(
    which: Annotated[str, typer.Argument(help="The storm's name.", autocompletion=_storms)] = "first",
    name: Name = "office",
    picture: Annotated[Path | None, typer.Option("--draw", help="Also draw the score to this file, as SVG.")] = None,
    json: Json = False,
) -> None:
    """Play a whole storm twice, nobody acting and managed, and show both side by side. Takes about five minutes."""
    if which not in STORMS:
        raise LabError(f"there is no storm {which!r}; there are: {', '.join(STORMS)}")
    here = Lab(name)
    was_up = here.is_up()
    try:
        here = here if was_up else _raised("office", name, OBSERVE)
        played = play_storm(here, which, STORMS[which], _tell)
    finally:
        if not was_up:
            here.down()
    _kept().parent.mkdir(parents=True, exist_ok=True)
    _kept().write_bytes(msgspec.json.encode(played))
    if picture:
        picture.write_text(draw(played))
    _show(played, json)


@lab.command()
def score(
    picture: Annotated[Path | None, typer.Option("--draw", help="Also draw the score to this file, as SVG.")] = None,
    json: Json = False,
) -> None:
    """The score of the last storm."""
    if not _kept().exists():
        raise LabError("no storm was played yet; play one with: groundskeeper lab storm first")
    last = msgspec.json.decode(_kept().read_bytes(), type=Score)
    if picture:
        picture.write_text(draw(last))
    _show(last, json)


def _raised(office: str, name: str, policy: str | None) -> Lab:
    plan = load_office(office)
    with console(error=True).status("raising the lab …") as progress:
        raised = Lab.up(
            with_agents(plan) if policy else plan, name, say=lambda line: progress.update(f"[dim]{line[:100]}")
        )
        if policy:
            progress.update("starting the agents …")
            Agents(raised).begin(policy)
    return raised


def _played_once(here: Lab, chosen: Fault, policy: str) -> Line:
    if policy == MANAGED:
        return judged(chosen, *play_managed(here, chosen))
    Agents(here).begin(policy)
    return judged(chosen, play(here, chosen, UNAIDED), Deeds())


def _tell(how: str, felt: Felt) -> None:
    complain(f"{how:8} {felt.fault:30} {felt_in_words(felt)}")


def _kept() -> Path:
    return cache_home() / "score.json"


def _show(played: Score, json: bool) -> None:
    if json:
        say_json(as_json(played))
    else:
        console().print(score_table(played))
        say(f"\n{score_words(played)}")
    if played.made_worse or played.left_unconfirmed:
        raise typer.Exit(TROUBLE)
