"""Which event is told when: once per change, in order, with nothing lost or repeated by a restart."""

from typing import Any

import pytest

from drivers.simulated.models import CHOOSER, NATIVE, READABLE, Model
from gateway.domain.driver import (
    AuthorityLost,
    AuthorityUp,
    LockAlive,
    LockDead,
    NoAnswer,
    Refused,
    SlotTouched,
)
from gateway.domain.placement import Refusal
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, SECOND
from tests.engine.conftest import Hang

PIN = "471134"
BUSY = Refused(Refusal.BUSY, "the lock is busy")


def statuses(bench: Bench) -> list[tuple[str, str]]:
    """Return the changes of status told so far."""
    stored = bench.store.do(lambda tx: tx.events(limit=1000))
    return [
        (change["from"], change["to"])
        for event in stored
        for change in event.event.payload.get("changed_properties", [])
    ]


class TestLifeOfACode:
    """From its creation to its end."""

    async def test_created_set_removed_deleted(self, hang: Hang) -> None:
        """Every step once, and what the status was and is."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        await bench.settle(HOUR)
        assert bench.events() == [
            "access_code.created",
            "access_code.changed",
            "access_code.changed",
            "access_code.set_on_device",
        ]
        await bench.do("access_codes/delete", access_code_id=code_id)
        await bench.settle(HOUR)
        assert bench.events() == [
            "access_code.mutations_requested",
            "access_code.changed",
            "access_code.changed",
            "access_code.removed_from_device",
            "access_code.deleted",
        ]
        assert statuses(bench) == [
            ("unset", "setting"),
            ("setting", "set"),
            ("set", "removing"),
            ("removing", "unset"),
        ]

    async def test_a_window_that_the_lock_keeps(self, hang: Hang) -> None:
        """Scheduled, begun, ended."""
        bench = await hang(NATIVE)
        await bench.create(PIN, starts_at=instant(NOON + HOUR), ends_at=instant(NOON + DAY))
        await bench.settle(MINUTE)
        assert bench.events() == ["access_code.created", "access_code.scheduled_on_device"]
        await bench.settle(HOUR)
        assert bench.events() == ["access_code.changed", "access_code.set_on_device"]
        await bench.settle(DAY)
        assert bench.events() == [
            "access_code.changed",
            "access_code.changed",
            "access_code.removed_from_device",
        ]

    async def test_a_window_that_the_hub_opens_in_time_is_not_late(self, hang: Hang) -> None:
        """The code waits disabled, and is enabled at its start and not before."""
        bench = await hang(READABLE)
        await bench.create(PIN, starts_at=instant(NOON + HOUR))
        await bench.settle(HOUR + MINUTE)
        assert bench.events() == [
            "access_code.created",
            "access_code.changed",
            "access_code.changed",
            "access_code.set_on_device",
        ]

    async def test_what_is_changed_is_told_when_asked_and_when_done(self, hang: Hang) -> None:
        """Digits, window and name, each by its own event."""
        bench = await hang(CHOOSER)
        code_id = await bench.create(PIN)
        await bench.settle(HOUR)
        bench.events()
        changes: dict[str, dict[str, Any]] = {
            "access_code.code_changed": {"code": "998877"},
            "access_code.name_changed": {"name": "Ana"},
            "access_code.time_frame_changed": {"ends_at": instant(NOON + 9 * DAY)},
        }
        for event, change in changes.items():
            await bench.do("access_codes/update", access_code_id=code_id, **change)
            assert bench.events()[0] == "access_code.mutations_requested"
            await bench.settle(HOUR)
            assert event in bench.events()

    async def test_a_change_that_changes_nothing_is_not_told(self, hang: Hang) -> None:
        """Nor written."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        await bench.settle(HOUR)
        bench.events()
        await bench.do("access_codes/update", access_code_id=code_id, code=PIN, name="Access code")
        assert bench.events() == []

    async def test_a_code_that_never_was_on_the_lock_was_not_removed(self, hang: Hang) -> None:
        """It is deleted, and that is all."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, starts_at=instant(NOON + DAY))
        bench.events()
        await bench.do("access_codes/delete", access_code_id=code_id)
        assert bench.events() == ["access_code.mutations_requested", "access_code.deleted"]

    async def test_a_second_attempt_that_never_arrived_is_not_told_as_removed(self, hang: Hang) -> None:
        """The code was on the lock once, and its removal was told then."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        await bench.settle(HOUR)
        far = instant(bench.clock.wall + DAY)
        await bench.do("access_codes/update", access_code_id=code_id, starts_at=far)
        await bench.settle(HOUR)
        assert bench.events().count("access_code.removed_from_device") == 1
        await bench.do("access_codes/update", access_code_id=code_id, starts_at=None)
        bench.driver.faults = [None, ("before", NoAnswer("no answer"))]
        await bench.settle()
        await bench.do("access_codes/delete", access_code_id=code_id)
        await bench.settle(2 * HOUR)
        told = bench.events()
        assert "access_code.deleted" in told
        assert "access_code.removed_from_device" not in told


