"""What the agent says of itself."""

from datetime import datetime

from groundskeeper.model import Value, Watching


class Status(Value, tag=False):
    """How the agent is, for whoever asks at its door."""

    device: str
    pid: int
    since: datetime
    policy: str
    policy_version: int
    policy_digest: str
    policy_problem: str | None
    stopped: str | None
    autonomy: dict[str, str]
    watching: tuple[Watching, ...]
    incidents: int
    unsettled_changes: int
