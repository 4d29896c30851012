"""Numbers that the protocol gives to commands, and where they are sent."""

from enum import IntEnum
from typing import Final

_SUFFIX = "-5501-11e4-916c-0800200c9a66"

PAIRING: Final = "a92ee101" + _SUFFIX
"""Characteristic for pairing with locks of the first four generations."""
PAIRING_5: Final = "a92ee301" + _SUFFIX
"""The same on the fifth generation (Ultra, Go, Pro)."""
USER_DATA: Final = "a92ee202" + _SUFFIX
"""Characteristic for sealed commands."""
PAIRING_SERVICES: Final = ("a92ee100" + _SUFFIX, "a92ee300" + _SUFFIX)
"""Service data under one of these says that the lock is in pairing mode."""
BEACON: Final = bytes.fromhex("a92ee200550111e4916c0800200c9a66")
"""The service as it stands in an advertisement of the iBeacon kind."""
APPLE: Final = 0x004C


class Command(IntEnum):
    """What a message is. `UNKNOWN` stands for all that the hub has no use for."""

    UNKNOWN = 0
    REQUEST_DATA = 0x0001
    PUBLIC_KEY = 0x0003
    CHALLENGE = 0x0004
    AUTHORIZATION_AUTHENTICATOR = 0x0005
    AUTHORIZATION_DATA = 0x0006
    AUTHORIZATION_ID = 0x0007
    STATES = 0x000C
    STATUS = 0x000E
    ERROR_REPORT = 0x0012
    REQUEST_CONFIG = 0x0014
    CONFIG = 0x0015
    AUTHORIZATION_ID_CONFIRMATION = 0x001E
    VERIFY_PIN = 0x0020
    UPDATE_TIME = 0x0021
    REQUEST_LOG = 0x0031
    LOG_ENTRY = 0x0032
    LOG_COUNT = 0x0033
    ADD_CODE = 0x0041
    CODE_ID = 0x0042
    REQUEST_CODES = 0x0043
    CODE_COUNT = 0x0044
    CODE = 0x0045
    UPDATE_CODE = 0x0046
    REMOVE_CODE = 0x0047
    AUTHORIZATION_INFO = 0x004C

    @classmethod
    def of(cls, frame: bytes) -> "Command":
        """Return the command at the head of a plain frame."""
        return cls.named(int.from_bytes(frame[:2], "little"))

    @classmethod
    def named(cls, number: int) -> "Command":
        """Return the command with this number."""
        return cls(number) if number in cls else cls.UNKNOWN


COMPLETE: Final = 0
"""Status: done. 1 is "accepted, in progress"."""


class Registration(IntEnum):
    """What the hub is to the lock."""

    APP = 0
    BRIDGE = 1
