"""The resolver through the whole loop: a real resolv.conf in a folder of the test's own, real servers in namespaces."""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from groundskeeper.lib.clock import SystemClock
from groundskeeper.model import Already, Impossible, Needed, Phase, Stage
from groundskeeper.runbooks.resolver_down import AskAnotherServer, ResolverDown
from groundskeeper.subsystems.resolver.effects import ResolverEffect, ResolverFileEffect, ResolverProber
from groundskeeper.subsystems.resolver.memory import ResolverMemory
from groundskeeper.subsystems.resolver.sensor import ResolverSensor
from groundskeeper.subsystems.resolver.types import (
    EnsureResolver,
    EnsureResolverFile,
    Keeper,
    NameResolves,
    Resolver,
)

from .nameserver import serving
from .netns import ip, machine_and_gateway
from .whole import DEVICE, Home, Machine, at_home

GOOD, OTHER, SILENT = "10.91.7.53", "10.91.7.54", "10.91.7.99"
"""Two servers on this machine's own network, and an address at which nobody lives."""
PORT = 5399


@pytest.fixture
def conf(tmp_path) -> Iterator[Path]:
    """resolv.conf in a machine whose own addresses play the servers'."""
    with machine_and_gateway():
        for server in (GOOD, OTHER):
            ip("address", "add", f"{server}/32", "dev", "lo")
        path = tmp_path / "etc" / "resolv.conf"
        path.parent.mkdir()
        path.write_text(f"search example.org\nnameserver {GOOD}\noptions edns0\n")
        yield path


@asynccontextmanager
async def home(conf: Path, fallback: tuple[str, ...] = ()):
    folder = conf.parent.parent
    memory = ResolverMemory(folder / "resolver.json")
    rule = ResolverDown()
    sensor = ResolverSensor(SystemClock(), memory, fallback, path=conf, port=PORT, root=folder)
    machine = Machine(
        {EnsureResolver: ResolverEffect(memory, PORT), EnsureResolverFile: ResolverFileEffect()},
        {NameResolves: ResolverProber(memory, conf, PORT)},
    )
    async with at_home(folder, sensor, machine, [(rule, AskAnotherServer(rule))]) as here:
        yield here


def fact(here: Home) -> Resolver | None:
    return here.engine.snapshot.get(Resolver, "resolver", DEVICE)


