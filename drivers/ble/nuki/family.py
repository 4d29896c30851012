"""What the connection layer is given of this family."""

from drivers.ble.family import Configured, Connect
from drivers.ble.nuki.frames import Randomness
from drivers.ble.nuki.introduction import Introducer
from drivers.ble.nuki.keys import decode
from drivers.ble.nuki.lock import NukiLock
from drivers.ble.nuki.settings import NukiLockSettings
from gateway.domain.clock import Clock
from gateway.domain.keyring import Keyring


def configured(
    device_id: str,
    settings: NukiLockSettings,
    *,
    keyring: Keyring,
    clock: Clock,
    random: Randomness,
    connect: Connect,
) -> Configured:
    """Return how to make and how to pair one configured lock."""

    def lock(secret: bytes) -> NukiLock:
        keys = decode(secret)
        if keys is None:
            raise ValueError("what is kept of this lock cannot be read: pair it again")
        return NukiLock(
            device_id, settings, keys, keyring=keyring, clock=clock, random=random, connect=connect
        )

    introducer = Introducer(device_id, settings, keyring=keyring, clock=clock, random=random, connect=connect)
    return Configured(lock=lock, pair=introducer.pair)
