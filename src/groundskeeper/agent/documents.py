"""The files that people write: a policy, and the owner's floor. TOML in, values out, or a sentence that says where.

Times are written as people write them: "30 s", "5 min", "2 hours"; "22:00"; days as "Monday" or "Mon".
"""

import re
import sys
import tomllib
from collections.abc import Collection, Mapping
from datetime import time, timedelta
from ipaddress import ip_network
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from groundskeeper.model import Action, Autonomy, Budgets, Floor, Invalid, Policy, Risk, Window
from groundskeeper.runbooks import REFLEXES, made
from groundskeeper.subsystems import KINDS

T = TypeVar("T")

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SECONDS = {"ms": 0.001, "s": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}
SPAN = re.compile(rf"(\d+(?:\.\d+)?) ?({'|'.join(SECONDS)})s?")
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
WHERE = re.compile(r"(?P<what>.*?)(?: - at (?P<key>`key` in )?`\$\.?(?P<path>[^`]*)`)?", re.DOTALL)
UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
MISSING = re.compile(r"Object missing required field `(.*)`")
BAD_CHOICE = re.compile(r"Invalid enum value '?(.*?)'?")
WORDS: Mapping[str, str] = {
    "str": "a text", "int": "a number", "float": "a number", "bool": "true or false", "array": "a list",
    "object": "a table", "null": "nothing",
}  # fmt: skip
PARTS: Mapping[str, type] = {"budgets": Budgets, "windows": Window}
UNBOUNDED: Mapping[str, Any] = {
    **dict.fromkeys(("attempts", "repeats", "at_once", "contained"), sys.maxsize),
    **dict.fromkeys(("cooldown", "watch"), timedelta()),
    "per_day": {},
}
"""What a floor that leaves a budget out takes away of it: nothing."""


def canonical(policy: Policy) -> bytes:
    """The one JSON form of a policy: what is signed, and what its digest is taken of."""
    plain = msgspec.to_builtins(policy, str_keys=True, builtin_types=())
    plain["standard_changes"].sort()
    for window in plain["windows"]:
        window["days"].sort()
    return msgspec.json.encode(plain, order="sorted")


def read_policy(text: bytes, origin: str) -> Policy:
    """The policy that somebody wrote. Raises Invalid, naming the file, the place in it and what is wrong there."""
    policy = _read(text, origin, Policy)
    check(policy, origin)
    return opened(canonical(policy), origin)


def opened(payload: bytes, origin: str) -> Policy:
    """The policy that `canonical` wrote. Raises Invalid where it is none, or asks for what there is not here."""
    try:
        policy = msgspec.json.decode(payload, type=Policy)
    except msgspec.MsgspecError as problem:
        raise Invalid(f"{origin}: it is not a policy that this version understands ({problem})") from problem
    check(policy, origin)
    return policy


def read_floor(text: bytes, origin: str) -> Floor:
    """What the owner takes away. Raises Invalid for the least mistake: a limit that is not understood is not kept."""
    floor = _read(text, origin, Floor)
    for name in floor.not_standard:
        _known(name, _kinds(), origin, "not_standard", "kind of action")
    _check_parts(floor.windows, floor.never_ban, floor.budgets or Budgets(), origin)
    _check_runbooks(floor.runbooks, origin)
    return floor


def read_span(text: str) -> timedelta | None:
    """A duration as people write it: "30 s", "5 min", "7d"; None where it is none."""
    span = SPAN.fullmatch(text.strip())
    return timedelta(seconds=float(span[1]) * SECONDS[span[2]]) if span else None


def check(policy: Policy, origin: str) -> None:
    """Raises Invalid for what has the right form and still cannot be meant."""
    if policy.version < 1:
        raise Invalid(f"{origin}: version: it begins at 1, and rises with each change")
    for name in policy.standard_changes:
        _known(name, _kinds(), origin, "standard_changes", "kind of action")
    _check_parts(policy.windows, policy.never_ban, policy.budgets, origin)
    _check_runbooks(policy.runbooks, origin)
    _check_rules(policy.rules, origin)


def _check_rules(settings: Mapping[str, Mapping[str, Any]], origin: str) -> None:
    known = {reflex.name: reflex for reflex in REFLEXES}
    for name, given in settings.items():
        _known(name, known, origin, "rules", "rule")
        try:
            msgspec.convert(dict(given), known[name].rule)
        except msgspec.ValidationError as problem:
            said = _in_words(str(problem), dict(given), known[name].rule)
            raise Invalid(f"{origin}: rules.{name}.{said}") from problem


def _kinds() -> set[str]:
    return {kind.__name__ for kind in KINDS if issubclass(kind, Action)}


def _check_runbooks(named: Mapping[str, Autonomy], origin: str) -> None:
    known = {runbook.name for _, runbook in made(REFLEXES, {})}
    for name in named:
        _known(name, known, origin, "runbooks", "runbook")


def _known(name: str, known: Collection[str], origin: str, where: str, noun: str) -> None:
    if name not in known:
        raise Invalid(f"{origin}: {where}.{name}: there is no such {noun} (there are: {', '.join(sorted(known))})")


