"""The policy that holds on this machine: one signed document, less what the owner's floor takes away.

Whatever is wrong with either makes it stricter, never laxer: a policy that is damaged, signed by a stranger or older
than the one before, and a floor that cannot be read, both mean that Groundskeeper only observes, and says why.
"""

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import msgspec

from groundskeeper.agent import notary
from groundskeeper.agent.documents import canonical, opened, read_floor, read_policy
from groundskeeper.agent.home import Home
from groundskeeper.agent.trust import Last, last_seen, read_guarded, remember, trust_own, trusted_keys
from groundskeeper.lib import atomic
from groundskeeper.lib.clock import Clock
from groundskeeper.model import (
    Autonomy,
    Floor,
    GroundskeeperError,
    Invalid,
    Policy,
    Refused,
    Risk,
    Unavailable,
    Value,
)
from groundskeeper.reasoning.policy import tighten

SHIPPED = "as shipped"
"""The name of the policy that comes with Groundskeeper; an owner's own has another."""
SHIPPED_FILE = Path(__file__).with_name("default_policy.toml")
OBSERVE_ONLY = Policy(version=0, name="observe only", autonomy=dict.fromkeys(Risk, Autonomy.OBSERVE))
AGAIN = timedelta(seconds=10)
LONGEST_REASON = 200
Mark = tuple[int, int, int] | None


class Effective(Value, tag=False):
    """The policy as it holds here, its owner's floor included; `problem` says what is wrong with either document.

    `digest` is the SHA-256 of the signed payload, in hex; empty where none is believed. `signed` is that policy, before
    the floor.
    """

    policy: Policy
    digest: str
    problem: str | None = None
    signed: Policy | None = None
    floor: Floor | None = None


