"""What several events of one frame say together, told by hand: no lock of the bed sends such frames."""

import asyncio
from datetime import UTC, datetime

import pytest

from drivers.zwave import events
from drivers.zwave.lock import ZwaveLock
from drivers.zwave.node import Nodes
from drivers.zwave.numbers import CommandClass
from drivers.zwave.settings import ZwaveLockSettings
from gateway.domain.driver import AccessDenied, CodeUsed, LockEvent, SlotTouched, Tampered
from tests.zwave.hand_clock import HandClock
from tests.zwave.hand_network import NODE, node_data, says, says_value

HELD_S = 0.02
YALE = 0x0129
USED = CodeUsed(device_id="door", slot="5")


class Frames:
    """A node that says what a test says."""

    def __init__(self, manufacturer: int = 0xFFFF) -> None:
        self.told: list[LockEvent] = []
        self.doubts = 0
        clock = HandClock(datetime(2026, 3, 27, 11, 0, tzinfo=UTC))
        lock = ZwaveLock("door", ZwaveLockSettings(node=2), clock, self.told.append)
        self._nodes = Nodes((node_data(manufacturer=manufacturer),))
        node = self._nodes.by_id[NODE]
        self._events = events.NodeEvents(lock, node, ready=lambda: None, alive=self._doubt)

    def alarm(self, kind: int, level: int) -> None:
        """Send a V1 alarm: two values, the type first."""
        for name, value in (("alarmType", kind), ("alarmLevel", level)):
            says_value(self._nodes, CommandClass.NOTIFICATION, name, value)

    def notification(self, number: int, parameters: object = None) -> None:
        """Send an Access Control notification."""
        args = {"type": 6, "event": number, "parameters": parameters}
        says(self._nodes, "notification", ccId=CommandClass.NOTIFICATION, args=args)

    async def all_told(self) -> list[LockEvent]:
        """Return what was told, what was held back included."""
        await asyncio.sleep(2 * HELD_S)
        return self.told

    def _doubt(self) -> None:
        self.doubts += 1


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold nothing back for long."""
    monkeypatch.setattr(events, "HOLD_S", HELD_S)


@pytest.mark.parametrize("kind", [16, 19])
@pytest.mark.parametrize("parameters", [None, {}, {"type": "Buffer", "data": [5]}])
async def test_an_alarm_names_the_slot_that_its_notification_leaves_out(
    kind: int, parameters: object
) -> None:
    """Both are of one frame; the door was opened once."""
    frames = Frames()
    frames.alarm(kind, 5)
    frames.notification(0x06, parameters)
    assert await frames.all_told() == [USED]


async def test_an_alarm_that_says_no_more_than_its_notification_is_told_once() -> None:
    """The server makes notifications of alarms, and of the same frame it tells both."""
    frames = Frames()
    frames.alarm(19, 5)
    frames.notification(0x06, {"userId": 5})
    frames.alarm(112, 0)
    frames.notification(0x0E)
    assert await frames.all_told() == [USED, SlotTouched(device_id="door", slot=None)]


@pytest.mark.parametrize(("kind", "number"), [(33, 0x0D), (112, 0x0E)])
async def test_an_edit_is_told_with_the_slot_that_the_alarm_names(kind: int, number: int) -> None:
    """The notification alone has every slot looked at."""
    frames = Frames()
    frames.alarm(kind, 5)
    frames.notification(number)
    assert SlotTouched(device_id="door", slot="5") in await frames.all_told()


async def test_all_codes_are_deleted_once_whatever_level_the_alarm_has() -> None:
    """Some locks put a 1 there with everything (Kwikset 910)."""
    frames = Frames()
    frames.alarm(32, 1)
    frames.notification(0x0C)
    assert len(await frames.all_told()) == 1


@pytest.mark.parametrize("alarmed", [False, True])
async def test_an_opening_by_the_older_event_is_told_once(*, alarmed: bool) -> None:
    """Event 0x22 names its slot by another word."""
    frames = Frames()
    if alarmed:
        frames.alarm(19, 5)
    frames.notification(0x22, {"user ID": 5})
    assert await frames.all_told() == [USED]


ADMIN = Tampered(device_id="door", what="the administrator code was changed")


async def test_the_level_of_a_tamper_alarm_is_no_slot() -> None:
    """Of Yale, 1 is too many wrong codes and 2 the cover; of others the level means nothing that is known."""
    for manufacturer, level in ((YALE, 1), (0xFFFF, 1), (0xFFFF, 2)):
        frames = Frames(manufacturer)
        frames.alarm(161, level)
        assert await frames.all_told() == [AccessDenied(device_id="door", reason="too_many_attempts")]
    frames = Frames(YALE)
    frames.alarm(161, 2)
    assert await frames.all_told() == [Tampered(device_id="door", what="the cover was removed")]


async def test_slot_0_of_a_yale_is_the_administrator_code() -> None:
    """Changed at the keypad it says so by both, over radio the notification says "added"."""
    frames = Frames(YALE)
    frames.alarm(112, 0)
    assert await frames.all_told() == [ADMIN]
    frames = Frames(YALE)
    frames.alarm(112, 0)
    frames.notification(0x12)
    assert await frames.all_told() == [ADMIN]
    frames = Frames(YALE)
    frames.alarm(112, 0)
    frames.notification(0x0E)
    assert ADMIN in await frames.all_told()
    frames = Frames(YALE)
    frames.alarm(112, 5)
    assert await frames.all_told() == [SlotTouched(device_id="door", slot="5")]


async def test_elsewhere_slot_0_is_a_change_somewhere() -> None:
    """Only Yale says what it keeps there."""
    frames = Frames()
    frames.alarm(112, 0)
    assert await frames.all_told() == [SlotTouched(device_id="door", slot=None)]


async def test_a_yale_that_was_without_power_has_its_clock_and_codes_looked_at() -> None:
    """Its clock was cleared (Assure Lock 2 manual), and what else happened meanwhile nobody told."""
    frames = Frames(YALE)
    frames.alarm(130, 0)
    assert await frames.all_told() == [SlotTouched(device_id="door", slot=None)]
    assert frames.doubts == 1
    other = Frames()
    other.alarm(130, 0)
    assert await other.all_told() == []
    assert other.doubts == 0
