"""`policy`: what Groundskeeper may do here, and how a person changes it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from groundskeeper import wire
from groundskeeper.agent.documents import read_floor, read_policy, read_span
from groundskeeper.agent.home import Home
from groundskeeper.agent.policy import Effective, PolicySource
from groundskeeper.agent.trust import last_seen
from groundskeeper.cli.allowed import in_words, taken_away
from groundskeeper.cli.exits import TROUBLE
from groundskeeper.cli.here import home, now
from groundskeeper.cli.options import Json
from groundskeeper.cli.records import read
from groundskeeper.cli.replaying import show as show_replay
from groundskeeper.cli.saying import complain, say
from groundskeeper.cli.showing import console, say_json
from groundskeeper.lib.clock import SystemClock
from groundskeeper.model import Entry, Floor, Invalid, Ledger, Policy, Refused, Unavailable
from groundskeeper.reasoning.policy import tighten
from groundskeeper.reasoning.replay import Replay, replay
from groundskeeper.runbooks import REFLEXES, made

PAGE = 10_000

policy = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
File = Annotated[Path, typer.Argument(help="A policy in TOML; or the owner's floor.toml.", show_default=False)]


@policy.callback()
def _policy() -> None:
    """What Groundskeeper may do here by itself, and how that is changed."""


@policy.command()
def show(json: Json = False) -> None:
    """The policy that holds here, in words; and whether its signature is good."""
    here = home()
    effective, source = _effective(here)
    if not here.policy_file.exists() and not here.policy_seen.exists():
        raise Unavailable("there is no policy here yet: `groundskeeper up` begins with the one that is shipped")
    if json:
        say_json(_as_json(effective, source.stopped()))
    else:
        _show(here, effective, source.stopped())
    if effective.problem:
        raise typer.Exit(TROUBLE)


@policy.command()
def check(file: File, json: Json = False) -> None:
    """Whether a file is right; if not, where the mistake is."""
    text = _text(file)
    if file.name == home().floor_file.name:
        floor = read_floor(text, file.name)
        if json:
            say_json({"ok": True, "floor": wire.plain(floor)})
        else:
            _sections([("It is right. It takes away", taken_away(floor) or ["nothing"])])
        return
    written = read_policy(text, file.name)
    last = last_seen(home()).version
    if json:
        say_json({"ok": True, "last_version": last, "policy": wire.plain(written)})
        return
    say(f"It is right: “{written.name}”, version {written.version}.\n")
    _sections(list(in_words(written)))
    if written.version <= last:
        complain(f"To put it in force, give it `version = {last + 1}`: version {last} was in force here already.")


@policy.command()
def sign(file: File, json: Json = False) -> None:
    """Sign a policy with this machine's own key, and put it in force."""
    here, written = home(), read_policy(_text(file), file.name)
    try:
        here.make()
        digest = asyncio.run(PolicySource(here, SystemClock()).install(written))
    except OSError as problem:
        raise Refused(f"{problem.filename} could not be written ({problem.strerror}): try again with sudo") from problem
    if json:
        say_json({"policy": written.name, "version": written.version, "digest": digest})
    else:
        say(f"“{written.name}”, version {written.version}, is in force ({digest[:12]}).")
        say("An agent that runs here obeys it within a second.")


@policy.command("try")
def try_(
    file: File,
    since: Annotated[str, typer.Option(help="How far back: 12h, 7d …")] = "7d",
    everything: Annotated[bool, typer.Option("--all", help="Every decision, not only those that differ.")] = False,
    json: Json = False,
) -> None:
    """Replay the recorded past under another policy: what was done, and what would have been done."""
    back = read_span(since)
    if back is None:
        raise Invalid(f"--since {since}: write it as 12h, 30min or 7d")
    here, other = home(), read_policy(_text(file), file.name)
    lines = read(here.ledger, _all)
    effective, _ = _effective(here)
    replayed = _replayed(lines, other, effective, now() - back)
    if json:
        say_json(replayed)
    else:
        show_replay(console(), replayed, everything=everything)


def _replayed(lines: Sequence[Entry], other: Policy, effective: Effective, since: datetime) -> Replay:
    """The owner's file holds under any policy, so it holds in the replay."""
    tightened = tighten(other, effective.floor or Floor())
    reflexes = made(REFLEXES, tightened.rules)
    return replay(lines, tightened, reflexes, before=effective.policy, since=since)


async def _all(ledger: Ledger) -> list[Entry]:
    lines: list[Entry] = []
    while page := await ledger.entries(after=lines[-1].seq if lines else 0, limit=PAGE):
        lines += page
    return lines


def _effective(here: Home) -> tuple[Effective, PolicySource]:
    source = PolicySource(here, SystemClock())
    try:
        here.policy_file.exists()
    except PermissionError as problem:
        raise Refused(f"{here.state} is for its owner to read: try again with sudo") from problem
    return asyncio.run(source.look()), source


def _text(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise Invalid(f"{file} cannot be read ({problem.strerror})") from problem


# -- in words ---------------------------------------------------------------------------------------------------------


def _show(here: Home, effective: Effective, stopped: str | None) -> None:
    holds = effective.policy
    if stopped:
        say(f"All automation is stopped: {stopped}.\n")
    if effective.signed:
        say(f"“{holds.name}”, version {holds.version}, signed by a key that is trusted here ({effective.digest[:12]}).")
    if effective.problem:
        say(f"Not in order: {effective.problem}.")
    say()
    _sections(list(in_words(holds)))
    away = taken_away(effective.floor) if effective.floor else []
    if away:
        _sections([(f"Taken away by its owner ({here.floor_file})", away)])
    else:
        say(f"Its owner takes nothing away ({here.floor_file}).")


def _sections(sections: list[tuple[str, list[str]]]) -> None:
    for heading, lines in sections:
        say(f"{heading}:")
        for line in lines:
            say(f"  · {line}")
        say()


def _as_json(effective: Effective, stopped: str | None) -> dict[str, object]:
    return {
        "policy": wire.plain(effective.policy),
        "digest": effective.digest,
        "signature_good": effective.signed is not None,
        "problem": effective.problem,
        "signed": wire.plain(effective.signed),
        "floor": wire.plain(effective.floor),
        "stopped": stopped,
    }
