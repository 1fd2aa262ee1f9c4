"""The recorded past under another policy: what was decided, and what would have been. Pure.

1. The record is read line by line; each decision in it is taken again.
2. Where a rule's settings are the same, the recorded finding and plan stand, and only the guard is asked again. Where
   they differ, the rule judges what had been seen by then, and its runbook proposes anew.
3. A rule with other settings also judges all that was seen, for troubles that were not found at the time.
4. The guard's memory (attempts, cool-down, budgets) is that of the other policy: what it would not have allowed never
   happened; what it alone would have allowed counts as done and as having helped, since nobody can know.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum

import msgspec

from groundskeeper.model import (
    Change,
    ChangeId,
    Decline,
    Entry,
    Finding,
    Incident,
    IncidentId,
    Phase,
    Plan,
    Policy,
    Rule,
    Ruling,
    Runbook,
    Stage,
    Stepped,
    Value,
    Verdict,
)
from groundskeeper.reasoning.guarding import DAY, STOPPED, Situation, guard
from groundskeeper.reasoning.hindsight import Hindsight, believed, found_by, observations
from groundskeeper.reasoning.past import Decision, Past, intent
from groundskeeper.reasoning.planning import plan_for


class Way(Enum):
    DONE = "done"
    ASKED = "asked"
    """It waited for a person's yes."""
    WAITED = "waited"
    """Not yet; it would have been looked at again."""
    REFUSED = "refused"
    """Not allowed: a person's turn."""
    DECLINED = "declined"
    """The runbook itself saw nothing to do."""
    UNSEEN = "unseen"
    """It was not taken for trouble."""
    SPARED = "spared"
    """No decision was due: it had been dealt with before, if that helped."""


class Choice(Value):
    """One policy's decision. `steps` are the actions in words; `ended` what became of them, where they were done."""

    way: Way
    reason: str
    steps: tuple[str, ...] = ()
    ended: str = ""


class Turn(Value):
    """One moment of decision, under the policy of then and under the other."""

    at: datetime
    rule: str
    trouble: str
    incident: IncidentId | None
    was: Choice
    would: Choice

    @property
    def differs(self) -> bool:
        return (self.was.way, self.was.steps) != (self.would.way, self.would.steps)


class Replay(Value):
    """`since` and `until` are what the record covers; `cannot_know` are sentences, each an honest limit of the rest."""

    since: datetime
    until: datetime
    turns: tuple[Turn, ...]
    cannot_know: tuple[str, ...]


Reflexes = Sequence[tuple[Rule, Runbook]]
PERSONS_TURN = (Way.ASKED, Way.REFUSED, Way.DECLINED)
NOT_KNOWN = "nobody can know: it is counted as having helped"
NOT_FOUND = Choice(way=Way.UNSEEN, reason="it was not taken for trouble")
NOT_TROUBLE = Choice(way=Way.UNSEEN, reason="it would not have been taken for trouble")


def replay(lines: Sequence[Entry], policy: Policy, reflexes: Reflexes, *, before: Policy, since: datetime) -> Replay:
    """`reflexes` are made with the settings of `policy`; `before` is the policy in force, whose settings they had.

    The whole record goes in; only what was decided from `since` on comes out.
    """
    if not lines:
        return Replay(since=since, until=since, turns=(), cannot_know=("Nothing is recorded yet.",))
    changed = {rule.name for rule, _ in reflexes if policy.rules.get(rule.name) != before.rules.get(rule.name)}
    other = _Other(policy, reflexes, changed, lines)
    turns = [turn for turn in other.live_through(lines) if turn.at >= since]
    begin = max(since, lines[0].at)
    return Replay(
        since=begin,
        until=lines[-1].at,
        turns=tuple(sorted(turns, key=lambda turn: turn.at)),
        cannot_know=tuple(_cannot_know(turns, changed, begin > since)),
    )