class TestTrouble:
    """Errors and warnings are told when they appear, and never again while they stay."""

    async def test_the_way_to_the_lock(self, hang: Hang) -> None:
        """Gone and back, once each; what was told stays told while anything of it lasts."""
        bench = await hang(READABLE)
        await bench.tell(LockDead(device_id=DOOR))
        await bench.settle(10 * SECOND)
        assert bench.events() == ["device.disconnected"]
        await bench.tell(AuthorityLost(device_ids=(DOOR,)))
        await bench.settle(HOUR)
        assert bench.events() == ["device.disconnected"]
        await bench.tell(AuthorityUp(device_ids=(DOOR,)))
        assert bench.events() == []
        await bench.tell(LockAlive(device_id=DOOR))
        assert bench.events() == ["device.connected"]

    @pytest.mark.parametrize(
        ("deed", "event"),
        [
            ("fail to set", "access_code.failed_to_set_on_device"),
            ("late", "access_code.delay_in_setting_on_device"),
            ("fail to remove", "access_code.failed_to_remove_from_device"),
            ("slow removal", "access_code.delay_in_removing_from_device"),
            ("not expired", "access_code.failed_to_expire"),
        ],
    )
    async def test_what_goes_wrong_with_a_code_is_told_once(self, hang: Hang, deed: str, event: str) -> None:
        """Although it goes on for an hour."""
        bench = await hang(READABLE)
        ends = {"ends_at": instant(NOON + HOUR)} if deed == "not expired" else {}
        code_id = await bench.create(PIN, **ends)
        if deed in {"fail to set", "late"}:
            bench.driver.faults = [("before", BUSY)] * 200
        else:
            await bench.settle(HOUR - SECOND)
            bench.driver.faults = [("before", BUSY)] * 200
            if deed != "not expired":
                await bench.do("access_codes/delete", access_code_id=code_id)
        await bench.settle(HOUR)
        assert bench.events().count(event) == 1

    async def test_the_payload_says_what_and_holds_no_digits(self, hang: Hang) -> None:
        """Code and sentence of the error."""
        bench = await hang(READABLE)
        await bench.create(PIN)
        bench.driver.faults = [("before", BUSY)]
        await bench.settle()
        stored = bench.store.do(lambda tx: tx.undelivered(100))
        [event] = [e.event for e in stored if e.event.event_type == "access_code.failed_to_set_on_device"]
        assert event.payload["error_code"] == "failed_to_set_on_device"
        assert event.payload["message"] == "the lock is busy"
        assert [shown["error_code"] for shown in event.payload["access_code_errors"]] == [
            "failed_to_set_on_device"
        ]
        assert (event.payload["device_errors"], event.payload["device_warnings"]) == ([], [])
        assert PIN not in repr(stored)


