"""What is changed in a trial."""

from typing import Protocol

from groundskeeper.model import Action


class Subject(Protocol):
    """One real change, the trouble that it ends, and the truth about both, asked of the kernel and not of our drivers.

    `reversible`: what was begun can be taken back, so that nothing between the old and the new may ever be left.
    """

    name: str
    reversible: bool

    def dress(self) -> None:
        """Once for each worker, in namespaces of its own: what the machine is like."""
        ...

    def spoil(self) -> None:
        """Before each trial: the trouble is there, always in just the same way."""
        ...

    def action(self) -> Action:
        """What would end the trouble, as a runbook would propose it now."""
        ...

    def truth(self) -> str:
        """How things stand: the same words each time that they stand the same."""
        ...

    def made(self) -> int:
        """How often the change was made since `spoil`, counted by the kernel; 0 where it does not tell."""
        ...