class _Other:
    """The life that the machine would have led under the other policy, beside the one that is recorded."""

    def __init__(self, policy: Policy, reflexes: Reflexes, changed: set[str], lines: Sequence[Entry]) -> None:
        self._policy = policy
        self._runbooks: Mapping[str, Runbook] = {rule.name: runbook for rule, runbook in reflexes}
        self._rules = {rule.name: rule for rule, _ in reflexes if rule.name in changed}
        self._seen = observations(lines)
        self._known = Hindsight(self._seen, lines[0].at)
        self._past = Past()
        self._imagined: list[Change] = []
        self._allowed: dict[IncidentId, bool] = {}
        self._shared: set[ChangeId] = set()
        self._helped: dict[str, datetime] = {}
        self._handed_over: dict[str, datetime] = {}

    def live_through(self, lines: Sequence[Entry]) -> list[Turn]:
        turns: list[tuple[Turn, IncidentId | None, datetime]] = []
        extra = list(reversed(self._overlooked(lines)))
        for line in lines:
            while extra and extra[-1][0] <= line.at:
                at, incident, proposed = extra.pop()
                turns.append((self._found_only_there(at, incident, proposed), None, at))
            decision = self._past.take(line)
            if decision:
                turns.append((self._again(decision), decision.incident.id, decision.at))
            self._follow(line)
        turns += [(self._found_only_there(*one), None, one[0]) for one in reversed(extra)]
        return [self._with_ending(turn, incident, at) for turn, incident, at in turns]

    def _follow(self, line: Entry) -> None:
        """Which of the recorded changes were made in the other life too."""
        begun = isinstance(line.event, Stepped) and line.event.stage is Stage.INTENT
        if begun and line.change and line.incident and self._allowed.get(line.incident):
            self._shared.add(line.change)
        incident = self._past.incidents.get(line.incident) if line.incident else None
        if incident and incident.phase is Phase.RESOLVED:
            self._helped.pop(incident.finding.fingerprint, None)
            self._handed_over.pop(incident.finding.fingerprint, None)

    # -- a decision that is recorded ----------------------------------------------------------------------------------

    def _again(self, decision: Decision) -> Turn:
        finding = decision.incident.finding
        would = self._would(decision)
        if would.way in PERSONS_TURN:
            self._handed_over.setdefault(finding.fingerprint, decision.at)
        elif would.way is Way.DONE:
            self._handed_over.pop(finding.fingerprint, None)
        self._allowed[decision.incident.id] = would.way is Way.DONE
        return Turn(
            at=decision.at,
            rule=finding.rule,
            trouble=finding.reason,
            incident=decision.incident.id,
            was=_choice(decision.proposed, decision.verdict),
            would=would,
        )

    def _would(self, decision: Decision) -> Choice:
        finding, ran = decision.incident.finding, decision.verdict and decision.verdict.ruling is Ruling.RUN
        helped = self._helped.get(finding.fingerprint)
        if helped:
            reason = f"it would have been dealt with at {helped:%H:%M:%S} UTC, if that had helped"
            return Choice(way=Way.SPARED, reason=reason)
        waits = self._handed_over.get(finding.fingerprint)
        if waits and not decision.approved_by:
            return Choice(
                way=Way.ASKED, reason=f"it would still have been with the person told at {waits:%H:%M:%S} UTC"
            )
        incident, proposed = decision.incident, decision.proposed
        if finding.rule in self._rules:
            anew = self._anew(decision)
            if isinstance(anew, Choice):
                return anew
            incident, proposed = anew
        verdict = self._judged(proposed, incident, decision.at, decision)
        would = _choice(proposed, verdict)
        if would.way is Way.DONE and not (ran and proposed == decision.proposed):
            return self._imagine(would, incident, proposed, decision.at)
        return would

    def _anew(self, decision: Decision) -> Choice | tuple[Incident, Plan | Decline]:
        """What the rule would have found in what had been seen by then, and what its runbook would have proposed."""
        incident, at = decision.incident, decision.at
        snapshot = self._known.at(at)
        found = found_by(self._rules[incident.finding.rule], snapshot, at).get(incident.finding.fingerprint)
        if found is None:
            return NOT_TROUBLE
        lasted = at - incident.since
        if lasted < found.lasts:
            wait, so_far = found.lasts.total_seconds(), lasted.total_seconds()
            return Choice(way=Way.WAITED, reason=f"it had to last {wait:.3g} s, and had lasted {so_far:.3g} s")
        incident = msgspec.structs.replace(incident, finding=found)
        return incident, plan_for(incident, snapshot, self._runbooks)

    def _judged(
        self, proposed: Plan | Decline, incident: Incident, at: datetime, decision: Decision | None = None
    ) -> Verdict | None:
        if isinstance(proposed, Decline):
            return None
        said = decision.verdict.reason if decision and decision.verdict else ""
        situation = Situation(
            now=at,
            changes=tuple(change for change in self._changes() if change.intended_at >= at - DAY),
            stopped=said.removeprefix(STOPPED) if said.startswith(STOPPED) else None,
            approved_by=decision.approved_by if decision else (),
        )
        return guard(proposed, incident, self._policy, situation)

    def _changes(self) -> list[Change]:
        shared = [change for change in self._past.changes.values() if change.id in self._shared]
        return sorted([*shared, *self._imagined], key=lambda change: change.intended_at)

    def _imagine(self, would: Choice, incident: Incident, plan: Plan | Decline, at: datetime) -> Choice:
        """Count a plan that never ran as done and as having helped."""
        self._helped[incident.finding.fingerprint] = at
        self._allowed[incident.id] = False
        for action in plan.actions if isinstance(plan, Plan) else ():
            mark = ChangeId(f"imagined {len(self._imagined)}")
            step = Stepped(stage=Stage.CONFIRMED, action=action, reason=NOT_KNOWN)
            self._imagined.append(intent(mark, incident, step, at, plan if isinstance(plan, Plan) else None))
        return msgspec.structs.replace(would, ended=NOT_KNOWN)

    # -- a trouble that only the other policy's rules find ------------------------------------------------------------

    def _overlooked(self, lines: Sequence[Entry]) -> list[tuple[datetime, Incident, Plan | Decline]]:
        spans = _spans(lines)
        found = []
        for rule in self._rules.values():
            for at, finding, snapshot in believed(rule, self._seen, lines[-1].at):
                if any(begin <= at <= end for begin, end in spans.get(finding.fingerprint, ())):
                    continue
                incident = _imagined_incident(finding, at)
                found.append((at, incident, plan_for(incident, snapshot, self._runbooks)))
        return sorted(found, key=lambda one: one[0])

    def _found_only_there(self, at: datetime, incident: Incident, proposed: Plan | Decline) -> Turn:
        would = _choice(proposed, self._judged(proposed, incident, at))
        if would.way is Way.DONE:
            would = self._imagine(would, incident, proposed, at)
        finding = incident.finding
        return Turn(at=at, rule=finding.rule, trouble=finding.reason, incident=None, was=NOT_FOUND, would=would)

    # -- endings ------------------------------------------------------------------------------------------------------

    def _with_ending(self, turn: Turn, incident: IncidentId | None, at: datetime) -> Turn:
        """The turn with how its recorded changes ended, which only the whole record tells."""
        mine = [one for one in self._past.changes.values() if one.incident == incident and one.intended_at == at]
        if turn.was.way is not Way.DONE or not mine:
            return turn
        ended = "; ".join(dict.fromkeys(change.stage.value.replace("_", " ") for change in mine))
        was = msgspec.structs.replace(turn.was, ended=ended)
        same = turn.would.way is Way.DONE and not turn.would.ended
        return msgspec.structs.replace(turn, was=was, would=was if same else turn.would)


