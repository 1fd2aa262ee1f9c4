"""One folder per problem: its rule, its runbook, a page for the operator, its cases as data. All pure.

To add one: make the folder, and one line in REFLEXES.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from groundskeeper.model import Invalid, Rule, Runbook
from groundskeeper.runbooks.auth_bruteforce.rule import AuthBruteforce
from groundskeeper.runbooks.auth_bruteforce.runbook import RefuseSource
from groundskeeper.runbooks.clock_unsynchronised.rule import ClockUnsynchronised
from groundskeeper.runbooks.clock_unsynchronised.runbook import KeepTime
from groundskeeper.runbooks.disk_filling.rule import DiskFilling
from groundskeeper.runbooks.disk_filling.runbook import MakeRoom
from groundskeeper.runbooks.filesystem_read_only.rule import FilesystemReadOnly
from groundskeeper.runbooks.filesystem_read_only.runbook import HandOver
from groundskeeper.runbooks.link_or_route_lost import LinkOrRouteLost, PutNetworkBack
from groundskeeper.runbooks.resolver_down import AskAnotherServer, ResolverDown
from groundskeeper.runbooks.runaway_process.rule import RunawayProcess
from groundskeeper.runbooks.runaway_process.runbook import TameProcess
from groundskeeper.runbooks.service_crash_looping.rule import ServiceCrashLooping
from groundskeeper.runbooks.service_crash_looping.runbook import StopRepeating
from groundskeeper.runbooks.service_down.rule import ServiceDown
from groundskeeper.runbooks.service_down.runbook import StartService
from groundskeeper.runbooks.service_hung.rule import ServiceHung
from groundskeeper.runbooks.service_hung.runbook import WakeService


class Reflex(NamedTuple):
    """A rule and the runbook that answers its findings. The rule's fields are the settings of both."""

    rule: type[Rule]
    runbook: Callable[[Any], Runbook]

    @property
    def name(self) -> str:
        return str(self.rule.name)

    def made(self, settings: Mapping[str, Any]) -> tuple[Rule, Runbook]:
        """Both, with the settings that policy gives. Raises Invalid where a setting is unknown or of a wrong type."""
        try:
            rule = msgspec.convert(dict(settings), self.rule)
        except msgspec.ValidationError as problem:
            raise Invalid(f"policy, rules.{self.name}: {problem}") from problem
        return rule, self.runbook(rule)


def made(reflexes: Sequence[Reflex], settings: Mapping[str, Mapping[str, Any]]) -> list[tuple[Rule, Runbook]]:
    """All of them, each with its settings. Raises Invalid where settings are given for a rule that there is not."""
    unknown = settings.keys() - {reflex.name for reflex in reflexes}
    if unknown:
        raise Invalid(f"policy, rules: there is no rule {', '.join(sorted(unknown))}")
    return [reflex.made(settings.get(reflex.name, {})) for reflex in reflexes]


REFLEXES: tuple[Reflex, ...] = (
    Reflex(AuthBruteforce, RefuseSource),
    Reflex(ClockUnsynchronised, KeepTime),
    Reflex(DiskFilling, MakeRoom),
    Reflex(FilesystemReadOnly, HandOver),
    Reflex(LinkOrRouteLost, PutNetworkBack),
    Reflex(RunawayProcess, TameProcess),
    Reflex(ServiceCrashLooping, StopRepeating),
    Reflex(ServiceDown, StartService),
    Reflex(ServiceHung, WakeService),
    Reflex(ResolverDown, AskAnotherServer),
)
