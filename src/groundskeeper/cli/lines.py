"""How things stand, and each piece of news, as plain lines: for files, pipes, and whoever listens to a screen."""

from collections.abc import Iterator
from datetime import datetime

from groundskeeper.cli.gauges import gauges
from groundskeeper.cli.standing import Standing
from groundskeeper.cli.summary import autonomy, summary
from groundskeeper.cli.timeline import moments_of
from groundskeeper.cli.words import PHASES, STAGES, ago, clock_time
from groundskeeper.lib.figures import span
from groundskeeper.model import Entry, Seen


def told(standing: Standing) -> Iterator[str]:
    """Everything that the screen shows, from the most to the least important, with no mark that carries a meaning."""
    yield summary(standing).text
    agent = standing.agent
    if agent:
        yield f"{agent.device}, watched for {span(standing.at - agent.since)}"
        yield f"policy {agent.policy} v{agent.policy_version}: {autonomy(agent.autonomy)}"
        for one in agent.watching:
            yield f"watched: {one.what}" if one.possible else f"not watched: {one.what}: {one.reason}"
    for gauge in gauges(standing.snapshot):
        yield f"seen: {gauge.name}: {gauge.text}"
    for incident in standing.incidents:
        how = f"{PHASES[incident.phase].word}, {ago(incident.moved_at, standing.at)}"
        yield f"wrong: {incident.finding.subject}: {how}: {incident.reason} ({incident.id})"
    for change in standing.changes:
        when = clock_time(change.intended_at, standing.at)
        yield f"done: {when}: {change.action.describe()}: {STAGES[change.stage].word} ({change.id})"


def news(entry: Entry, now: datetime) -> Iterator[str]:
    """One line of the ledger in words; nothing for what is merely seen."""
    if isinstance(entry.event, Seen):
        return
    for moment in moments_of(entry, entry.at):
        if moment.what != "seen":
            named = f" ({entry.incident})" if entry.incident else ""
            yield f"{clock_time(entry.at, now)}  {moment.what}: {moment.text}{named}"
