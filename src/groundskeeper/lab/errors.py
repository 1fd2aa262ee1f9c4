"""What can go wrong with a lab, named for what the person does next."""

from groundskeeper.model import Refused


class LabError(Refused):
    """The lab could not do it; the message says what, where, and the command that helps."""
