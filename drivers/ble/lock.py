"""One configured lock as the driver sees it at the moment."""

import asyncio
import logging
from collections.abc import Callable

from bleak.backends.device import BLEDevice
from msgspec import Struct
from msgspec.structs import replace

from drivers.ble.errands import Errands
from drivers.ble.family import Advert, Configured, FamilyLock
from drivers.ble.settings import BleSettings
from drivers.ble.turn import Turn
from drivers.ble.visit import Visit
from gateway.domain.clock import Clock
from gateway.domain.driver import BatteryLevel, LockAlive, LockDead, LockEvent, Refused
from gateway.domain.lock import Reach
from gateway.domain.placement import Refusal
from gateway.domain.trouble import Trouble, about

_LOG = logging.getLogger(__name__)
BATTERY_STEP = 0.01
"""Changes of the charge smaller than this are not told."""

AWAKE_AFTER_S = 3.0
"""A lock that sleeps and is heard so long after its connection broke is awake still, or was touched again."""
MOST_BROKEN = 3
"""Connections that may break before it must have slept to be awake again: one that never sleeps, and is only
said to, would be connected to all the time."""


class Health(Struct, frozen=True, kw_only=True):
    """How well a lock is reached, since the start of the daemon."""

    rssi: int | None
    """Signal strength when it was heard last, in dBm."""
    heard_ago_s: float | None
    connections_tried: int
    connections_succeeded: int


class Unsaved(Struct, frozen=True, kw_only=True):
    """Keys that could not be stored. Printing shows nothing."""

    before: bytes | None
    """What is stored in their place."""
    secret: bytes
    knows_before: bool = True
    """False: that could not be read, and whatever it is, these are stored over it."""

    def __repr__(self) -> str:
        """Show nothing."""
        return "Unsaved(hidden)"


