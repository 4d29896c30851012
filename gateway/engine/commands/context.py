"""What a use case is given: one transaction, one look at the time, the settings."""

from collections.abc import Callable

from gateway.domain.clock import TimeView
from gateway.domain.errors import DeviceRefused, NotFound
from gateway.domain.lock import Device
from gateway.domain.placement import Snapshot
from gateway.domain.store import Tx
from gateway.engine.clock_guard import ClockGuard
from gateway.engine.lock_views import RadioOf
from gateway.engine.pairing import Pairings
from gateway.engine.turn import Rules, turn
from gateway.engine.work import Chance, Work


class Context:
    """One command being carried out. Everything it changes is one unit."""

    def __init__(
        self,
        tx: Tx,
        t: TimeView,
        rules: Rules,
        chance: Chance,
        guard: ClockGuard,
        *,
        pairings: Pairings,
        radio: RadioOf,
    ) -> None:
        """Keep what was passed in."""
        self.pairings = pairings
        self.radio = radio
        self.tx = tx
        self.t = t
        self.rules = rules
        self.chance = chance
        self.guard = guard
        self.touched: list[str] = []
        self.once_durable: list[Callable[[], None]] = []
        """What is to change in memory when, and only when, the unit was stored."""

    def snapshot(self, device_id: str) -> Snapshot:
        """Return the facts of a lock, or raise NotFound."""
        snap = self.tx.snapshot(device_id)
        if snap is None:
            raise NotFound("there is no lock of this name; see devices/list", device_id=device_id)
        return snap

    def configured(self, device_id: str) -> Snapshot:
        """Return the facts of a lock that may get new codes.

        Raises:
            NotFound: there is no such lock.
            DeviceRefused: it is no longer configured, or being retired.
        """
        snap = self.snapshot(device_id)
        if snap.device.policy is None:
            raise DeviceRefused("the lock is no longer in the configuration", device_id=device_id)
        if snap.device.retiring:
            raise DeviceRefused("the lock is being retired and takes no codes", device_id=device_id)
        return snap

    def change(self, device_id: str, absorb: Callable[[Work], None]) -> Snapshot:
        """Change the facts of a lock, tell what follows, and return the facts as they are then."""
        turn(self.tx, device_id, self.t, self.rules, self.chance, absorb=absorb, act=False)
        self.touched.append(device_id)
        return self.snapshot(device_id)

    def device(self, device_id: str) -> Device:
        """Return a lock, or raise NotFound."""
        return self.snapshot(device_id).device
