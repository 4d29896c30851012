"""The adapter: the one scan, who is heard in it, and what happens when the adapter goes away."""

import asyncio
import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import NoReturn

from bleak import BleakAdapter, BleakScanner
from bleak.args.bluez import BlueZScannerArgs, OrPattern, OrPatternLike
from bleak.assigned_numbers import AdvertisementDataType
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from drivers.ble.family import Advert
from drivers.ble.link import FOREIGN_ERRORS
from drivers.ble.plugged import SYSTEM, plugged
from drivers.ble.settings import BleSettings
from drivers.ble.trouble import in_words
from drivers.ble.turn import Turn
from drivers.ble.waiting import within
from gateway.domain.clock import Clock
from gateway.domain.pulse import Beat
from gateway.domain.trouble import Trouble

_LOG = logging.getLogger(__name__)

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0
CHECK_S = 10.0
"""Between looks whether the adapter is still there."""
SILENCE_S = 60.0
"""Nothing heard of anybody for so long: the scan is begun anew. BlueZ may have been restarted, which nobody
tells, and the scan gone with it; where nobody lives nearby it costs nothing."""
_ONCE_S = 2 * (START_TIMEOUT_S + STOP_TIMEOUT_S)
"""Beginning a scan and giving it up, in both manners."""
PASSIVE_TRIAL_S = 120.0
"""Time for passive scanning to hear each of the locks: what BlueZ lets through depends on the lock."""
_FLAGS = (b"\x02", b"\x04", b"\x05", b"\x06", b"\x18", b"\x1a")
"""The flags that devices advertise with: BlueZ wants a pattern for passive scanning, and all shall fit."""
_PATTERNS: list[OrPatternLike] = [OrPattern(0, AdvertisementDataType.FLAGS, flags) for flags in _FLAGS]

type Heard = Callable[[BLEDevice, Advert], bool]
"""Takes what was heard; says whether it was one of ours."""


