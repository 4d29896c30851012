"""What a Nuki lock advertises: an iBeacon whose power byte carries a bit for "something changed"."""

from typing import Final

from drivers.ble.family import Advert
from drivers.ble.nuki.commands import APPLE, BEACON, PAIRING_SERVICES

_KIND: Final = bytes([0x02, 0x15])
_LENGTH = len(_KIND) + len(BEACON) + 2 + 2 + 1


def has_changed(advert: Advert) -> bool | None:
    """Return the bit; None for any other advertisement, the HomeKit one of the same lock included."""
    beacon = advert.manufacturer.get(APPLE, b"")
    if len(beacon) < _LENGTH or not beacon.startswith(_KIND + BEACON):
        return None
    return bool(beacon[_LENGTH - 1] & 1)


def is_pairing(advert: Advert) -> bool:
    """Say whether a lock waits to be paired: its button was held for five seconds."""
    return any(service in advert.service_data for service in PAIRING_SERVICES)
