"""What a write takes from what the lock says beside the answer, told by hand: no bed tells it so exactly."""

import asyncio
from datetime import UTC, datetime
from typing import override

import pytest

from drivers.simulated.models import MASKED
from drivers.zwave import codes
from drivers.zwave.alarms import CodeAdded, DuplicateRefused, Signal
from drivers.zwave.codes import SlotCodes, Waits
from drivers.zwave.lock import ZwaveLock
from drivers.zwave.node import Node
from drivers.zwave.numbers import CommandClass
from drivers.zwave.radio import Radio, TooLargeForNow
from drivers.zwave.settings import ZwaveLockSettings
from gateway.domain.credential import Credential, Empty, Evidence, Known, Reading, SlotRef, Unreadable
from gateway.domain.driver import LockEvent, NoAnswer, Refused, SlotReported, WriteRefused, Written
from gateway.domain.pin import Pin
from gateway.domain.placement import Refusal
from tests.zwave.hand_clock import HandClock
from tests.zwave.hand_network import node_data

OURS = Known(Credential(pin=Pin("4711")))
HIDDEN = Unreadable(enabled=True)
SUCCESS, NOTHING = {"status": 255}, None
TAKEN = {"userIdStatus": 1, "userCode": "**********"}
DUPLICATE = DuplicateRefused(device_id="door")
ADDED = CodeAdded(device_id="door", slot="3")
QUICK = Waits(report_s=0.05, settle_s=0.02, duplicate_s=0.05)


def reported(reading: Reading) -> SlotReported:
    """Return the report of the slot that is written."""
    return SlotReported(device_id="door", slot="3", reading=reading)


class Door(Radio):
    """A lock and the way to it: each command meets the next of `answers`, told first what the lock says."""

    def __init__(self, *answers: tuple[list[Signal], object], supervised: bool = True) -> None:
        super().__init__()
        self.told: list[LockEvent] = []
        clock = HandClock(datetime(2026, 3, 27, 11, 0, tzinfo=UTC))
        self.lock = ZwaveLock("door", ZwaveLockSettings(node=2), clock, self.told.append)
        self.lock.node = Node(node_data())
        can = MASKED.capabilities
        self.lock.fit(type(can)(slots=can.slots, max_codes=can.max_codes, supervised=supervised))
        self.sent: list[str] = []
        self._answers = list(answers)

    @override
    async def on_air(self, node: Node, command_class: CommandClass, method: str, *args: object) -> object:
        self.sent.append(method)
        signs, answer = self._answers.pop(0)
        for sign in signs:
            self.lock.seen(sign)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def write(self, slot: SlotRef = "3", *, waits: Waits = QUICK) -> Written:
        """Write a slot."""
        return await SlotCodes(self.lock, self, waits).change(slot, OURS, "set", 1, "4711")


@pytest.mark.parametrize(
    "signs",
    [[DUPLICATE], [ADDED, DUPLICATE], [DUPLICATE, ADDED], [reported(HIDDEN), DUPLICATE]],
)
@pytest.mark.parametrize("answer", [SUCCESS, NOTHING])
async def test_a_duplicate_told_beside_a_good_sign_is_a_refusal(signs: list[Signal], answer: object) -> None:
    """Hidden digits look the same before and after: the PIN from before would go on opening the door."""
    door = Door((signs, answer), supervised=answer is SUCCESS)
    with pytest.raises(Refused) as refused:
        await door.write()
    assert refused.value.reason is Refusal.DUPLICATE
    assert door.sent == ["set"]


async def test_digits_that_are_seen_outweigh_a_duplicate() -> None:
    """The slot holds what was asked for; some lock may count the slot itself as the other one."""
    written = await Door(([reported(OURS), DUPLICATE], SUCCESS)).write()
    assert written == Written(slot="3", evidence=Evidence.READ_BACK, reading=OURS)


