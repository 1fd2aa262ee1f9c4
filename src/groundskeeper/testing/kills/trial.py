"""One trial: spoil, change, death at a chosen system call, recovery, one more try; and what was broken by it."""

import asyncio
import shutil
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from groundskeeper.engine.envelope import Envelope
from groundskeeper.knowledge.ledger import SqliteLedger
from groundskeeper.model import Action, Change, Phase, Stage, Stepped
from groundskeeper.testing.kills import life
from groundskeeper.testing.kills.life import EnvelopeKind
from groundskeeper.testing.kills.subject import Subject
from groundskeeper.testing.kills.tracing import NEVER, Fate, Run, forked, traced


class Plain(NamedTuple):
    """How the change goes when nothing happens to it."""

    calls: list[int]
    recovering: int
    before: str
    after: str
    made: int


class Broken(msgspec.Struct, frozen=True):
    """A promise that was not kept in a trial. `kind`: twice, unverified, unreverted, unsettled or lost."""

    kind: str
    said: str


class Trial:
    """Trials of one subject, each in a fresh folder. Only in a process that may be traced and has one thread."""

    def __init__(self, subject: Subject, folder: Path, kind: EnvelopeKind = Envelope) -> None:
        self.subject = subject
        self._folder = folder
        self._kind = kind

    def plain(self) -> Plain:
        """The change undisturbed. Raises AssertionError where it does not even work then."""
        self._spoil()
        before = self.subject.truth()
        run = self._begin(NEVER)
        assert run.status == 0, f"{self.subject.name}: the change itself ended with {run.status}"
        after, (changes, _) = self.subject.truth(), self._record()
        stages = [change.stage.value for change in changes]
        assert stages == ["confirmed"], f"{self.subject.name}: {stages} {changes[-1].reason}"
        assert before != after, f"{self.subject.name}: it is {before} before and after"
        plain = Plain(run.calls, 0, before, after, self.subject.made())
        self._spoil()
        self._begin(Fate(len(run.calls) // 2))
        return plain._replace(recovering=len(self._recover(NEVER).calls))

    def kill(self, plain: Plain, fate: Fate, then: tuple[Fate, ...] = ()) -> tuple[bool, list[Broken]]:
        """Whether fate struck at all, and what was broken. `then`: what happens to the recoveries, one by one."""
        self._spoil()
        run = self._begin(fate)
        struck = run.status == -9 if not fate.error else len(run.calls) >= fate.at
        for next_fate in then:
            self._recover(next_fate)
        ended = forked(partial(life.recover, self._folder, self._kind))
        if ended != 0:
            return struck, [Broken("unsettled", f"the recovery ended with {ended}")]
        found = self._judge(plain)
        forked(partial(life.begin, self._folder, self.subject.action(), self._kind))
        return struck, found + self._judge_the_end(plain)

    def _spoil(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self.subject.spoil()

    def _begin(self, fate: Fate) -> Run:
        action: Action = self.subject.action()
        return traced(partial(life.begin, self._folder, action, self._kind), fate)

    def _recover(self, fate: Fate) -> Run:
        return traced(partial(life.recover, self._folder, self._kind), fate)

    def _judge(self, plain: Plain) -> list[Broken]:
        """After the recovery, before anybody tries again."""
        (changes, confirmed), truth = self._record(), self.subject.truth()
        found = [Broken("unsettled", f"{one.stage.value}: {one.reason}") for one in changes if not one.stage.settled]
        found += [Broken("unverified", why) for why in confirmed]
        last = changes[-1].stage if changes else Stage.WITHDRAWN
        if last in (Stage.CONFIRMED, Stage.NOOP) and truth != plain.after:
            found.append(Broken("unverified", f"it counts as {last.value}, and it is {truth}"))
        if last not in (Stage.CONFIRMED, Stage.NOOP) and truth != plain.before and self.subject.reversible:
            found.append(Broken("unreverted", f"it counts as {last.value}, and it is {truth}"))
        if last is Stage.NEEDS_PERSON:
            found.append(Broken("unreverted", changes[-1].reason))
        return found

    def _judge_the_end(self, plain: Plain) -> list[Broken]:
        (changes, _), truth, made = self._record(), self.subject.truth(), self.subject.made()
        found = []
        if truth != plain.after or changes[-1].stage not in (Stage.CONFIRMED, Stage.NOOP):
            told = f"{changes[-1].stage.value}: {changes[-1].reason}"
            found.append(Broken("lost", f"tried once more, it is {truth} ({told})"))
        taken_back = sum(change.stage is Stage.REVERTED for change in changes)
        if made > plain.made * (1 + taken_back):
            found.append(Broken("twice", f"made {made} times, taken back {taken_back} times"))
        return found

    def _record(self) -> tuple[list[Change], list[str]]:
        """The changes, and why of each confirmation without a probe that passed; the ledger has to verify."""
        return asyncio.run(_read(self._folder / "ledger.db"))


async def _read(path: Path) -> tuple[list[Change], list[str]]:
    ledger = SqliteLedger(path)
    try:
        await ledger.verify()
        lines = [line.event for line in await ledger.entries() if isinstance(line.event, Stepped)]
        unproven = [
            f"confirmed without a probe: {line.reason}"
            for line in lines
            if line.stage is Stage.CONFIRMED and not (line.probe and line.probe.ok)
        ]
        lying = [one for one in await ledger.incidents() if one.phase is Phase.MITIGATING]
        return await ledger.changes(), unproven + [f"the claim on {one.id} was left lying" for one in lying]
    finally:
        await ledger.close()
