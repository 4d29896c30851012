"""Puts together what the Bluetooth driver gets of a configured lock of this family."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from drivers.ble.family import Configured, Connect
from drivers.ble.ttlock.lock import TTLock
from drivers.ble.ttlock.pairing import Pairing
from drivers.ble.ttlock.settings import TTLockSettings
from gateway.domain.clock import Clock
from gateway.domain.keyring import Keyring


def configured(
    device_id: str,
    settings: TTLockSettings,
    *,
    keyring: Keyring,
    connect: Connect,
    clock: Clock,
    sure_time: Callable[[], datetime | None],
    zone: ZoneInfo,
    random: Callable[[int], bytes],
) -> Configured:
    """Return how to make and how to pair one lock.

    `sure_time` returns None while the hub does not know the time: a wrong one on a lock opens the windows of
    others. `zone` is where the lock hangs. `random` returns as many unpredictable bytes as it is asked for.
    """

    def lock(secret: bytes) -> TTLock:
        return TTLock(
            device_id,
            settings,
            secret,
            keyring=keyring,
            connect=connect,
            clock=clock,
            sure_time=sure_time,
            zone=zone,
            random=random,
        )

    pairing = Pairing(
        device_id,
        settings,
        keyring=keyring,
        connect=connect,
        sure_time=sure_time,
        zone=zone,
        random=random,
    )
    return Configured(lock=lock, pair=pairing.pair)
