"""Which families a test is for."""

import pytest

from tests.ble_homes.doors import NukiDoor, SleepyTTLockDoor, TTLockDoor, YaleDoor

NUKI = pytest.param(NukiDoor, id="nuki")
YALE = pytest.param(YaleDoor, id="yale")
TTLOCK = pytest.param(TTLockDoor, id="ttlock")
SLEEPY = pytest.param(SleepyTTLockDoor, id="ttlock-on-touch")
every_family = pytest.mark.parametrize("door_type", [NUKI, YALE, TTLOCK])
every_door = pytest.mark.parametrize("door_type", [NUKI, YALE, TTLOCK, SLEEPY])