def _choice(proposed: Plan | Decline, verdict: Verdict | None) -> Choice:
    if isinstance(proposed, Decline) or verdict is None:
        return Choice(way=Way.DECLINED, reason=proposed.reason)
    steps = tuple(action.describe() for action in proposed.actions)
    ways = {Ruling.RUN: Way.DONE, Ruling.ASK: Way.ASKED, Ruling.REFUSE: Way.WAITED if verdict.retry_at else Way.REFUSED}
    return Choice(way=ways[verdict.ruling], reason=verdict.reason, steps=steps)


def _imagined_incident(finding: Finding, at: datetime) -> Incident:
    mark = IncidentId(f"imagined {finding.fingerprint} {at.isoformat()}")
    return Incident(id=mark, finding=finding, phase=Phase.OPEN, since=at, moved_at=at, reason=finding.reason)


def _spans(lines: Sequence[Entry]) -> dict[str, list[tuple[datetime, datetime]]]:
    """When each trouble was on record, from its finding to its end, by fingerprint."""
    past = Past()
    for line in lines:
        past.take(line)
    spans: dict[str, list[tuple[datetime, datetime]]] = {}
    for incident in past.incidents.values():
        end = lines[-1].at if incident.live else incident.moved_at
        spans.setdefault(incident.finding.fingerprint, []).append((incident.since, end))
    return spans


def _cannot_know(turns: Sequence[Turn], changed: set[str], short: bool) -> Iterator[str]:
    def count(fits: Callable[[Turn], bool]) -> int:
        return sum(map(fits, turns))

    if short:
        yield "The record does not go back as far as was asked."
    new = count(lambda turn: turn.would.ended == NOT_KNOWN)
    if new:
        yield f"How {new} of the repairs would have ended that were never made: each is counted as having helped."
    gone = count(lambda turn: turn.was.way is Way.DONE and turn.would.way not in (Way.DONE, Way.SPARED))
    if gone:
        yield (
            f"What would have come of {gone} of the troubles without the repair that was made: all that was seen "
            "afterwards was seen on a machine that had been put right."
        )
    if changed:
        yield (
            f"Whether {', '.join(sorted(changed))} would have seen still more: only changes that mattered at the time "
            "are kept, and the settings until now are taken to be those of the policy in force."
        )