def _check_parts(windows: tuple[Window, ...], never_ban: tuple[str, ...], budgets: Budgets, origin: str) -> None:
    for window in windows:
        _check_window(window, f"{origin}: windows, “{window.name}”")
    for network in never_ban:
        try:
            ip_network(network, strict=False)
        except ValueError as problem:
            raise Invalid(f"{origin}: never_ban: {network} is neither an address nor a network") from problem
    counts = [budgets.attempts, budgets.repeats, budgets.at_once, budgets.contained, *budgets.per_day.values()]
    if min(counts) < 0 or min(budgets.cooldown, budgets.watch) < timedelta():
        raise Invalid(f"{origin}: budgets: none of them can be less than nothing")


def _check_window(window: Window, where: str) -> None:
    try:
        ZoneInfo(window.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise Invalid(f"{where}: this machine knows no time zone {window.timezone} (one is Europe/Berlin)") from problem
    if not window.days or not window.days <= set(range(1, 8)):
        raise Invalid(f"{where}: days: they are 1 (Monday) to 7 (Sunday)")
    if window.start.tzinfo or window.end.tzinfo:
        raise Invalid(f"{where}: its times are those of its timezone: leave the offset out")


# -- TOML → value -----------------------------------------------------------------------------------------------------


def _read(text: bytes, origin: str, kind: type[T]) -> T:
    try:
        raw = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise Invalid(f"{origin}: it is not TOML: {problem}") from problem
    meant = _meant(raw, origin)
    if kind is Floor and isinstance(meant.get("budgets"), dict):
        meant["budgets"] = {**UNBOUNDED, **meant["budgets"]}
    try:
        return msgspec.convert(meant, kind)
    except msgspec.ValidationError as problem:
        raise Invalid(f"{origin}: {_in_words(str(problem), meant, kind)}") from problem


def _meant(raw: dict[str, Any], origin: str) -> dict[str, Any]:
    meant: dict[str, Any] = _spans(raw)
    windows = meant.get("windows", [])
    for window in windows if isinstance(windows, list) else []:
        if isinstance(window, dict):
            _read_window(window, origin)
    return meant


def _spans(raw: Any) -> Any:
    """The same, with "30 s" and its like as durations."""
    if isinstance(raw, dict):
        return {name: _spans(value) for name, value in raw.items()}
    if isinstance(raw, list):
        return [_spans(value) for value in raw]
    return raw if not isinstance(raw, str) or (span := read_span(raw)) is None else span


def _read_window(window: dict[str, Any], origin: str) -> None:
    for name in ("start", "end"):
        clock = CLOCK.fullmatch(str(window.get(name)))
        if clock:
            window[name] = time(int(clock[1]), int(clock[2]))
    days = window.get("days")
    if isinstance(days, list):
        window["days"] = [_day(day, origin) if isinstance(day, str) else day for day in days]


def _day(name: str, origin: str) -> int:
    short = name[:3].lower()
    if short not in DAYS:
        raise Invalid(f"{origin}: windows: {name} is not a day of the week")
    return DAYS.index(short) + 1


# -- what is wrong, and where -----------------------------------------------------------------------------------------


def _in_words(said: str, raw: Any, kind: type) -> str:
    """msgspec's message as the place and a sentence: "autonomy.disruptve: there is no such risk (there are: …)"."""
    found = WHERE.fullmatch(said)
    what, path = (found["what"], found["path"] or "") if found else (said, "")
    if "[...]" in path:
        path = _culprit(raw, path, said, kind)
    part = PARTS.get(re.split(r"[.\[]", path)[0], kind)
    if unknown := UNKNOWN.fullmatch(what):
        there_are = ", ".join(sorted(field.encode_name for field in msgspec.structs.fields(part)))
        return f"{_join(path, unknown[1])}: there is no such setting (there are: {there_are})"
    if missing := MISSING.fullmatch(what):
        return f"{_join(path, missing[1])}: it is missing"
    if choice := BAD_CHOICE.fullmatch(what):
        if found and found["key"]:
            return f"{_join(path, choice[1])}: there is no such risk (there are: {_choices(Risk)})"
        return f"{path}: there is no such level as “{choice[1]}” (there are: {_choices(Autonomy)})"
    if "duration" in what or "`duration`" in what:
        return f"{path}: write a duration as “30 s”, “5 min” or “2 hours”"
    if "time" in what:
        return f"{path}: write a time as “22:00”"
    for jargon, word in WORDS.items():
        what = what.replace(f"`{jargon}`", word)
    return f"{path}: {what[:1].lower()}{what[1:]}" if path else what


def _culprit(raw: Any, path: str, said: str, kind: type) -> str:
    """The path with the key that msgspec leaves out: the first entry that makes the same mistake alone."""
    before, _, after = path.partition("[...]")
    for name, value in raw[before].items() if isinstance(raw.get(before), dict) else ():
        try:
            msgspec.convert({**raw, before: {name: value}}, kind)
        except msgspec.ValidationError as problem:
            if str(problem) == said:
                return f"{before}.{name}{after}"
    return before + after


def _choices(kind: type[Risk] | type[Autonomy]) -> str:
    return ", ".join(one.value for one in kind)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
