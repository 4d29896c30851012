"""What the Bluetooth driver asks this family for."""

from collections.abc import Mapping

from drivers.ble.family import Configured, Scan
from drivers.ble.yale.keys import unpacked
from drivers.ble.yale.lock import YaleLock
from drivers.ble.yale.pairing import pair
from drivers.ble.yale.settings import YaleLockSettings
from gateway.domain.clock import Clock
from gateway.domain.driver import Progress


def configured(device_id: str, settings: YaleLockSettings, clock: Clock) -> Configured:
    """Return what can be done with one lock of the configuration."""

    async def paired(given: Mapping[str, str], scan: Scan, progress: Progress) -> tuple[str, bytes]:
        return await pair(device_id, settings, given, scan, progress)

    return Configured(
        lock=lambda secret: YaleLock(device_id, settings, unpacked(secret), clock),
        pair=paired,
    )
