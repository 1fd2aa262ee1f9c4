"""Names are not resolved: the first server of resolv.conf does not answer, or none is named."""

from groundskeeper.runbooks.resolver_down.rule import ResolverDown
from groundskeeper.runbooks.resolver_down.runbook import AskAnotherServer

__all__ = ["AskAnotherServer", "ResolverDown"]
