"""What the advertisement of a lock says.

The manufacturer data, with the two bytes that Bluetooth takes for a company:
`protocol | version | scene | flags | battery | ... | address backwards (the last six)`.
"""

from collections.abc import Mapping

from msgspec import Struct

SERVICE = "00001910-0000-1000-8000-00805f9b34fb"
WRITE = "0000fff2-0000-1000-8000-00805f9b34fb"
NOTIFY = "0000fff4-0000-1000-8000-00805f9b34fb"
_SHORTEST = 15
_V3 = (5, 3)
_HUNDRED = 100


class Beacon(Struct, frozen=True, kw_only=True):
    """An advertisement of a V3 lock."""

    scene: int
    unlocked: bool
    new_records: bool
    setting_mode: bool
    """It has no administrator and takes one."""
    touched: bool
    battery: float | None
    """0 to 1; None where the byte is none of a percentage."""
    address: str


def beacon_of(manufacturer: Mapping[int, bytes]) -> Beacon | None:
    """Return what an advertisement says; None where it is not that of a V3 lock."""
    for company, rest in manufacturer.items():
        data = company.to_bytes(2, "little") + rest
        if len(data) >= _SHORTEST and (data[0], data[1]) == _V3:
            flags, battery = data[3], data[4]
            return Beacon(
                scene=data[2],
                unlocked=bool(flags & 0x01),
                new_records=bool(flags & 0x02),
                setting_mode=bool(flags & 0x04),
                touched=bool(flags & 0x08),
                battery=battery / _HUNDRED if battery <= _HUNDRED else None,
                address=":".join(f"{byte:02X}" for byte in reversed(data[-6:])),
            )
    return None
