"""The Z-Wave driver: the contract of `gateway.domain.driver` over one zwave-js server."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from random import Random
from typing import override
from zoneinfo import ZoneInfo

from drivers.zwave.clocks import Clocks, SureTime
from drivers.zwave.codes import Waits
from drivers.zwave.connection import Connection
from drivers.zwave.feed import Feed
from drivers.zwave.lock import ZwaveLock
from drivers.zwave.network import Network
from drivers.zwave.radio import Radio
from drivers.zwave.session import ZwaveSession
from drivers.zwave.settings import ZwaveLockSettings, ZwaveSettings
from gateway.domain.clock import Clock
from gateway.domain.driver import AuthorityDown, Driver, EventSink, LockUnreachable, Session
from gateway.domain.pulse import Pulse
from gateway.domain.quiet import quieten

_NAME = "driver zwave"
"""Under which the signs of life are known."""
_TALKATIVE = ("websockets",)
"""Third-party loggers that write whole messages, PINs included, at DEBUG."""


class ZwaveDriver(Driver):
    """The locks of one Z-Wave network."""

    def __init__(
        self,
        settings: ZwaveSettings,
        locks: Mapping[str, ZwaveLockSettings],
        *,
        clock: Clock,
        zone: ZoneInfo,
        random: Random,
        waits: Waits | None = None,
        pulse: Pulse | None = None,
    ) -> None:
        """Know the locks by device id; nothing is connected before `run`.

        `clock` times the attempts to connect and `random` spreads them. Locks with schedules of their own
        keep them in the local time of `zone`; their clocks are set by `clock` once it is synchronised.
        `waits` shortens the waiting for what locks tell after a write, for tests; `pulse` takes the signs
        of life.
        """
        self._pulse = pulse or Pulse()
        self._feed = Feed(clock)
        self._locks = {name: ZwaveLock(name, lock, clock, self._feed.put) for name, lock in locks.items()}
        self._radio = Radio()
        self._zone = zone
        self._clocks = Clocks(self._radio, clock, SureTime(clock), zone, self._feed.put)
        self._network = Network(self._locks, self._radio, self._feed, self._clocks, zone)
        self._connection = Connection(settings, self._network, clock, random, self._pulse.beat(_NAME))
        self._waits = waits or Waits()

    @property
    def problems(self) -> Mapping[str, str]:
        """Return, by device id, why a lock is not managed at the moment, in words for people."""
        return {name: lock.problem for name, lock in self._locks.items() if lock.problem is not None}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what should be looked at but stops nothing, in words for people."""
        trouble = self._connection.trouble
        link = () if trouble is None else (f"there is no link to the Z-Wave server: {trouble}",)
        return self._network.warnings + link

    @override
    async def run(self, sink: EventSink) -> None:
        quieten(*_TALKATIVE)
        beating = self._pulse.beating
        with beating(f"{_NAME} feed") as feed, beating(f"{_NAME} clocks") as clocks:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._feed.run(sink, feed))
                tasks.create_task(self._connection.run())
                tasks.create_task(self._clocks.run(clocks))

    @override
    @asynccontextmanager
    async def session(self, device_id: str) -> AsyncIterator[Session]:
        lock = self._locks.get(device_id)
        if lock is None:
            raise LockUnreachable("no such lock is configured")
        async with lock.turn:
            if not self._radio.up:
                raise AuthorityDown("there is no link to the Z-Wave server")
            if lock.problem is not None:
                raise LockUnreachable(lock.problem)
            yield ZwaveSession(lock, self._radio, self._waits, self._zone)
