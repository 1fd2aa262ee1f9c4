"""A link, an address or a route that was there for long is gone; or a route that swallows the way out has appeared."""

from groundskeeper.runbooks.link_or_route_lost.rule import LinkOrRouteLost
from groundskeeper.runbooks.link_or_route_lost.runbook import PutNetworkBack

__all__ = ["LinkOrRouteLost", "PutNetworkBack"]