class TestRestarts:
    """What was told is stored with the event that told it."""

    async def test_a_restart_repeats_nothing(self, hang: Hang) -> None:
        """Whatever the state the hub was stopped in."""
        bench = await hang(READABLE)
        await bench.create(PIN)
        await bench.settle(HOUR)
        bench.events()
        bench.boot()
        await bench.start()
        await bench.settle(HOUR)
        assert bench.events() == []

    async def test_a_window_that_began_while_the_hub_was_off_is_told_once(self, hang: Hang) -> None:
        """As soon as the lock is heard again."""
        bench = await hang(NATIVE)
        await bench.create(PIN, starts_at=instant(NOON + HOUR), ends_at=instant(NOON + DAY))
        await bench.settle(MINUTE)
        bench.events()
        bench.clock.pass_by(2 * HOUR)
        bench.boot()
        await bench.start()
        assert bench.events().count("access_code.set_on_device") == 1

    @pytest.mark.parametrize("model", [READABLE, NATIVE])
    async def test_a_window_that_ended_while_the_hub_was_off_is_told_once(
        self, hang: Hang, model: Model
    ) -> None:
        """Removed at once, whoever kept the window; a second restart repeats nothing."""
        bench = await hang(model)
        await bench.create(PIN, starts_at=instant(NOON - HOUR), ends_at=instant(NOON + HOUR))
        await bench.settle(MINUTE)
        assert "access_code.set_on_device" in bench.events()
        bench.clock.pass_by(2 * HOUR)
        told: list[str] = []
        for _ in range(2):
            bench.boot()
            await bench.start()
            told += bench.events()
        assert told.count("access_code.removed_from_device") == 1
        assert PIN not in bench.on_lock().values()

    async def test_a_window_that_came_and_went_while_the_hub_was_off_leaves_no_word_of_success(
        self, hang: Hang
    ) -> None:
        """A code that the hub was to put on, and never did, was neither set nor removed."""
        bench = await hang(READABLE)
        await bench.create(PIN, starts_at=instant(NOON + HOUR), ends_at=instant(NOON + 2 * HOUR))
        await bench.settle(MINUTE)
        bench.events()
        bench.clock.pass_by(DAY)
        bench.boot()
        await bench.start()
        told = bench.events()
        assert "access_code.set_on_device" not in told
        assert "access_code.removed_from_device" not in told

    async def test_a_code_of_others_is_told_by_one_id_for_ever(self, hang: Hang) -> None:
        """Also after a restart."""
        bench = await hang(READABLE)
        bench.by_hand("3", "998877")
        await bench.tell(SlotTouched(device_id=DOOR, slot="3"))
        unmanaged = bench.snap().slots["3"].unmanaged_id
        assert bench.events() == ["access_code.unmanaged.created"]
        bench.boot()
        await bench.start()
        assert bench.snap().slots["3"].unmanaged_id == unmanaged
        assert bench.events() == []


class TestUnknown:
    """Nobody could know for a while, and now one can."""

    async def test_a_code_that_was_set_and_is_still_is_no_new_success(self, hang: Hang) -> None:
        """Only its status is told, also over a restart."""
        bench = await hang(READABLE)
        await bench.create(PIN)
        await bench.settle(HOUR)
        bench.events()
        for restarts in (False, True):
            await bench.tell(AuthorityLost(device_ids=(DOOR,)))
            await bench.settle(HOUR)
            if restarts:
                bench.boot()
                await bench.engine.start()
            await bench.tell(AuthorityUp(device_ids=(DOOR,)))
            await bench.tell(bench.seen())
            assert bench.events() == [
                "device.disconnected",
                "access_code.changed",
                "device.connected",
                "access_code.changed",
            ]

    async def test_a_window_that_began_meanwhile_is_a_success(self, hang: Hang) -> None:
        """The lock opened it by itself, and nobody was told so yet."""
        bench = await hang(NATIVE)
        await bench.create(PIN, starts_at=instant(NOON + HOUR), ends_at=instant(NOON + DAY))
        await bench.settle(MINUTE)
        await bench.tell(AuthorityLost(device_ids=(DOOR,)))
        await bench.settle(2 * HOUR)
        bench.events()
        await bench.tell(AuthorityUp(device_ids=(DOOR,)))
        await bench.tell(bench.seen())
        assert [event for event in bench.events() if event.startswith("access_code.")] == [
            "access_code.changed",
            "access_code.set_on_device",
        ]