async def until(holds, here: Home, within: float = 8.0) -> float:
    """Seconds until it held."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() < began + within, f"{fact(here)}\n{await here.told()}"
        await asyncio.sleep(0.002)
    return time.monotonic() - began


async def works(here: Home) -> None:
    await until(lambda: (seen := fact(here)) is not None and seen.working, here)


def first(conf: Path) -> str:
    if not conf.is_file():
        return ""
    lines = [line.split() for line in conf.read_bytes().decode(errors="replace").splitlines()]
    return next((words[1] for words in lines if words[:1] == ["nameserver"]), "")


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def umount(*words: str) -> None:
    subprocess.run(["umount", *words], check=True)


def emptied(conf: Path) -> None:
    conf.write_text("")


def removed(conf: Path) -> None:
    conf.unlink()


def overwritten(conf: Path) -> None:
    conf.write_text(f"nameserver {SILENT}\n")


def rubbish(conf: Path) -> None:
    conf.write_bytes(b"\xff\xfe nameserver \x00\nnameserver 999.1.1.1\n")


def nobody_listens(conf: Path) -> None:
    conf.write_text("nameserver 10.91.7.54\n")


def dangling(conf: Path) -> None:
    conf.unlink()
    conf.symlink_to("../run/nowhere/resolv.conf")


def no_file_at_all(conf: Path) -> None:
    conf.unlink()
    conf.symlink_to("/dev/zero")


FAULTS = {
    emptied: 0.4,
    removed: 0.4,
    rubbish: 0.4,
    nobody_listens: 0.4,
    dangling: 0.4,
    no_file_at_all: 0.4,
    overwritten: 2.0,
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_names_are_resolved_again(conf, fault):
    async with serving(GOOD, PORT), home(conf) as here:
        await works(here)
        fault(conf)
        took = await until(lambda: first(conf) == GOOD, here)
        await works(here)
        changes = await here.changes()
        while changes[-1].stage is not Stage.CONFIRMED:
            await asyncio.sleep(0.01)
            changes = await here.changes()
        assert len(changes) == 1, await here.told()
        assert took < FAULTS[fault]
        print(f"\n{fault.__name__}: {took * 1000:.0f} ms")


async def test_what_was_there_comes_back_to_the_byte_when_a_person_says_so(conf):
    old = f"# mine\nnameserver {SILENT}\noptions timeout:1 \n\n".encode()
    async with serving(GOOD, PORT), home(conf) as here:
        await works(here)
        conf.write_bytes(old)
        os.chmod(conf, 0o640)
        os.chown(conf, 7, 8)
        await until(lambda: first(conf) == GOOD, here)
        await works(here)
        state = conf.stat()
        assert (state.st_mode & 0o777, state.st_uid, state.st_gid) == (0o640, 7, 8)
        assert "# mine" in conf.read_text()
        assert "groundskeeper" in conf.read_text()
        [change] = await here.changes()
        await here.engine.undo(change.id, "a person")
        assert conf.read_bytes() == old
        assert conf.stat().st_mode & 0o777 == 0o640


async def test_a_server_that_begins_to_fail_is_passed_over_for_one_that_works(conf):
    conf.write_text(f"nameserver {GOOD}\nnameserver {OTHER}\n")
    async with serving(GOOD, PORT) as good, serving(OTHER, PORT), home(conf) as here:
        await works(here)
        good.code = None
        took = await until(lambda: first(conf) == OTHER, here)
        print(f"\nthe server falls silent: {took * 1000:.0f} ms")
        assert took < 5.5


async def test_a_server_that_can_only_say_that_it_cannot_is_passed_over(conf):
    conf.write_text(f"nameserver {GOOD}\nnameserver {OTHER}\n")
    async with serving(GOOD, PORT) as good, serving(OTHER, PORT), home(conf) as here:
        await works(here)
        good.code = 2
        await until(lambda: first(conf) == OTHER, here)


async def test_an_office_without_the_internet_is_left_in_peace(conf):
    async with serving(GOOD, PORT) as good, home(conf) as here:
        good.code = 5
        await works(here)
        await asyncio.sleep(0.5)
        assert await here.incidents() == []


async def test_one_lost_answer_is_no_outage(conf):
    async with serving(GOOD, PORT) as good, home(conf) as here:
        await works(here)
        asked, good.code = good.asked, None
        await until(lambda: good.asked > asked, here)
        good.code = 0
        await asyncio.sleep(1.2)
        assert await here.incidents() == []


async def test_a_person_who_changes_to_another_working_server_is_not_fought(conf):
    async with serving(GOOD, PORT), serving(OTHER, PORT), home(conf) as here:
        await works(here)
        digest = fact(here).digest
        conf.write_text(f"nameserver {OTHER}\n")
        await until(lambda: fact(here).digest != digest, here)
        await asyncio.sleep(0.3)
        assert fact(here).working
        assert first(conf) == OTHER
        assert await here.incidents() == []


async def test_a_link_is_followed_and_kept(conf):
    target = conf.parent.parent / "run" / "resolv.conf"
    target.parent.mkdir()
    conf.rename(target)
    conf.symlink_to("../run/resolv.conf")
    async with serving(GOOD, PORT), home(conf) as here:
        await works(here)
        target.write_text(f"nameserver {SILENT}\n")
        await until(lambda: first(conf) == GOOD, here)
        assert conf.is_symlink()
        assert str(conf.readlink()) == "../run/resolv.conf"


async def test_where_nothing_answers_nothing_is_written(conf):
    before = conf.read_bytes()
    async with home(conf) as here:
        await until(lambda: fact(here) is not None, here)
        assert not fact(here).working
        assert (fact(here).candidates, fact(here).keeper) == ((), Keeper.FILE)
        deadline = time.monotonic() + 12
        while not any(i.phase is Phase.ESCALATED for i in await here.incidents()):
            assert time.monotonic() < deadline, await here.told()
            await asyncio.sleep(0.05)
        assert conf.read_bytes() == before


async def test_only_a_server_that_answers_is_ever_written(conf):
    effect = ResolverEffect(ResolverMemory(None), PORT)
    action = EnsureResolver(device=DEVICE, servers=(SILENT, OTHER), path=str(conf))
    assert isinstance(await effect.look(action), Impossible)
    async with serving(OTHER, PORT):
        conf.write_text(f"nameserver {SILENT}\n")
        sight = await effect.look(action)
        assert isinstance(sight, Needed)
        await effect.apply(action)
        once = conf.read_bytes()
        await effect.apply(action)
        assert conf.read_bytes() == once
        assert isinstance(await effect.look(action), Already)
        assert first(conf) == OTHER
        assert sight.undo is not None
        await ResolverFileEffect().apply(sight.undo)
        assert isinstance(await ResolverFileEffect().look(sight.undo), Already)
        assert conf.read_text() == f"nameserver {SILENT}\n"


async def test_a_write_that_was_cut_short_leaves_nothing_behind_once_it_is_taken_back(conf):
    effect, undoing = ResolverEffect(ResolverMemory(None), PORT), ResolverFileEffect()
    conf.write_text(f"nameserver {SILENT}\n")
    async with serving(GOOD, PORT):
        sight = await effect.look(EnsureResolver(device=DEVICE, servers=(GOOD,), path=str(conf)))
    assert isinstance(sight, Needed)
    assert sight.undo is not None
    (conf.parent / ".resolv.conf.groundskeeper").write_text("nameser")
    assert isinstance(await undoing.look(sight.undo), Needed)
    await undoing.apply(sight.undo)
    assert isinstance(await undoing.look(sight.undo), Already)
    assert [entry.name for entry in conf.parent.iterdir()] == ["resolv.conf"]


async def test_a_link_that_led_nowhere_is_put_back_as_it_was(conf):
    dangling(conf)
    effect = ResolverEffect(ResolverMemory(None), PORT)
    action = EnsureResolver(device=DEVICE, servers=(GOOD,), path=str(conf))
    async with serving(GOOD, PORT):
        sight = await effect.look(action)
        assert isinstance(sight, Needed)
        assert sight.undo is not None
        await effect.apply(action)
        assert first(conf) == GOOD
        await ResolverFileEffect().apply(sight.undo)
        assert str(conf.readlink()) == "../run/nowhere/resolv.conf"
        assert isinstance(await ResolverFileEffect().look(sight.undo), Already)


async def test_a_file_mounted_from_elsewhere_is_written_where_it_stands(conf):
    """As in a container: a mount point cannot be replaced."""
    other = conf.with_name("outside")
    other.write_text(f"nameserver {SILENT}\n")
    mount("--bind", str(other), str(conf))
    try:
        effect = ResolverEffect(ResolverMemory(None), PORT)
        async with serving(GOOD, PORT):
            await effect.apply(EnsureResolver(device=DEVICE, servers=(GOOD,), path=str(conf)))
        assert first(conf) == GOOD
        assert other.read_text() == conf.read_text()
    finally:
        umount(str(conf))
