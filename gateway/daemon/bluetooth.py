"""Puts the Bluetooth driver together. Imports radio libraries: only where such a lock is configured.

Each family is imported only where it has a lock, because some bring large libraries of their own.
"""

import os
import random
from collections.abc import Callable, Mapping
from datetime import datetime

from drivers.ble.driver import BleDriver
from drivers.ble.family import Configured
from drivers.ble.link import connect
from gateway.config import Settings
from gateway.daemon.hub_clock import HubClock
from gateway.domain.clock import Clock, TimeView
from gateway.domain.keyring import Keyring
from gateway.domain.pulse import Pulse


def bluetooth_driver(
    settings: Settings, clock: Clock, keyring: Keyring, view: Callable[[], TimeView], pulse: Pulse
) -> BleDriver:
    """Return the one driver for the locks of all families, because they share the adapter.

    `view` says what is known about the time, `pulse` takes its signs of life.
    """
    locks: dict[str, Configured] = {}
    if settings.nuki_locks:
        locks |= _nuki(settings, HubClock(clock, view), keyring)
    if settings.yale_locks:
        locks |= _yale(settings, clock)
    if settings.ttlock_locks:
        locks |= _ttlock(settings, clock, keyring, lambda: _sure(view()))
    return BleDriver(
        settings.ble,
        locks,
        clock=clock,
        random=random.Random(),  # noqa: S311 - spreads attempts, nothing more
        keyring=keyring,
        pulse=pulse,
    )


def _nuki(settings: Settings, clock: Clock, keyring: Keyring) -> Mapping[str, Configured]:
    from drivers.ble.nuki.family import configured  # noqa: PLC0415 - see above

    return {
        device_id: configured(
            device_id, lock, keyring=keyring, clock=clock, random=os.urandom, connect=connect
        )
        for device_id, lock in settings.nuki_locks.items()
    }


def _yale(settings: Settings, clock: Clock) -> Mapping[str, Configured]:
    from drivers.ble.yale.configured import configured  # noqa: PLC0415 - see above

    return {device_id: configured(device_id, lock, clock) for device_id, lock in settings.yale_locks.items()}


def _ttlock(
    settings: Settings, clock: Clock, keyring: Keyring, sure_time: Callable[[], datetime | None]
) -> Mapping[str, Configured]:
    from drivers.ble.ttlock.configured import configured  # noqa: PLC0415 - see above

    return {
        device_id: configured(
            device_id,
            lock,
            keyring=keyring,
            connect=connect,
            clock=clock,
            sure_time=sure_time,
            zone=settings.gateway.time_zone,
            random=os.urandom,
        )
        for device_id, lock in settings.ttlock_locks.items()
    }


def _sure(known: TimeView) -> datetime | None:
    return known.at if known.trusted else None
