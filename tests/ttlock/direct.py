"""A lock without a radio in between: for what must be tried at every single message."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import override

from bleak.backends.device import BLEDevice

from drivers.ble.family import Link, LockSession
from drivers.ble.ttlock.configured import configured
from drivers.ble.ttlock.lock import TTLock
from drivers.ble.ttlock.secret import Secret, encode_secret
from drivers.ble.ttlock.settings import TTLockSettings
from gateway.domain.driver import LockUnreachable
from tests.ble_bed.ttlock.lock import VirtualLock
from tests.ble_bed.virtual import VirtualClock
from tests.ttlock.home import ADDRESS, ADMIN, DOOR, KEY, UNLOCK, ZONE, Drawer

_PIECE = 20
_DEVICE = BLEDevice(ADDRESS, "lock", None)


class Wire:
    """What may break: the connection ends in place of the next message but so many, once."""

    def __init__(self) -> None:
        self.pieces_left: int | None = None
        """Pieces of questions that still pass."""
        self.answers_left: int | None = None
        """Answers that still pass."""

    @property
    def has_broken(self) -> bool:
        """Say whether the connection broke where it was to."""
        return any(left is not None and left < 0 for left in (self.pieces_left, self.answers_left))

    def breaks_at_piece(self) -> bool:
        """Count a piece; say whether the connection breaks instead."""
        self.pieces_left = None if self.pieces_left is None else self.pieces_left - 1
        return self.pieces_left is not None and self.pieces_left == -1

    def breaks_at_answer(self) -> bool:
        """Count an answer; say whether the connection breaks instead."""
        self.answers_left = None if self.answers_left is None else self.answers_left - 1
        return self.answers_left is not None and self.answers_left == -1


class _DirectLink(Link):
    def __init__(self, lock: VirtualLock, wire: Wire) -> None:
        self._lock = lock
        self._wire = wire
        self._lost = asyncio.Event()
        self._heard: Callable[[bytes], None] = lambda _: None

    @property
    @override
    def mtu(self) -> int:
        return 23

    @override
    def has(self, characteristic: str) -> bool:
        return True

    @override
    async def subscribe(self, characteristic: str, heard: Callable[[bytes], None]) -> None:
        self._heard = heard

    @override
    async def write(self, characteristic: str, data: bytes, *, response: bool = True) -> None:
        if self._lost.is_set() or self._wire.breaks_at_piece():
            self._lost.set()
            raise LockUnreachable("the connection broke")
        for frame in self._lock.hear(data):
            if self._wire.breaks_at_answer():
                self._lost.set()
                return
            for start in range(0, len(frame), _PIECE):
                asyncio.get_running_loop().call_soon(self._heard, frame[start : start + _PIECE])

    @override
    def lost(self) -> asyncio.Event:
        return self._lost


class Direct:
    """A lock and its driver's side, which knows nothing but what is in the keyring."""

    def __init__(self, change: Callable[[VirtualLock], None]) -> None:
        """Hang up a lock that `change` made another."""
        self.clock = VirtualClock(asyncio.get_running_loop())
        self.lock = VirtualLock(
            now=lambda: self.clock.true().astimezone(ZONE).replace(tzinfo=None),
            key=KEY,
            admin=(ADMIN, UNLOCK),
        )
        change(self.lock)
        self.wire = Wire()
        self.drawer = Drawer()
        secret = Secret(
            address=ADDRESS, key=KEY, admin_ps=ADMIN, unlock_key=UNLOCK, features=self.lock.features
        )
        self.drawer.secrets[DOOR] = encode_secret(secret)
        self._random = Random(7)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[LockSession]:
        """Open the lock, after a restart of the hub."""
        door = configured(
            DOOR,
            TTLockSettings(answer_timeout_s=2.0),
            keyring=self.drawer,
            connect=lambda _: self._connected(),
            clock=self.clock,
            sure_time=self.clock.now,
            zone=ZONE,
            random=self._random.randbytes,
        ).lock(self.drawer.secrets[DOOR])
        assert isinstance(door, TTLock)
        async with door.open(_DEVICE) as session:
            yield session

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Link]:
        self.lock.connected()
        yield _DirectLink(self.lock, self.wire)
