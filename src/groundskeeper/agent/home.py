"""Where the agent of a machine keeps what, and where its owner tells it things."""

import os
from pathlib import Path

from groundskeeper.model import Refused, Value


class Home(Value, tag=False):
    """`state` survives a reboot, `run` does not, `config` belongs to the machine's owner."""

    state: Path
    run: Path
    config: Path

    @property
    def ledger(self) -> Path:
        return self.state / "ledger.db"

    @property
    def lock(self) -> Path:
        return self.state / "agent.lock"

    @property
    def socket(self) -> Path:
        return self.run / "agent.sock"

    @property
    def stop_file(self) -> Path:
        """While this file is there, nothing is done by itself."""
        return self.config / "stop"

    @property
    def floor_file(self) -> Path:
        """What the owner takes away from policy, whatever it allows."""
        return self.config / "floor.toml"

    @property
    def trusted(self) -> Path:
        """The public keys of those who may say what policy is."""
        return self.config / "trusted"

    @property
    def policy_file(self) -> Path:
        """The signed policy."""
        return self.state / "policy.json"

    @property
    def policy_seen(self) -> Path:
        """Which version was in force last: an older one is not gone back to."""
        return self.state / "policy-seen.json"

    @property
    def signing_key(self) -> Path:
        return self.state / "keys" / "policy.key"

    def make(self) -> None:
        """Make the folders, for nobody else to read. Raises Refused, naming the folder, where that cannot be."""
        for folder in (self.state, self.run, self.config):
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as problem:
                hint = "GROUNDSKEEPER_HOME=DIR names another place"
                raise Refused(f"{folder} cannot be made ({problem.strerror}): {hint}") from problem


def home(at: Path | None = None) -> Home:
    """The home at a folder; else at $GROUNDSKEEPER_HOME; else root's, or the ordinary user's own (XDG)."""
    named = at or (Path(os.environ["GROUNDSKEEPER_HOME"]) if os.environ.get("GROUNDSKEEPER_HOME") else None)
    if named:
        return Home(state=named / "state", run=named / "run", config=named / "config")
    if os.geteuid() == 0:
        return Home(
            state=Path("/var/lib/groundskeeper"), run=Path("/run/groundskeeper"), config=Path("/etc/groundskeeper")
        )
    user = Path.home()
    state = Path(os.environ.get("XDG_STATE_HOME") or user / ".local/state") / "groundskeeper"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or user / ".config") / "groundskeeper"
    return Home(state=state, run=Path(runtime) / "groundskeeper" if runtime else state / "run", config=config)