class BleLock:
    """What is known of a lock. `woken` is set when its errands may have become due."""

    def __init__(
        self,
        device_id: str,
        configured: Configured,
        settings: BleSettings,
        clock: Clock,
        errands: Errands,
        tell: Callable[[LockEvent], None],
    ) -> None:
        """Start unheard and without keys; `tell` takes what the engine shall know."""
        self.device_id = device_id
        self.configured = configured
        self.errands = errands
        self.turn = Turn()
        """For sessions: one at a time."""
        self.is_pairing = False
        """Pairing takes minutes; sessions fail meanwhile, so that what is late because of it can be told."""
        self.visit: Visit | None = None
        self.family: FamilyLock | None = None
        self.problem: str | None = "its keys have not been looked at yet"
        self.device: BLEDevice | None = None
        self.heard = asyncio.Event()
        """Set once the lock was heard in the present scan."""
        self.unsaved: Unsaved | None = None
        """What pairing yielded and could not be stored yet; the lock is worked with by it."""
        self.woken = asyncio.Event()
        self.tried = self.succeeded = 0
        self._settings = settings
        self._clock = clock
        self._tell = tell
        self._rssi: int | None = None
        self._heard_at: float | None = None
        self._listening_since: float | None = None
        self._silent = True
        self._dead = False
        self._broke_at: float | None = None
        self._broken = 0
        """How many connections have broken, and were told to be worth another try, since it slept last."""
        self._battery: float | None = None
        self.neglected = Trouble(_LOG, "log_not_read", clock.boot, level=logging.INFO, lock=device_id)
        """Its log could not be read, or it could not be called on for that."""
        self._dropped = Trouble(_LOG, "not_managed", clock.boot, lock=device_id, tried=False)
        self._garbled = Trouble(_LOG, "advertisement", clock.boot, level=logging.ERROR, lock=device_id)

    @property
    def health(self) -> Health:
        """Return how well it is reached."""
        ago = None if self._heard_at is None else round(self._clock.boot() - self._heard_at, 1)
        return Health(
            rssi=self._rssi,
            heard_ago_s=ago,
            connections_tried=self.tried,
            connections_succeeded=self.succeeded,
        )

    @property
    def in_reach(self) -> bool:
        """Say whether the lock can be expected to answer now."""
        if self.family is None or self._heard_at is None or not self.heard.is_set():
            return False
        asleep_after = self._settings.touch_s if self.sleeps else self._settings.silent_after_s
        return self._clock.boot() - self._heard_at <= asleep_after

    @property
    def is_unheard(self) -> bool:
        """Say whether it is listened for and was never heard."""
        return self.family is not None and self._heard_at is None

    @property
    def sleeps(self) -> bool:
        """Say whether it listens only after a touch."""
        return self.family is not None and self.family.reach is Reach.ON_TOUCH

    def check(self) -> None:
        """Raise Refused where connecting would be in vain: it costs the lock's battery.

        Not once the lock is not heard any more: that is the news then, and who listens for it finds it out.
        """
        if self.family is None or self._dead:
            return
        if (words := self.family.held_off() or self.family.refusal()) is not None:
            raise Refused(Refusal.OTHER, words)

    def adopt(self, family: FamilyLock) -> None:
        """Work with the lock from now on."""
        if self.device is not None and self.device.address.upper() != family.address:
            # Another lock hangs there now: the one that was heard would refuse its keys, maybe for good.
            self.device = self._heard_at = self._battery = None
            self.heard.clear()
        self._dropped.ends(f"{self.device_id} is managed")
        self.family, self.problem = family, None
        known = family.known()
        self.errands.begin_anew(unknown=known is None)
        if known is not None and self._listening_since is not None:
            self._tell(replace(known, heard=False))
        self._silent = True  # hearing it is news, as after its keys were refused or forgotten
        self.woken.set()

    def drop(self, problem: str) -> None:
        """Work with it no more, and say why."""
        self._dropped.begins(f"{self.device_id} is not managed: {problem}")
        self.family, self.problem, self.device = None, problem, None
        self.heard.clear()

    def listened_for(self, *, now: bool) -> None:
        """Note that the scan has begun or ended."""
        self._listening_since = self._clock.boot() if now else None
        self._silent = True
        self._dead = False
        self.heard.clear()
        if now and self.family is not None and (known := self.family.known()) is not None:
            self._tell(replace(known, heard=False))

    def takes(self, device: BLEDevice, advert: Advert) -> bool:
        """Take an advertisement; say whether it was from this lock."""
        if self.family is None or advert.address != self.family.address:
            return False
        try:
            hearing = self.family.hears(advert)
        except Exception as error:  # noqa: BLE001 - whatever somebody sends must not stop the scan
            kind = type(error).__name__
            self._garbled.begins(f"{self.device_id}: an advertisement was not understood: {kind}")
            return True
        self.device, self._rssi = device, advert.rssi
        due_before = self.errands.due_in()
        self.errands.heard(hearing)
        if hearing.battery is not None and _differs(hearing.battery, self._battery):
            self._battery = hearing.battery
            self._tell(BatteryLevel(device_id=self.device_id, level=hearing.battery))
        self.lives()
        if self.errands.due_in() != due_before:
            self.woken.set()
        return True

    def connected(self) -> None:
        """Note that a connection stands, with a session on it."""
        self.succeeded += 1
        self._broke_at = None
        self.lives()
        if self.family is not None and self.family.silenced_by_connecting():
            self.errands.silenced()

    def broke(self) -> None:
        """Note that a connection broke, or did not come about. Who tried may wait longer than it is awake."""
        self._broke_at = self._clock.boot()

    def lives(self) -> None:
        """Note a sign of life, and tell it if there was none for long, or if it is worth another try."""
        now = self._clock.boot()
        woke = self.sleeps and (self._slept(now) or self._still_awake(now))
        self._heard_at = now
        self.heard.set()
        if self._silent or woke:
            self._silent = self._dead = False
            self.errands.alive()
            self.woken.set()
            self._tell(LockAlive(device_id=self.device_id))

    def _slept(self, now: float) -> bool:
        if self._heard_at is None or now - self._heard_at <= self._settings.touch_s:
            return False
        self._broke_at, self._broken = None, 0
        return True

    def _still_awake(self, now: float) -> bool:
        at = self._broke_at
        if at is None or now - at <= AWAKE_AFTER_S or self._broken >= MOST_BROKEN:
            return False
        self._broke_at = None
        self._broken += 1
        return True

    def mind_silence(self) -> None:
        """Tell that a lock that should always be heard is not."""
        since = self._listening_since
        if since is None or self.family is None:
            return
        last = since if self._heard_at is None else max(since, self._heard_at)
        if self._clock.boot() - last <= self._settings.silent_after_s:
            return
        self._silent = True
        self.heard.clear()
        if not self.sleeps and not self._dead:
            self._dead = True
            _LOG.debug("%s is not heard any more", self.device_id, extra=about(lock=self.device_id))
            self._tell(LockDead(device_id=self.device_id))


def _differs(level: float, before: float | None) -> bool:
    return before is None or abs(level - before) >= BATTERY_STEP
