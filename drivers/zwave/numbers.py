"""Numbers that the driver needs: of Z-Wave (SDS13781) for command classes, of zwave-js for the rest."""

from enum import IntEnum
from typing import Self, override


class CommandClass(IntEnum):
    """What a node can be spoken to about."""

    SCHEDULE_ENTRY_LOCK = 78
    USER_CODE = 99
    SUPERVISION = 108
    NOTIFICATION = 113
    MANUFACTURER_SPECIFIC = 114
    NODE_NAMING = 119
    BATTERY = 128
    USER_CREDENTIAL = 131
    """Follows User Code."""
    TIME = 138
    TIME_PARAMETERS = 139


class NodeStatus(IntEnum):
    """Whether a node answers, as far as the server knows."""

    UNKNOWN = 0
    ASLEEP = 1
    AWAKE = 2
    DEAD = 3
    ALIVE = 4

    @override
    @classmethod
    def _missing_(cls, value: object) -> Self:
        """Take what a later server may say for what nobody knows."""
        return cls(0)


SECURITY_CLASSES: dict[int | None, str] = {
    -1: "NONE",
    0: "S2_UNAUTHENTICATED",
    1: "S2_AUTHENTICATED",
    2: "S2_ACCESS_CONTROL",
    7: "S0_LEGACY",
}
"""The names of the keys with which a node was included."""
