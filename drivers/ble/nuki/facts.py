"""What is told to the engine of a Nuki lock."""

from datetime import timedelta
from typing import Final

from drivers.ble.nuki.keypad import NAME_LENGTH
from drivers.ble.nuki.records import Config
from drivers.ble.nuki.settings import NukiLockSettings
from gateway.domain.driver import LockSeen
from gateway.domain.lock import Capabilities, Identity

FENCE: Final = timedelta(hours=15)
"""How much later than its window a code ends on the lock. The zone of a lock's limits is not known: the one
farthest ahead of UTC is 14 hours; one more for a lock whose clock is wrong or who knows no summer time."""
_FIRST_GENERATIONS = 0
_PRODUCTS: Final = {
    _FIRST_GENERATIONS: "Smart Lock",
    2: "Opener",
    3: "Smart Door",
    4: "Smart Lock (3rd or 4th generation)",
    5: "Smart Lock (5th generation)",
}
_ROOM_OF_FIRST, _ROOM = 100, 200


def lock_seen(
    device_id: str, config: Config, settings: NukiLockSettings, battery: float | None = None
) -> LockSeen:
    """Return who the lock is and what it can do."""
    return LockSeen(
        device_id=device_id,
        identity=Identity(
            network="bluetooth",
            manufacturer="Nuki",
            product=_PRODUCTS.get(config.device_type),
            serial=f"{config.nuki_id:08X}",
        ),
        capabilities=capabilities(config, settings),
        battery=battery,
    )


def capabilities(config: Config, settings: NukiLockSettings) -> Capabilities:
    """Return what the planner must know.

    `native_windows` stays NONE: the hub opens and closes windows itself, and the lock's own limits are a
    fence behind them (`fence`).
    """
    room = _ROOM_OF_FIRST if config.device_type == _FIRST_GENERATIONS else _ROOM
    return Capabilities(
        max_codes=settings.max_codes or room,
        pin_rules=settings.pin_rules,
        supervised=True,
        disabled_status=True,
        fence=FENCE,
        name_length=NAME_LENGTH,
        reports_use=True,
        keypad=config.has_keypad,
    )
