"""Makes the drivers that configured locks need, and imports no other: radio libraries are heavy."""

import random
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from gateway.config import Settings
from gateway.daemon.hub_clock import HubClock
from gateway.domain.clock import Clock, TimeView
from gateway.domain.driver import Driver
from gateway.domain.keyring import Keyring
from gateway.domain.pulse import Pulse
from gateway.engine.lock_views import RadioOf, no_radio
from gateway.engine.wire import Radio


class Made(Struct, frozen=True, kw_only=True):
    """One driver, what it was made from, and what it tells about itself."""

    driver: Driver
    source: object
    """Equal for two configurations under which the driver is the same."""
    names: tuple[str, ...]
    """Under which its locks are configured."""
    troubles: Callable[[], dict[str, Any]] | None = None
    radio: RadioOf = no_radio


class Fleet(Struct, frozen=True):
    """All drivers that a configuration needs, by the authority that they speak with."""

    made: Mapping[str, Made]

    @property
    def by_name(self) -> dict[str, Driver]:
        """Return the drivers under every name that locks are configured with."""
        return {name: one.driver for one in self.made.values() for name in one.names}


class Drivers:
    """The drivers of this hub, and what is wrong with them."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        keyring: Keyring,
        view: Callable[[], TimeView],
        pulse: Pulse | None = None,
    ) -> None:
        """Make them; nothing is connected yet. `view` says what is known about the time."""
        self._clock = clock
        self._keyring = keyring
        self._view = view
        self._pulse = pulse or Pulse()
        self._fleet = Fleet({})
        self._fleet = self.changed(settings)

    @property
    def by_name(self) -> dict[str, Driver]:
        """Return the drivers under every name that locks are configured with."""
        return self._fleet.by_name

    def changed(self, settings: Settings) -> Fleet:
        """Return the drivers for these settings: those there are where nothing changed for them."""
        made: dict[str, Made] = {}
        if settings.simulated_locks:
            source: object = (settings.simulated, settings.simulated_locks)
            made["simulated"] = self._kept("simulated", source) or self._simulated(settings, source)
        if settings.zwave_locks:
            source = (settings.zwave, settings.zwave_locks, settings.gateway.time_zone)
            made["zwave"] = self._kept("zwave", source) or self._zwave(settings, source)
        bluetooth = (settings.nuki_locks, settings.yale_locks, settings.ttlock_locks)
        if any(bluetooth):
            source = (settings.ble, bluetooth, settings.gateway.time_zone)
            made["ble"] = self._kept("ble", source) or self._ble(settings, source)
        return Fleet(made)

    def use(self, fleet: Fleet) -> None:
        """Tell of these drivers from now on."""
        for name in self._fleet.made.keys() - fleet.made.keys():
            self._pulse.drop(_beat(name))
        self._fleet = fleet

    def troubles(self) -> dict[str, Any]:
        """Return, by driver, what people should look at and how well locks are reached, as JSON."""
        made = self._fleet.made
        return {name: one.troubles() for name, one in made.items() if one.troubles is not None}

    def radio(self, device_id: str) -> Radio | None:
        """Return how well a lock is reached; None where its driver does not tell."""
        told = (one.radio(device_id) for one in self._fleet.made.values())
        return next((radio for radio in told if radio is not None), None)

    def _kept(self, name: str, source: object) -> Made | None:
        one = self._fleet.made.get(name)
        return one if one is not None and one.source == source else None

    def _simulated(self, settings: Settings, source: object) -> Made:
        from drivers.simulated.driver import SimulatedDriver  # noqa: PLC0415 - see above

        driver = SimulatedDriver(
            settings.simulated,
            settings.simulated_locks,
            clock=self._clock,
            directory=settings.gateway.data_directory,
            beat=self._pulse.beat(_beat("simulated")),
        )
        return Made(driver=driver, source=source, names=("simulated",))

    def _zwave(self, settings: Settings, source: object) -> Made:
        from drivers.zwave.driver import ZwaveDriver  # noqa: PLC0415 - see above

        driver = ZwaveDriver(
            settings.zwave,
            settings.zwave_locks,
            clock=HubClock(self._clock, self._view),
            zone=settings.gateway.time_zone,
            random=random.Random(),  # noqa: S311 - spreads reconnecting, nothing more
            pulse=self._pulse,
        )
        return Made(
            driver=driver,
            source=source,
            names=("zwave",),
            troubles=lambda: {"problems": dict(driver.problems), "warnings": list(driver.warnings)},
        )

    def _ble(self, settings: Settings, source: object) -> Made:
        from gateway.daemon.bluetooth import bluetooth_driver  # noqa: PLC0415 - see above

        driver = bluetooth_driver(settings, self._clock, self._keyring, self._view, self._pulse)
        locks = {"nuki": settings.nuki_locks, "yale": settings.yale_locks, "ttlock": settings.ttlock_locks}

        def radio(device_id: str) -> Radio | None:
            reached = driver.health.get(device_id)
            if reached is None:
                return None
            return Radio(
                rssi=reached.rssi,
                connections_tried=reached.connections_tried,
                connections_succeeded=reached.connections_succeeded,
            )

        return Made(
            driver=driver,
            source=source,
            names=tuple(name for name, configured in locks.items() if configured),
            troubles=lambda: {
                "problems": dict(driver.problems),
                "warnings": list(driver.warnings),
                "locks": {device_id: asdict(reached) for device_id, reached in driver.health.items()},
            },
            radio=radio,
        )


def _beat(name: str) -> str:
    return f"driver {name}"
