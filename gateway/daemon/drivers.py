"""Makes the drivers that configured locks need, and imports no other: radio libraries are heavy."""

import random
from collections.abc import Callable
from typing import Any

from msgspec.structs import asdict

from gateway.config import Settings
from gateway.daemon.hub_clock import HubClock
from gateway.domain.clock import Clock, TimeView
from gateway.domain.driver import Driver
from gateway.domain.keyring import Keyring
from gateway.engine.lock_views import RadioOf, no_radio
from gateway.engine.wire import Radio


class Drivers:
    """The drivers of this hub by name, and what is wrong with them."""

    def __init__(
        self, settings: Settings, clock: Clock, *, keyring: Keyring, view: Callable[[], TimeView]
    ) -> None:
        """Make them; nothing is connected yet. `view` says what is known about the time."""
        self.by_name: dict[str, Driver] = {}
        self.radio: RadioOf = no_radio
        """How well a lock is reached; None where its driver does not tell."""
        self._troubles: dict[str, Callable[[], dict[str, Any]]] = {}
        if settings.simulated_locks:
            self._add_simulated(settings, clock)
        if settings.zwave_locks:
            self._add_zwave(settings, HubClock(clock, view))
        if settings.nuki_locks or settings.yale_locks or settings.ttlock_locks:
            self._add_ble(settings, clock, keyring, view)

    def troubles(self) -> dict[str, Any]:
        """Return, by driver, what people should look at and how well locks are reached, as JSON."""
        return {name: describe() for name, describe in self._troubles.items()}

    def _add_simulated(self, settings: Settings, clock: Clock) -> None:
        from drivers.simulated.driver import SimulatedDriver  # noqa: PLC0415 - see above

        self.by_name["simulated"] = SimulatedDriver(
            settings.simulated,
            settings.simulated_locks,
            clock=clock,
            directory=settings.gateway.data_directory,
        )

    def _add_zwave(self, settings: Settings, clock: Clock) -> None:
        from drivers.zwave.driver import ZwaveDriver  # noqa: PLC0415 - see above

        driver = ZwaveDriver(
            settings.zwave,
            settings.zwave_locks,
            clock=clock,
            zone=settings.gateway.time_zone,
            random=random.Random(),  # noqa: S311 - spreads reconnecting, nothing more
        )
        self.by_name["zwave"] = driver
        self._troubles["zwave"] = lambda: {
            "problems": dict(driver.problems),
            "warnings": list(driver.warnings),
        }

    def _add_ble(
        self, settings: Settings, clock: Clock, keyring: Keyring, view: Callable[[], TimeView]
    ) -> None:
        from gateway.daemon.bluetooth import bluetooth_driver  # noqa: PLC0415 - see above

        driver = bluetooth_driver(settings, clock, keyring, view)
        names = {"nuki": settings.nuki_locks, "yale": settings.yale_locks, "ttlock": settings.ttlock_locks}
        self.by_name |= {name: driver for name, locks in names.items() if locks}
        self._troubles["ble"] = lambda: {
            "problems": dict(driver.problems),
            "warnings": list(driver.warnings),
            "locks": {device_id: asdict(reached) for device_id, reached in driver.health.items()},
        }

        def radio(device_id: str) -> Radio | None:
            reached = driver.health.get(device_id)
            if reached is None:
                return None
            return Radio(
                rssi=reached.rssi,
                connections_tried=reached.connections_tried,
                connections_succeeded=reached.connections_succeeded,
            )

        self.radio = radio