class Adapter:
    """One Bluetooth adapter. `turn` is for whoever wants to connect."""

    def __init__(
        self,
        settings: BleSettings,
        clock: Clock,
        random: Random,
        *,
        up: Callable[[], None],
        down: Callable[[], None],
        unheard: Callable[[], bool],
        beat: Beat | None = None,
        kernel: Path = SYSTEM,
    ) -> None:
        """Call `up` and `down` when scanning begins to work and when it does no longer.

        `unheard` says whether some lock that is listened for was never heard.
        `kernel` is the directory in which the kernel shows its adapters.
        """
        self.turn = Turn()
        self._beat = beat or Beat()
        self.trouble: str | None = "it has not been looked for yet"
        """Why there is no scan, in words; None while there is one."""
        self._settings = settings
        self._clock = clock
        self._random = random
        self._plugged = partial(plugged, settings.adapter, kernel)
        self._tell_up, self._tell_down = up, down
        self._told_down = False
        self._away = Trouble(_LOG, "bluetooth_away", clock.boot)
        self._unforeseen = Trouble(_LOG, "bluetooth_unforeseen", clock.boot, level=logging.ERROR)
        self._takers: list[Heard] = []
        self._passive = settings.scanning != "active"
        self._active_wanted = 0
        self._again = asyncio.Event()
        self._heard_at = 0.0
        self._unheard = unheard
        self._passive_until = math.inf
        """When passive scanning by which some lock was never heard is given up."""

    @property
    def up(self) -> bool:
        """Say whether locks can be heard and connected to."""
        return self.trouble is None

    @contextmanager
    def heard_by(self, taker: Heard, *, active: bool = False) -> Iterator[None]:
        """Hand every advertisement to `taker`; with `active` ask devices for all they have to say."""
        self._takers.append(taker)
        self._active_wanted += active
        if active and self._passive:
            self._again.set()
        try:
            yield
        finally:
            self._takers.remove(taker)
            self._active_wanted -= active
            if active and self._passive:
                self._again.set()

    def look(self) -> None:
        """Look now whether the adapter is still there."""
        self._again.set()

    async def run(self) -> NoReturn:
        """Scan, and begin anew whatever happens, until cancelled."""
        delay = self._settings.restart_first_s
        try:
            while True:
                trouble = await self._once()
                if trouble is None:
                    delay = self._settings.restart_first_s
                    continue
                self._down(trouble)
                self._beat.asleep(delay)
                await self._clock.sleep(delay * self._random.uniform(0.5, 1.0))
                delay = min(delay * 2, self._settings.restart_most_s)
        finally:
            # Where another driver comes after it, that one may begin hours later.
            self._beat.idle()

    async def _once(self) -> str | None:
        """Scan until that is to be begun anew; return what is wrong with the adapter, if anything is."""
        self._again.clear()
        self._beat.asleep(_ONCE_S)
        if (missing := self._missing()) is not None:
            return missing
        passive_first = self._passive and not self._active_wanted
        modes = [True, False] if self._settings.scanning == "auto" and passive_first else [passive_first]
        trouble = ""
        for passive in modes:
            try:
                scanner = await self._started(passive=passive)
            except Exception as error:  # noqa: BLE001 - whatever it is, the locks are wanted: tried again
                trouble = self._in_words(error)
                continue
            if passive_first and not passive:
                _LOG.info("BlueZ does not offer passive scanning; locks are asked for more than they tell")
                self._passive = False
            self._up()
            try:
                return await self._watch(passive=passive)
            finally:
                await _stopped(scanner)
        return trouble

    async def _started(self, *, passive: bool) -> BleakScanner:
        bluez = BlueZScannerArgs()
        if self._settings.adapter is not None:
            bluez["adapter"] = self._settings.adapter
        if passive:
            bluez["or_patterns"] = _PATTERNS
        scanner = BleakScanner(self._take, scanning_mode="passive" if passive else "active", bluez=bluez)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await scanner.start()
        except BaseException:
            await _stopped(scanner)
            raise
        return scanner

    async def _watch(self, *, passive: bool) -> str | None:
        self._heard_at = self._clock.boot()
        before = self._plugged()
        if passive and self._unheard():
            self._passive_until = min(self._passive_until, self._heard_at + PASSIVE_TRIAL_S)
        while True:
            self._beat.asleep(CHECK_S + START_TIMEOUT_S)
            if await within(self._again, CHECK_S, self._clock):
                return None
            trouble = await self.absence()
            if trouble is not None:
                return trouble
            if self._plugged() != before:
                return None  # Put back so quickly that nobody saw it go; the scan went with it.
            now = self._clock.boot()
            if self.turn.held:
                self._heard_at = now  # While connected, an adapter hears little else.
            if passive and self._settings.scanning == "auto" and now > self._passive_until:
                _LOG.info(
                    "not every lock is heard by passive scanning; locks are asked for more than they tell"
                )
                self._passive = False
                return None
            if now - self._heard_at > SILENCE_S:
                return None

    async def absence(self) -> str | None:
        """Return why there is no adapter, as far as can be said without touching it."""
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await BleakAdapter.get()
        except NotImplementedError:
            return None
        except Exception as error:  # noqa: BLE001 - as for starting
            return self._in_words(error)
        return self._missing()

    def _missing(self) -> str | None:
        """Return that the configured adapter is not there, in words; None where it is or nobody knows."""
        if self._settings.adapter is None or self._plugged() != {}:
            return None
        return f"there is no Bluetooth adapter {self._settings.adapter}"

    def _in_words(self, error: Exception) -> str:
        if not isinstance(error, FOREIGN_ERRORS):
            self._unforeseen.begins(f"unforeseen trouble with Bluetooth: {type(error).__name__}")
        return in_words(error, self._settings.adapter)

    def _take(self, device: BLEDevice, heard: AdvertisementData) -> None:
        self._heard_at = self._clock.boot()
        advert = Advert(
            address=device.address.upper(),
            name=heard.local_name,
            rssi=heard.rssi,
            manufacturer=heard.manufacturer_data,
            services=tuple(uuid.lower() for uuid in heard.service_uuids),
            service_data={uuid.lower(): data for uuid, data in heard.service_data.items()},
        )
        for taker in tuple(self._takers):
            if taker(device, advert) and not self._unheard():
                self._passive_until = math.inf

    def _up(self) -> None:
        self._unforeseen.ends("Bluetooth works again")
        if self.trouble is not None:
            if not self._told_down:
                _LOG.info("the Bluetooth adapter scans")
            self._away.ends("the Bluetooth adapter scans again")
            self.trouble, self._told_down = None, False
            self._tell_up()

    def _down(self, trouble: str) -> None:
        self._away.begins(f"there is no Bluetooth: {trouble}")
        self.trouble = trouble
        self._passive_until = math.inf
        if not self._told_down:
            self._told_down = True
            self._tell_down()


async def _stopped(scanner: BleakScanner) -> None:
    with suppress(Exception):
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await scanner.stop()
