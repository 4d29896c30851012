"""Puts the Bluetooth driver together. Imports radio libraries: only where such a lock is configured."""

import os
import random
from collections.abc import Callable
from datetime import datetime

from drivers.ble.driver import BleDriver
from drivers.ble.family import Configured
from drivers.ble.link import connect
from drivers.ble.nuki.family import configured as nuki
from drivers.ble.ttlock.configured import configured as ttlock
from drivers.ble.yale.configured import configured as yale
from gateway.config import Settings
from gateway.daemon.hub_clock import HubClock
from gateway.domain.clock import Clock, TimeView
from gateway.domain.keyring import Keyring
from gateway.domain.pulse import Beat


def bluetooth_driver(
    settings: Settings, clock: Clock, keyring: Keyring, view: Callable[[], TimeView], beat: Beat
) -> BleDriver:
    """Return the one driver for the locks of all families, because they share the adapter.

    `view` says what is known about the time, `beat` takes its signs of life.
    """
    locks: dict[str, Configured] = {}
    known = HubClock(clock, view)
    for device_id, of_nuki in settings.nuki_locks.items():
        locks[device_id] = nuki(
            device_id, of_nuki, keyring=keyring, clock=known, random=os.urandom, connect=connect
        )
    for device_id, of_yale in settings.yale_locks.items():
        locks[device_id] = yale(device_id, of_yale, clock)
    for device_id, of_ttlock in settings.ttlock_locks.items():
        locks[device_id] = ttlock(
            device_id,
            of_ttlock,
            keyring=keyring,
            connect=connect,
            clock=clock,
            sure_time=lambda: _sure(view()),
            zone=settings.gateway.time_zone,
            random=os.urandom,
        )
    return BleDriver(
        settings.ble,
        locks,
        clock=clock,
        random=random.Random(),  # noqa: S311 - spreads attempts, nothing more
        keyring=keyring,
        beat=beat,
    )


def _sure(known: TimeView) -> datetime | None:
    return known.at if known.trusted else None
