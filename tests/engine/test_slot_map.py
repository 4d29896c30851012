"""The map of a lock's slots, and how far its first inventory has come."""

from typing import Any

import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, READABLE
from gateway.domain.credential import Empty, Unreadable
from gateway.engine.slot_map import inventory, slot_map
from tests.engine.bench import Bench
from tests.engine.build import (
    CAN_BLIND,
    CAN_CHOOSE,
    DOOR,
    HOUR,
    MINUTE,
    NOON,
    POLICY,
    SECOND,
    TIMING,
    Fact,
    code,
    device,
    held,
    known,
    slot,
    snapshot,
)
from tests.engine.conftest import Hang

HUGE = READABLE.with_slots(250)


def read_at(number: int, at: Any, reading: Any = Empty()) -> Fact:  # noqa: ANN401, B008 - any reading, at any time
    """Return a slot that was read then."""
    return slot(str(number), reading, read_at=at)


class TestMap:
    """Every slot with what is in it."""

    def test_each_slot_says_whose_it_is(self) -> None:
        """Ours, of others (digits seen or not), free, or not read yet."""
        shown = slot_map(
            snapshot(
                device(),
                code(),
                held(),
                slot("20", known(), read_at=NOON),
                slot("1", known("9999"), read_at=NOON, unmanaged_id="other"),
                slot("2", Unreadable(), read_at=NOON, unmanaged_id="hidden"),
                slot("3", Empty(), read_at=NOON),
            )
        )
        assert [(one.slot, one.state, one.access_code_id) for one in shown[:4]] == [
            ("1", "unmanaged", "other"),
            ("2", "unmanaged", "hidden"),
            ("3", "free", None),
            ("4", "unread", None),
        ]
        assert (shown[-1].slot, shown[-1].state, shown[-1].access_code_id) == ("20", "managed", "ana")
        assert len(shown) == 20

    def test_slots_that_the_configuration_keeps_from_the_hub_are_not_usable(self) -> None:
        """They are on the map all the same: somebody's codes are there."""
        granted = replace(POLICY, managed_slots=("19", "20"))
        shown = slot_map(snapshot(device(policy=granted)))
        assert [one.slot for one in shown if one.is_usable] == ["19", "20"]

    def test_a_lock_that_chooses_slots_shows_those_it_named(self) -> None:
        """In the order of their numbers."""
        shown = slot_map(
            snapshot(device(CAN_CHOOSE), read_at(10, NOON, known("1111")), read_at(9, NOON, known("2222")))
        )
        assert [(one.slot, one.is_usable) for one in shown] == [("9", True), ("10", True)]

    async def test_only_who_asks_for_one_lock_gets_its_map(self, hang: Hang) -> None:
        """The list of locks and the retained state stay small. No PIN is on the map."""
        bench = await hang(READABLE)
        await bench.create("471134")
        await bench.settle()
        asked = await bench.do("devices/get", device_id=DOOR)
        assert [one["state"] for one in asked["slots"]] == ["free"] * 19 + ["managed"]
        assert "471134" not in str(asked)
        [listed] = (await bench.do("devices/list"))["devices"]
        assert "slots" not in listed


class TestFirstInventory:
    """How far it has come and how long it takes yet."""

    def test_nothing_was_read_yet(self) -> None:
        """So nobody knows how long it takes."""
        shown = inventory(snapshot(device(audit_round=NOON)), NOON, TIMING)
        assert shown is not None
        assert (shown.slots_read, shown.slots, shown.seconds_left) == (0, 20, None)

    def test_the_time_left_is_that_of_the_slots_read_so_far(self) -> None:
        """Five slots in ten seconds: fifteen more in thirty."""
        facts = [read_at(number, NOON + SECOND) for number in range(1, 6)]
        shown = inventory(snapshot(device(audit_round=NOON), *facts), NOON + 10 * SECOND, TIMING)
        assert shown is not None
        assert (shown.slots_read, shown.seconds_left) == (5, 30)

    def test_the_time_left_is_what_the_budget_allows(self) -> None:
        """An hour's worth of reads goes quickly; of 250 slots the other 190 take as many minutes."""
        facts = [read_at(number, NOON + SECOND) for number in range(1, 61)]
        there = device(HUGE.capabilities, audit_round=NOON, read_budget=NOON + HOUR + 2 * MINUTE)
        shown = inventory(snapshot(there, *facts), NOON + 2 * MINUTE, TIMING)
        assert shown is not None
        assert (shown.slots_read, shown.seconds_left) == (60, 190 * 60)

    def test_slots_read_earlier_say_nothing_of_the_pace(self) -> None:
        """After a restart the audit begins anew."""
        facts = [read_at(number, NOON - HOUR) for number in range(1, 11)]
        shown = inventory(snapshot(device(audit_round=NOON), *facts), NOON + MINUTE, TIMING)
        assert shown is not None
        assert (shown.slots_read, shown.seconds_left) == (10, None)

    @pytest.mark.parametrize(
        "facts",
        [
            [device(audit_round=NOON), *(read_at(number, NOON) for number in range(1, 21))],
            [device()],
            [device(CAN_BLIND, audit_round=NOON)],
            [device(CAN_CHOOSE, audit_round=NOON)],
            [device(None, audit_round=NOON)],
        ],
        ids=["all read", "no audit", "readings prove nothing", "one listing", "never seen"],
    )
    def test_there_is_none(self, facts: list[Fact]) -> None:
        """Where there is nothing to wait for."""
        assert inventory(snapshot(*facts), NOON, TIMING) is None


class TestProgressAsEvents:
    """A lock with many slots takes minutes: whoever waits is told each tenth."""

    async def inventoried(self, bench: Bench) -> list[dict[str, Any]]:
        """Let the lock be read; return what was told on the way."""
        for _ in range(20):
            await bench.settle(HOUR)
        stored = bench.store.do(lambda tx: tx.events(limit=1000))
        return [one.event.payload for one in stored if one.event.event_type == "device.inventory_progress"]

    async def test_each_tenth_is_told_once_and_the_end(self) -> None:
        """Ten events for 250 slots, the last with all."""
        bench = Bench(HUGE)
        await bench.start()
        told = await self.inventoried(bench)
        assert [one["slots_read"] for one in told] == [25, 50, 75, 100, 125, 150, 175, 200, 225, 250]
        assert {one["slots"] for one in told} == {250}
        # Of the 60 reads that are free in the first hour one is for the checksum.
        assert told[0]["seconds_left"] == (250 + 1 - 60) * 60
        assert told[-1]["seconds_left"] == 0
        assert (await bench.do("devices/get", device_id=DOOR))["device"]["inventory"] is None
        bench.store.close()

    @pytest.mark.parametrize("model", [READABLE, CHOOSER])
    async def test_short_ones_are_not_told(self, model: Any) -> None:  # noqa: ANN401 - a Model
        """They are over before anybody looks."""
        bench = Bench(model)
        await bench.start()
        assert await self.inventoried(bench) == []
        bench.store.close()