class PolicySource:
    """Reads both documents, and notices when they change."""

    def __init__(self, home: Home, clock: Clock) -> None:
        self._home = home
        self._clock = clock
        self._marks: dict[Path, Mark] = {}
        self._again_at: float | None = None
        self._checked: tuple[bytes, frozenset[bytes], bytes] | None = None

    async def load(self) -> Effective:
        """What holds now. At the first start, a key is made and the shipped policy is signed with it.

        Never raises for what is wrong with a document: that is in `problem`.
        """
        noted = ""
        try:
            await self._begin()
        except (GroundskeeperError, OSError) as problem:
            noted = f"the shipped policy could not be put in place ({problem})"
        effective = await self.look()
        try:
            self._remember(effective)
        except (GroundskeeperError, OSError) as problem:
            noted = f"the version of the policy could not be noted ({problem})"
        problems = [problem for problem in (effective.problem, noted) if problem]
        return msgspec.structs.replace(effective, problem="; ".join(problems) or None)

    async def look(self) -> Effective:
        """What holds now; nothing is made or written."""
        self._marks = dict(self._stand())
        self._again_at = None
        problems = []
        signed, digest, floor = None, "", Floor()
        try:
            signed, digest = await self._signed()
        except (GroundskeeperError, OSError) as problem:
            problems.append(f"the policy is not believed, so Groundskeeper only observes: {problem}")
            if isinstance(problem, Unavailable):
                self._again_at = self._clock.elapsed() + AGAIN.total_seconds()
        try:
            floor = self._floor()
        except (GroundskeeperError, OSError) as problem:
            problems.append(f"the owner's file is not understood, so Groundskeeper only observes: {problem}")
            floor = Floor(autonomy=Autonomy.OBSERVE)
        policy = tighten(signed or OBSERVE_ONLY, floor)
        return Effective(policy=policy, digest=digest, problem="; ".join(problems) or None, signed=signed, floor=floor)

    def changed(self) -> bool:
        """Whether what `load` read is different now, or could not be read and is worth another try."""
        if self._again_at is not None and self._clock.elapsed() >= self._again_at:
            return True
        return dict(self._stand()) != self._marks

    def stopped(self) -> str | None:
        """Why all automation is stopped, where it is."""
        stop = self._home.stop_file
        try:
            stop.lstat()
        except FileNotFoundError:
            return None
        except OSError as problem:
            return f"it cannot be seen whether the file {stop} is there ({problem.strerror})"
        why = _first_line(stop)
        return f"the file {stop} is there ({why})" if why else f"the file {stop} is there"

    async def install(self, policy: Policy) -> str:
        """Sign a policy with this machine's own key and put it in force; its digest. The agent notices by itself.

        Raises Invalid where its version does not rise or its name is taken.
        """
        if policy.name == SHIPPED:
            raise Invalid(f"the name “{SHIPPED}” is that of the policy that comes with Groundskeeper: give it another")
        payload = canonical(policy)
        digest = sha256(payload).hexdigest()
        try:
            last = last_seen(self._home)
        except GroundskeeperError:
            last = Last(version=0, digest="")  # damaged; whoever holds the key may begin anew
            remember(self._home, last)
        if policy.version < last.version or (policy.version == last.version and digest != last.digest):
            raise Invalid(
                f"version {last.version} is in force or was: give it `version = {last.version + 1}` or higher"
            )
        await self._put(payload)
        return digest

    # -- the signed policy --------------------------------------------------------------------------------------------

    async def _signed(self) -> tuple[Policy, str]:
        path = self._home.policy_file
        try:
            envelope = read_guarded(path)
        except FileNotFoundError as problem:
            raise Refused("there is none yet: `groundskeeper policy sign FILE` puts one in force") from problem
        trusted = frozenset(trusted_keys(self._home))
        if not trusted:
            raise Refused(f"no key is trusted here ({self._home.trusted}): `groundskeeper policy sign FILE` adds yours")
        payload = await self._unsealed(envelope, trusted)
        policy, digest = opened(payload, str(path)), sha256(payload).hexdigest()
        last = last_seen(self._home)
        if policy.version < last.version:
            raise Refused(f"version {policy.version} is older than version {last.version}, which was in force here")
        if policy.version == last.version and digest != last.digest:
            raise Refused(
                f"there was another version {policy.version} here before: a changed policy needs a higher one"
            )
        return policy, digest

    async def _unsealed(self, envelope: bytes, trusted: frozenset[bytes]) -> bytes:
        if self._checked is None or self._checked[:2] != (envelope, trusted):
            self._checked = (envelope, trusted, await notary.unseal(envelope, trusted))
        return self._checked[2]

    def _remember(self, effective: Effective) -> None:
        """Without this, an older policy, which was laxer perhaps, could be put back."""
        if effective.signed and effective.signed.version > last_seen(self._home).version:
            remember(self._home, Last(version=effective.signed.version, digest=effective.digest))

    async def _begin(self) -> None:
        """Put the shipped policy in force where none ever was, or only an earlier shipped one; else nothing."""
        last = last_seen(self._home)
        if self._home.signing_key.exists() and not trusted_keys(self._home):
            trust_own(self._home, await self._own_key())  # the settings folder was removed, and the state kept
        if not self._home.policy_file.exists():
            if last.version == 0 and not trusted_keys(self._home) - {await self._own_key()}:
                await self._put(canonical(_shipped()))
            return
        shipped = _shipped()
        if shipped.version > last.version > 0 and (await self._signed())[0].name == SHIPPED:
            await self._put(canonical(shipped))

    async def _put(self, payload: bytes) -> None:
        trust_own(self._home, await self._own_key())
        atomic.write(self._home.policy_file, await notary.seal(payload, self._home.signing_key))

    async def _own_key(self) -> bytes:
        self._home.signing_key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return await notary.public_key(self._home.signing_key)

    # -- the owner's floor --------------------------------------------------------------------------------------------

    def _floor(self) -> Floor:
        path = self._home.floor_file
        try:
            return read_floor(read_guarded(path), str(path))
        except FileNotFoundError:
            return Floor()

    def _stand(self) -> Iterator[tuple[Path, Mark]]:
        """How every file that counts stands: a change of contents, owner or rights shows in its change time."""
        home = self._home
        for path in (home.policy_file, home.floor_file, home.trusted, *sorted(home.trusted.glob("*.pub"))):
            try:
                state = path.stat()
            except OSError:
                yield path, None
            else:
                yield path, (state.st_ino, state.st_ctime_ns, state.st_size)


def _shipped() -> Policy:
    return read_policy(SHIPPED_FILE.read_bytes(), str(SHIPPED_FILE))


def _first_line(path: Path) -> str:
    """What somebody wrote into the stop file, if anything: whether it can be read changes nothing."""
    try:
        with path.open(errors="replace") as file:
            return file.readline(LONGEST_REASON).strip()
    except OSError:
        return ""
