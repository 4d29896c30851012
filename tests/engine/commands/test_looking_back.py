"""Events by filter, and the timeline of a code."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from drivers.simulated.models import NATIVE, READABLE
from gateway.domain.driver import (
    AccessDenied,
    ClockChecked,
    CodeUsed,
    KeypadMode,
    LockAlive,
    LockDead,
    LockEvent,
    LockSeen,
    NoAnswer,
    SlotTouched,
)
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, IDENTITY, MINUTE, NOON, SECOND
from tests.engine.conftest import Hang

PIN, THEIRS = "471134", "998877"
HOURLY = {"cron": "0 * * * *", "minutes": 20, "time_zone": "UTC"}
DENIED = AccessDenied(device_id=DOOR, reason="unknown_code")

type Do = Callable[[Bench], Awaitable[object]]


def tell(event: LockEvent) -> Do:
    """Let the lock report something."""
    return lambda bench: bench.tell(event)


def seen(*, keypad: bool) -> LockSeen:
    """Return what the driver tells of a lock that has a keypad or not."""
    can = replace(NATIVE.capabilities, keypad=keypad)
    return LockSeen(device_id=DOOR, identity=replace(IDENTITY, product=NATIVE.name), capabilities=can)


def ask(verb: str, **params: object) -> Do:
    """Give a command on the lock."""
    return lambda bench: bench.do(verb, device_id=DOOR, **params)


def pass_by(span: timedelta) -> Do:
    """Let time pass."""
    return lambda bench: bench.settle(span)


async def go_silent(bench: Bench) -> None:
    """Let the lock be away for a minute."""
    await bench.tell(LockDead(device_id=DOOR))
    await bench.settle(MINUTE)
    await bench.tell(LockAlive(device_id=DOOR))


async def meddle(bench: Bench) -> None:
    """Let another controller write its own PIN into our slot."""
    bench.by_hand("20", THEIRS)
    await bench.tell(SlotTouched(device_id=DOOR, slot="20"))


class TestEvents:
    """The newest of those that fit everything given, in order."""

    @pytest.mark.parametrize(
        ("asked", "types"),
        [
            ({"event_type": "access_code.created"}, ["access_code.created"] * 2),
            (
                {"event_types": ["access_code.set_on_device", "device.low_battery"]},
                ["access_code.set_on_device"] * 2,
            ),
            ({"between": [instant(NOON - HOUR), instant(NOON)]}, []),
            ({"device_ids": ["cellar"]}, []),
            ({"event_type": "access_code.created", "limit": 1}, ["access_code.created"]),
        ],
    )
    async def test_they_are_found_by_what_was_asked(
        self, hang: Hang, asked: dict[str, Any], types: list[str]
    ) -> None:
        """Types, times, locks, codes."""
        bench = await hang(READABLE)
        await bench.create(PIN)
        await bench.create("582245")
        await bench.settle()
        found = (await bench.do("events/list", **asked))["events"]
        assert [event["event_type"] for event in found] == types

    async def test_page_after_page_none_is_missed(self, hang: Hang) -> None:
        """Many are told in the same moment; forward from any number, also by kind."""
        bench = await hang(READABLE)
        for pin in (PIN, "582245", "693356"):
            await bench.create(pin)
        await bench.settle(HOUR)
        everything = (await bench.do("events/list", limit=1000))["events"]
        for kind in ({}, {"event_type": "access_code.changed"}):
            wanted = [one for one in everything if kind.get("event_type") in (None, one["event_type"])]
            found: list[dict[str, Any]] = []
            page: list[dict[str, Any]] = [{"seq": 0}]
            while page:
                page = (await bench.do("events/list", after_seq=page[-1]["seq"], limit=2, **kind))["events"]
                found += page
            assert (found, len(found) > 2) == (wanted, True)

    async def test_one_is_found_by_its_id(self, hang: Hang) -> None:
        """As it stands in the list."""
        bench = await hang(READABLE)
        await bench.create(PIN)
        [event] = (await bench.do("events/list", event_type="access_code.created"))["events"]
        assert (await bench.do("events/get", event_id=event["event_id"]))["event"] == event
        assert (await bench.ask("events/get", event_id="?"))["error"]["type"] == "not_found"


class TestTimeline:
    """Answers why a code did not work at 15:04."""

    async def test_who_was_not_let_in_with_a_code_stands_in_its_timeline_once(self, hang: Hang) -> None:
        """And not in that of another code; a denial of nobody's code is in both."""
        bench = await hang(READABLE)
        ours, other = await bench.create(PIN), await bench.create("582245")
        await bench.settle(HOUR)
        await bench.tell(AccessDenied(device_id=DOOR, reason="outside_schedule", slot="20"))
        await bench.tell(AccessDenied(device_id=DOOR, reason="unknown_code"))
        denials = []
        for code_id in (ours, other):
            entries = (await bench.do("access_codes/get_timeline", access_code_id=code_id))["timeline_events"]
            told = [entry for entry in entries if entry["kind"] == "lock.access_denied"]
            denials.append([entry["details"]["reason"]["reason_code"] for entry in told])
        assert denials == [["outside_schedule", "unknown_code"], ["unknown_code"]]

    async def test_it_tells_everything_in_order_and_no_pin(self, hang: Hang) -> None:
        """Command, attempts and their outcomes, changes by others, use, removal."""
        bench = await hang(READABLE)
        bench.driver.faults = [("before", NoAnswer("the answer got lost"))]
        code_id = await bench.create(PIN, name="Ana")
        await bench.settle(HOUR)
        await bench.tell(CodeUsed(device_id=DOOR, slot="20"))
        bench.by_hand("20", THEIRS)
        await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
        bench.clock.pass_by(SECOND)
        await bench.tell(LockDead(device_id=DOOR))
        shown = await bench.do("access_codes/get_timeline", access_code_id=code_id)
        entries = shown["timeline_events"]
        assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)
        kinds = [entry["kind"] for entry in entries]
        for earlier, later in (
            ("access_code.created", "internal.access_code.programming_started"),
            ("internal.access_code.programming_started", "access_code.set_on_device"),
            ("access_code.set_on_device", "lock.unlocked"),
            ("lock.unlocked", "access_code.modified_external_to_gateway"),
            ("access_code.modified_external_to_gateway", "device.disconnected"),
        ):
            assert kinds.index(earlier) < kinds.index(later)
        finished = [e["description"] for e in entries if e["kind"].endswith("programming_finished")]
        assert "writing slot 20: not applied" in finished
        assert "writing slot 20: applied" in finished
        actors = {entry["kind"]: entry["actor"] for entry in entries}
        assert actors["access_code.created"] == "client"
        assert actors["lock.unlocked"] == "somebody at the lock"
        assert PIN not in str(shown)
        assert THEIRS not in str(shown)

    async def test_it_outlives_the_code(self, hang: Hang) -> None:
        """What happened stays until events are dropped."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        await bench.settle()
        await bench.do("access_codes/delete", access_code_id=code_id)
        await bench.settle(HOUR)
        shown = await bench.do("access_codes/get_timeline", access_code_id=code_id)
        assert shown["timeline_events"][-1]["kind"] == "access_code.deleted"
        reply = await bench.ask("access_codes/get_timeline", access_code_id="nobody")
        assert reply["error"]["type"] == "not_found"

    async def test_a_part_of_it_may_be_asked_for(self, hang: Hang) -> None:
        """After, before, and at most so many: the newest."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        await bench.settle(MINUTE)
        bench.clock.pass_by(HOUR)
        await bench.tell(CodeUsed(device_id=DOOR, slot="20"))

        async def kinds(**asked: object) -> list[str]:
            shown = await bench.do("access_codes/get_timeline", access_code_id=code_id, **asked)
            return [entry["kind"] for entry in shown["timeline_events"]]

        assert await kinds(after=instant(NOON + HOUR)) == ["lock.unlocked", "access_code.first_used"]
        assert "lock.unlocked" not in await kinds(before=instant(NOON + HOUR))
        assert await kinds(limit=1) == ["access_code.first_used"]

    async def test_a_part_long_ago_has_its_operations_too(self, hang: Hang) -> None:
        """However many came after them: two windows of an hourly code, days ago."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, recurrence=HOURLY)
        await bench.settle(2 * DAY)
        part = {"after": instant(NOON + HOUR), "before": instant(NOON + 3 * HOUR), "limit": 50}
        shown = await bench.do("access_codes/get_timeline", access_code_id=code_id, **part)
        kinds = [entry["kind"] for entry in shown["timeline_events"]]
        assert kinds.count("internal.access_code.programming_started") == 6  # staged, enabled and cleared
        assert kinds.count("internal.access_code.programming_finished") == 6

    async def test_an_operation_over_the_edge_of_a_part_shows_the_half_that_is_in_it(
        self, hang: Hang
    ) -> None:
        """It went out before, and what became of it was known after."""
        bench = await hang(READABLE)
        bench.driver.faults = [("after", NoAnswer("the answer got lost"))]
        code_id = await bench.create(PIN)
        await bench.settle(HOUR)
        edge = instant(NOON + SECOND)
        for part, kind in (({"before": edge}, "started"), ({"after": edge}, "finished")):
            shown = await bench.do("access_codes/get_timeline", access_code_id=code_id, **part)
            kinds = [e["kind"] for e in shown["timeline_events"] if e["kind"].startswith("internal.")]
            assert kinds == [f"internal.access_code.programming_{kind}"]

    async def test_a_quiet_part_of_a_code_that_is_gone_is_empty_and_not_unknown(self, hang: Hang) -> None:
        """The code is remembered, whatever hours are asked for."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        await bench.settle()
        await bench.do("access_codes/delete", access_code_id=code_id)
        await bench.settle(HOUR)
        shown = await bench.do(
            "access_codes/get_timeline", access_code_id=code_id, before=instant(NOON - HOUR)
        )
        assert shown["timeline_events"] == []

    async def test_what_happened_to_the_lock_before_the_code_is_no_part_of_it(self, hang: Hang) -> None:
        """Nobody who asks about this code was concerned."""
        bench = await hang(READABLE)
        await bench.tell(DENIED)
        bench.clock.pass_by(HOUR)
        code_id = await bench.create(PIN)
        await bench.settle(MINUTE)
        await bench.tell(DENIED)
        for asked in ({}, {"after": instant(NOON - HOUR)}):
            shown = await bench.do("access_codes/get_timeline", access_code_id=code_id, **asked)
            kinds = [entry["kind"] for entry in shown["timeline_events"]]
            assert kinds[0] == "access_code.created"
            assert kinds.count("lock.access_denied") == 1

    @pytest.mark.parametrize(
        ("began", "over", "kinds"),
        [
            (
                tell(KeypadMode(device_id=DOOR, off="it is in privacy mode")),
                tell(KeypadMode(device_id=DOOR, off=None)),
                ["device.keypad_switched_off", "device.keypad_switched_on"],
            ),
            (
                tell(seen(keypad=False)),
                tell(seen(keypad=True)),
                ["device.accessory_keypad_disconnected", "device.accessory_keypad_connected"],
            ),
            (ask("devices/pause"), ask("devices/resume"), ["device.paused", "device.resumed"]),
            (ask("devices/pause", minutes=60), pass_by(2 * HOUR), ["device.paused", "device.resumed"]),
            (
                tell(ClockChecked(device_id=DOOR, off_by=5 * MINUTE)),
                tell(ClockChecked(device_id=DOOR, off_by=SECOND)),
                ["device.clock_wrong", "device.clock_right"],
            ),
        ],
        ids=["keypad off", "keypad gone", "paused", "paused for an hour", "clock wrong"],
    )
    async def test_what_kept_the_lock_from_opening_is_in_it_from_beginning_to_end(
        self, hang: Hang, began: Do, over: Do, kinds: list[str]
    ) -> None:
        """Each once, however long it lasts; and it stays there when the code is gone."""
        bench = await hang(NATIVE)
        code_id = await bench.create(PIN)
        await bench.settle(MINUTE)
        await began(bench)
        await bench.settle(10 * MINUTE)
        await over(bench)
        await bench.settle(10 * MINUTE)
        for left in (True, False):
            shown = await bench.do("access_codes/get_timeline", access_code_id=code_id)
            told = [e["kind"] for e in shown["timeline_events"] if e["kind"].startswith("device.")]
            assert told == kinds
            if left:
                await bench.do("access_codes/delete", access_code_id=code_id)
                await bench.settle(HOUR)
        assert not bench.snap().codes

    @pytest.mark.parametrize(
        ("deed", "lasts", "kinds"),
        [
            (go_silent, HOUR, ["device.connection_became_flaky", "device.connection_stabilized"]),
            (
                meddle,
                DAY,
                [
                    "device.third_party_integration_detected",
                    "device.third_party_integration_no_longer_detected",
                ],
            ),
        ],
    )
    async def test_what_troubled_the_lock_again_and_again_is_in_it(
        self, hang: Hang, deed: Do, lasts: timedelta, kinds: list[str]
    ) -> None:
        """With its end: three times in a row, each seen for itself, would be no answer."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        await bench.settle(HOUR)
        for _ in range(3):
            await deed(bench)
            await bench.settle(MINUTE)
        await bench.settle(lasts + HOUR)
        shown = await bench.do("access_codes/get_timeline", access_code_id=code_id)
        assert [e["kind"] for e in shown["timeline_events"] if e["kind"] in kinds] == kinds

    async def test_of_a_code_that_is_gone_it_tells_of_the_lock_only_while_it_lived(self, hang: Hang) -> None:
        """Neither before nor after."""
        bench = await hang(READABLE)
        await bench.tell(DENIED)
        bench.clock.pass_by(HOUR)
        code_id = await bench.create(PIN)
        await bench.settle(MINUTE)
        await bench.tell(DENIED)
        bench.clock.pass_by(SECOND)
        await bench.do("access_codes/delete", access_code_id=code_id)
        await bench.settle(HOUR)
        await bench.tell(DENIED)
        for asked, denials in (({}, 1), ({"before": instant(NOON + HOUR + SECOND)}, 0)):
            shown = await bench.do("access_codes/get_timeline", access_code_id=code_id, **asked)
            kinds = [entry["kind"] for entry in shown["timeline_events"]]
            assert kinds.count("lock.access_denied") == denials

    async def test_wrong_pins_at_the_keypad_push_nothing_out(self, hang: Hang) -> None:
        """The entries of the lock are counted apart; of them too the newest are shown."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        await bench.settle(MINUTE)
        for _ in range(12):
            bench.clock.pass_by(SECOND)
            await bench.tell(DENIED)
        shown = await bench.do("access_codes/get_timeline", access_code_id=code_id, limit=3)
        kinds = [entry["kind"] for entry in shown["timeline_events"]]
        assert kinds[-3:] == ["lock.access_denied"] * 3
        assert "access_code.set_on_device" in kinds
        assert len(kinds) == 6
