"""One connection to the system bus, shared by everything that talks to systemd, and made again after it broke."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.errors import AuthError, DBusError, InvalidAddressError

from groundskeeper.model import GroundskeeperError, Refused, Stale, Unavailable

SYSTEMD = "org.freedesktop.systemd1"
MANAGER_PATH = "/org/freedesktop/systemd1"
MANAGER = f"{SYSTEMD}.Manager"
UNIT = f"{SYSTEMD}.Unit"
SERVICE = f"{SYSTEMD}.Service"
JOB = f"{SYSTEMD}.Job"
PROPERTIES = "org.freedesktop.DBus.Properties"
_FROM = f"type='signal',sender='{SYSTEMD}'"
RULES = (
    f"{_FROM},interface='{PROPERTIES}',member='PropertiesChanged',path_namespace='{MANAGER_PATH}/unit'",
    f"{_FROM},interface='{MANAGER}',member='JobNew',path='{MANAGER_PATH}'",
    f"{_FROM},interface='{MANAGER}',member='JobRemoved',path='{MANAGER_PATH}'",
    f"{_FROM},interface='{MANAGER}',member='UnitFilesChanged',path='{MANAGER_PATH}'",
)
"""All that is listened to, and no more: a restart of one service makes 18 signals."""
_DAEMON = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
_PATIENCE = 5.0
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_SOON = timedelta(seconds=1)

_FORBIDDEN = frozenset(
    {
        "org.freedesktop.DBus.Error.AccessDenied",
        "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
        "org.freedesktop.PolicyKit1.Error.NotAuthorized",
    }
)
_HOPELESS = frozenset(f"{SYSTEMD}.{name}" for name in ("NoSuchUnit", "LoadFailed", "UnitMasked", "ShuttingDown"))
_MOVED_ON = frozenset({"org.freedesktop.DBus.Error.UnknownObject", f"{SYSTEMD}.NoSuchJob"})
_BROKEN = (OSError, EOFError, TimeoutError, DBusError, AuthError)

Filter = Callable[[Message], bool]


class Bus:
    """Calls and signals. Every method raises Unavailable while the bus cannot be reached; calling again reconnects."""

    def __init__(self, address: str | None = None) -> None:
        self._address = address
        self._connection: MessageBus | None = None
        self._connecting = asyncio.Lock()
        self._listeners: dict[asyncio.Queue[Message | None], Filter] = {}
        self._watcher: asyncio.Task[None] | None = None

    async def call(
        self,
        member: str,
        signature: str = "",
        *body: Any,
        path: str = MANAGER_PATH,
        interface: str = MANAGER,
        destination: str = SYSTEMD,
    ) -> list[Any]:
        """The reply's body. Raises Refused where it is not allowed or can never be, Stale where the object is gone."""
        connection = await self._connected()
        return await self._ask(
            connection, member, signature, *body, path=path, interface=interface, destination=destination
        )

    async def _ask(
        self,
        connection: MessageBus,
        member: str,
        signature: str = "",
        *body: Any,
        path: str = MANAGER_PATH,
        interface: str = MANAGER,
        destination: str = SYSTEMD,
    ) -> list[Any]:
        message = Message(
            destination=destination, path=path, interface=interface, member=member, signature=signature, body=list(body)
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                reply = await connection.call(message)
        except _BROKEN as problem:
            self._drop(connection)
            raise Unavailable(f"the system bus did not answer {member}: {problem!r}", _SOON) from problem
        if reply.message_type is MessageType.ERROR:
            raise _meaning(reply)
        return list(reply.body)

    async def get(self, path: str, interface: str, name: str) -> Any:
        """One property, bare of its variant."""
        reply = await self.call("Get", "ss", interface, name, path=path, interface=PROPERTIES)
        return bare(reply[0])

    async def gets(self, path: str, *wanted: tuple[str, str]) -> list[Any]:
        """Several properties, each as (interface, name): sent together, so that they cost about one round trip."""
        return list(await asyncio.gather(*(self.get(path, interface, name) for interface, name in wanted)))

    @contextlib.asynccontextmanager
    async def signals(self, wanted: Filter) -> AsyncIterator["asyncio.Queue[Message | None]"]:
        """Signals that match RULES and pass the filter, from now on; None when the connection broke."""
        queue: asyncio.Queue[Message | None] = asyncio.Queue()
        self._listeners[queue] = wanted
        try:
            await self._connected()
            yield queue
        finally:
            del self._listeners[queue]

    async def close(self) -> None:
        if self._connection is not None:
            self._drop(self._connection)

    async def _connected(self) -> MessageBus:
        async with self._connecting:
            if self._connection is None or not self._connection.connected:
                self._connection = await self._connect()
            return self._connection

    async def _connect(self) -> MessageBus:
        try:
            connection = MessageBus(bus_address=self._address, bus_type=BusType.SYSTEM)
            async with asyncio.timeout(_PATIENCE):
                await connection.connect()
        except InvalidAddressError as problem:
            raise Refused(f"the address of the system bus is not one: {problem}") from problem
        except _BROKEN as problem:
            raise Unavailable(f"the system bus cannot be reached: {problem}", timedelta(seconds=5)) from problem
        connection.add_message_handler(self._deliver)
        self._watcher = asyncio.create_task(self._tell_when_lost(connection))
        destination, path, interface = _DAEMON
        for rule in RULES:
            await self._ask(connection, "AddMatch", "s", rule, destination=destination, path=path, interface=interface)
        await self._ask(connection, "Subscribe")
        return connection

    def _deliver(self, message: Message) -> None:
        if message.message_type is MessageType.SIGNAL:
            for queue, wanted in self._listeners.items():
                if wanted(message):
                    queue.put_nowait(message)

    async def _tell_when_lost(self, connection: MessageBus) -> None:
        with contextlib.suppress(*_BROKEN):
            await connection.wait_for_disconnect()  # type: ignore[no-untyped-call]
        for queue in self._listeners:
            queue.put_nowait(None)

    def _drop(self, connection: MessageBus) -> None:
        if self._connection is connection:
            self._connection = None
        if connection.connected:
            connection.disconnect()


def bare(value: Any) -> Any:
    return value.value if isinstance(value, Variant) else value


def unit_path(unit: str) -> str:
    """The unit's object path: every byte that is no letter and no digit is written as _xx (systemd's escaping)."""
    raw = unit.encode()
    escaped = "".join(
        chr(byte) if byte in _PLAIN and not (at == 0 and byte in b"0123456789") else f"_{byte:02x}"
        for at, byte in enumerate(raw)
    )
    return f"{MANAGER_PATH}/unit/{escaped}"


def unit_name(path: str) -> str:
    """The inverse of `unit_path`."""
    head, *rest = path.rpartition("/")[2].split("_")
    raw = head.encode() + b"".join(bytes.fromhex(part[:2]) + part[2:].encode() for part in rest)
    return raw.decode(errors="replace")


def _meaning(reply: Message) -> GroundskeeperError:
    """What a D-Bus error asks of the caller."""
    text = str(reply.body[0]) if reply.body else reply.error_name or "no reason given"
    if reply.error_name in _FORBIDDEN:
        return Refused(f"systemd does not let this user do it ({text}): it needs root")
    if reply.error_name in _HOPELESS:
        return Refused(f"systemd says: {text}")
    if reply.error_name in _MOVED_ON:
        return Stale(f"systemd no longer knows it: {text}")
    if reply.error_name == "org.freedesktop.DBus.Error.ServiceUnknown":
        return Refused("this machine is not run by systemd: nothing answers to its name on the system bus")
    return Unavailable(f"systemd says: {text}", _SOON)
