"""Which node is which lock, and what becomes of it while the link to the server stands."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from drivers.zwave.alarms import keypad_off
from drivers.zwave.capabilities import (
    UnfitError,
    ask_serial,
    battery_of,
    demand_user_code,
    examine,
    identity_of,
    keypad_mode_of,
    serial_of,
)
from drivers.zwave.client import Client
from drivers.zwave.clocks import Clocks
from drivers.zwave.events import NodeEvents
from drivers.zwave.feed import Feed
from drivers.zwave.lock import SERIAL_TRIES, ZwaveLock
from drivers.zwave.node import Event, Node, Nodes
from drivers.zwave.numbers import CommandClass, NodeStatus
from drivers.zwave.radio import Radio
from drivers.zwave.schedules import room_of
from gateway.domain.driver import (
    AllCleared,
    AuthorityDown,
    AuthorityLost,
    AuthorityUp,
    DriverError,
    LockDead,
    LockSeen,
    LockUnreachable,
    NoAnswer,
    Refused,
)
from gateway.domain.pulse import Beat
from gateway.domain.trouble import about

_LOG = logging.getLogger(__name__)

UNTESTED_DRIVER = 16
"""zwave-js 16 takes away the events of User Code slots (zwave-js#8930)."""
KEEP_CODES = {"interview": {"queryAllUserCodes": True}}
"""Without it zwave-js erases every code of a lock in its first interview (since 15.19, zwave-js#8525)."""
EXAMINE_AGAIN_S = 60.0
"""Before a lock that gave no answer is examined again; doubles each time. News of it may end the pause."""
EXAMINE_AGAIN_MOST_S = 1800.0


class Network:
    """The configured locks among the nodes of the server."""

    def __init__(
        self, locks: Mapping[str, ZwaveLock], radio: Radio, feed: Feed, clocks: Clocks, zone: ZoneInfo
    ) -> None:
        """Know the locks; no node is known before `attach`. `clocks` are those of locks with schedules."""
        self._locks = locks
        self._radio = radio
        self._feed = feed
        self._clocks = clocks
        self._zone = zone
        self._due: asyncio.Queue[ZwaveLock | None] = asyncio.Queue()
        self._listeners: dict[str, NodeEvents] = {}
        self._again: dict[str, asyncio.TimerHandle] = {}
        self._tries: dict[str, int] = {}
        self._new: set[int] = set()
        """Nodes that were included in this connection: their locks have lost their codes."""
        self.warnings: tuple[str, ...] = ()

    def attach(self, client: Client) -> None:
        """Listen to the nodes. Called before the first event of the connection is read."""
        self._radio.connect(client)
        self._due = asyncio.Queue()
        self._new.clear()
        nodes = client.nodes
        nodes.on("node added", lambda event: self._added(nodes, event["node"]))
        nodes.on("node removed", lambda event: self._removed(nodes, event["node"]))
        # The server's driver started anew: all nodes we know are of the old one.
        nodes.on("driver ready", lambda _event: self._due.put_nowait(None))
        for node in nodes.by_id.values():
            self._heed_name(nodes, node)
        for lock in self._locks.values():
            self._place(lock, nodes)

    async def serve(self, client: Client, beat: Beat | None = None) -> None:
        """Make the server safe, announce it, then examine locks as they get ready.

        `beat` takes the signs of life. Returns when the connection should be made anew. Raises any
        DriverError of the start.
        """
        beat = beat or Beat()
        beat.on_radio()
        await self._radio.server_command("driver.update_options", options=KEEP_CODES)
        home_id = client.version.home_id
        self.warnings = _warnings(client.version.driver_version)
        self._feed.put(AuthorityUp(device_ids=tuple(self._locks)))
        while True:
            beat.idle()
            lock = await self._due.get()
            if lock is None:
                return
            beat.on_radio()
            await self._examine(lock, home_id)

    def lost(self) -> None:
        """Forget the nodes of a broken connection and tell the engine."""
        self._radio.disconnect()
        for listener in self._listeners.values():
            listener.stop()
        self._listeners.clear()
        for timer in self._again.values():
            timer.cancel()
        self._again.clear()
        self._tries.clear()
        for lock in self._locks.values():
            lock.node, lock.capabilities, lock.problem = None, None, "the Z-Wave server is not reached"
        self._feed.put(AuthorityLost(device_ids=tuple(self._locks)))

    def _place(self, lock: ZwaveLock, nodes: Nodes) -> None:
        meant = [node for node in nodes.by_id.values() if _is_meant(lock, node)]
        if len(meant) != 1:
            lock.unfit(f"{len(meant)} nodes of the network fit its configuration, one is needed")
            return
        taken = next((other for other in self._locks.values() if other.node is meant[0]), None)
        if taken is not None:
            lock.unfit(f"its node is that of {taken.device_id}")
            return
        lock.node = meant[0]
        lock.included_anew = lock.included_anew or lock.node.node_id in self._new
        lock.dead = lock.node.status == NodeStatus.DEAD
        lock.problem = "it has not been examined yet"
        self._listeners[lock.device_id] = NodeEvents(
            lock,
            lock.node,
            ready=lambda: self._due.put_nowait(lock),
            alive=lambda: self._clocks.doubt(lock),
        )
        self._due.put_nowait(lock)

    def _added(self, nodes: Nodes, node: Node) -> None:
        self._new.add(node.node_id)
        self._heed_name(nodes, node)
        self._look_again(nodes)

    def _heed_name(self, nodes: Nodes, node: Node) -> None:
        """Place locks when a node gets the name by which one is configured, or another than that.

        A new node has none yet.
        """

        def changed(event: Event) -> None:
            if event["args"]["commandClass"] == CommandClass.NODE_NAMING:
                self._look_again(nodes)

        node.on("value added", changed)
        node.on("value updated", changed)
        node.on("ready", lambda _event: self._look_again(nodes))

    def _look_again(self, nodes: Nodes) -> None:
        """Place the locks that have no node, where there is one that may be theirs."""
        for lock in self._locks.values():
            if lock.node is None and any(_is_meant(lock, node) for node in nodes.by_id.values()):
                self._place(lock, nodes)

    def _removed(self, nodes: Nodes, node: Node) -> None:
        self._new.discard(node.node_id)
        for lock in self._locks.values():
            if lock.node is node:
                self._listeners.pop(lock.device_id).stop()
                lock.node = None
                lock.ask_serial_anew()
                lock.unfit("it was removed from the network")
                self._feed.put(LockDead(device_id=lock.device_id))
        # Another node of that name may have waited for this one to go.
        self._look_again(nodes)

    async def _examine(self, lock: ZwaveLock, home_id: int) -> None:
        node = lock.node
        if node is None:
            return
        if not node.ready:
            lock.unfit("its interview is not complete")
            return
        try:
            demand_user_code(node)
            await self._learn_serial(lock, node, home_id)
            room = await room_of(node, self._radio) if lock.settings.native_schedules else None
            capabilities = await examine(node, lock.settings, self._radio, room, self._zone)
        except (UnfitError, DriverError) as error:
            lock.unfit(str(error))
            if isinstance(error, NoAnswer | LockUnreachable):
                self._plan_again(lock)
            return
        except Exception as error:  # noqa: BLE001 - an answer nobody foresaw must not take the link of all locks
            lock.unfit(f"a mistake of pinsmith: {type(error).__name__}")
            self._plan_again(lock)
            return
        if lock.node is not node or not node.ready:
            return  # Removed or interviewed anew in the meantime: its turn comes again.
        lock.room = room
        lock.fit(capabilities)
        self._tries.pop(lock.device_id, None)
        identity = identity_of(node, home_id)
        device_id = lock.device_id
        self._feed.put(
            LockSeen(
                device_id=device_id,
                identity=identity,
                capabilities=capabilities,
                battery=battery_of(node),
                keypad_off=keypad_off(keypad_mode_of(node)),
                heard=not lock.dead,
            )
        )
        if lock.included_anew:
            lock.included_anew = False
            self._feed.put(AllCleared(device_id=device_id))
        if lock.dead:
            self._feed.put(LockDead(device_id=device_id))
        self._clocks.doubt(lock)

    def _plan_again(self, lock: ZwaveLock) -> None:
        """Examine the lock once more after a pause: one lost answer must not leave it unmanaged."""
        device_id = lock.device_id
        tries = self._tries[device_id] = self._tries.get(device_id, 0) + 1
        if device_id in self._again:
            self._again[device_id].cancel()
        loop = asyncio.get_running_loop()
        self._again[device_id] = loop.call_later(pause_before(tries), self._examine_again, lock)

    def _examine_again(self, lock: ZwaveLock) -> None:
        if lock.capabilities is None and not lock.dead:  # a dead one is examined when it comes back
            self._due.put_nowait(lock)

    async def _learn_serial(self, lock: ZwaveLock, node: Node, home_id: int) -> None:
        """Ask for what tells this lock from another of its model on the same node id.

        Once in a run; where the answer got lost, once more at each of the next two signs of life.
        """
        if lock.place != (home_id, node.node_id):
            lock.place = (home_id, node.node_id)
            lock.ask_serial_anew()
        if not lock.serial_due or lock.dead:
            return
        try:
            settled = serial_of(node) is not None or await ask_serial(node, self._radio)
        except (LockUnreachable, AuthorityDown):
            return
        except DriverError as error:
            settled = isinstance(error, Refused)
            words = f"{lock.device_id} did not tell its serial number: {error}"
            _LOG.info("%s", words, extra=about(lock=lock.device_id))
        if node.ready:  # else it is interviewed, and asked anew after that
            lock.serial_due = False
            lock.serial_tries = SERIAL_TRIES if settled else lock.serial_tries + 1


def pause_before(tries: int) -> float:
    """Return the seconds before the next examination after so many without an answer, 1 or more."""
    return min(EXAMINE_AGAIN_S * (1 << min(tries - 1, 10)), EXAMINE_AGAIN_MOST_S)


def _is_meant(lock: ZwaveLock, node: Node) -> bool:
    if node.is_controller_node:
        return False
    if lock.settings.node is not None:
        return node.node_id == lock.settings.node
    return node.name == lock.settings.node_name


def _warnings(driver_version: str) -> tuple[str, ...]:
    major: Any = driver_version.partition(".")[0]
    if major.isdecimal() and int(major) >= UNTESTED_DRIVER:
        warning = f"zwave-js {driver_version} is newer than what this version was tested with (15)"
        _LOG.warning(warning)
        return (warning,)
    return ()