async def test_a_duplicate_while_a_slot_is_cleared_is_no_refusal_of_that() -> None:
    """Nothing that is taken away is a duplicate."""
    door = Door(([DUPLICATE], SUCCESS))
    cleared = await SlotCodes(door.lock, door, QUICK).change("3", Empty(), "clear")
    assert cleared == Written(slot="3", evidence=Evidence.ACCEPTED)


async def test_a_duplicate_told_soon_after_a_write_is_of_that_write() -> None:
    """The frame was acknowledged before the lock looked into its slots."""
    door = Door(([], SUCCESS))
    await door.write(waits=Waits(duplicate_s=0.1))
    door.lock.seen(DUPLICATE)
    assert door.told == [WriteRefused(device_id="door", slot="3", reason=Refusal.DUPLICATE)]
    door.told.clear()
    await asyncio.sleep(0.15)
    door.lock.seen(DUPLICATE)
    assert door.told == []


@pytest.mark.parametrize(("named", "refused"), [("3", True), ("4", False), (None, False)])
async def test_a_duplicate_that_names_the_slot_before_is_not_of_the_next_write(
    named: SlotRef | None, *, refused: bool
) -> None:
    """The lock looked into its slots when another one was being written already."""
    door = Door(([], SUCCESS), ([DuplicateRefused(device_id="door", slot=named)], SUCCESS))
    await door.write("3", waits=Waits(duplicate_s=5))
    if refused:
        assert (await door.write("4")).evidence is Evidence.ACCEPTED
        assert door.told == [WriteRefused(device_id="door", slot="3", reason=Refusal.DUPLICATE)]
    else:
        with pytest.raises(Refused):
            await door.write("4")
        assert door.told == []


async def test_a_duplicate_that_names_the_slot_that_is_written_again_is_of_that() -> None:
    """The first write to it does not matter any more."""
    door = Door(([], SUCCESS), ([DuplicateRefused(device_id="door", slot="3")], SUCCESS))
    await door.write("3", waits=Waits(duplicate_s=5))
    with pytest.raises(Refused):
        await door.write("3")


@pytest.mark.parametrize("late", [False, True])
async def test_what_a_slot_showed_before_the_write_is_no_sign_of_it(*, late: bool) -> None:
    """A long code to a lock just met needs a read first: hidden digits would be those of before."""
    too_large = TooLargeForNow(Refusal.OTHER, "too large")
    shown: list[Signal] = [reported(HIDDEN)]
    read = ([], TAKEN) if late else (shown, TAKEN)
    door = Door(([], too_large), read, (shown if late else [], NOTHING), ([], TAKEN))
    written = await door.write()
    assert door.sent == ["set", "get", "set", "get"]
    assert written == Written(slot="3", evidence=Evidence.OCCUPIED, reading=HIDDEN)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing linger for long."""
    monkeypatch.setattr(codes, "LINGER_S", 0.01)


class Busy(Door):
    """A lock that reports other slots while one is asked for, so many times."""

    def __init__(self, times: int) -> None:
        taken = {"userIdStatus": 1, "userCode": "582291"}
        ours = {"userIdStatus": 1, "userCode": "4711"}
        super().__init__(*[([], taken)] * times, ([], ours))
        self._times = times

    @override
    async def on_air(self, node: Node, command_class: CommandClass, method: str, *args: object) -> object:
        if self._times:
            self._times -= 1
            self.lock.reports[2] += 1
        self.lock.reports[3] += 1
        return await super().on_air(node, command_class, method, *args)


@pytest.mark.parametrize("times", [0, 1, 2])
async def test_the_report_of_another_slot_is_no_answer(times: int) -> None:
    """zwave-js takes the first report for it: the guest's slot would pass for one that somebody changed."""
    busy = Busy(times)
    assert await SlotCodes(busy.lock, busy, QUICK).read("3") == OURS
    assert busy.sent == ["get"] * (times + 1)


async def test_a_lock_that_reports_others_all_the_time_gives_no_answer() -> None:
    """It is asked again later."""
    busy = Busy(5)
    with pytest.raises(NoAnswer):
        await SlotCodes(busy.lock, busy, QUICK).read("3")
    assert busy.sent == ["get"] * 3
