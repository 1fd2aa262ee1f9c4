"""What can go wrong with a lab, named for what the person does next."""


class LabError(Exception):
    """The lab could not do it; the message says what, where, and the command that helps."""
