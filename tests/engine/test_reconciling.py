"""A whole hub and one lock: what is asked for comes about, whatever goes wrong on the way."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, MASKED, MODELS, NATIVE, READABLE, TINY, WRITE_ONLY, Model
from gateway.domain.driver import (
    AuthorityDown,
    CodeUsed,
    DriverError,
    LockAlive,
    LockUnreachable,
    NoAnswer,
    Refused,
    SlotTouched,
)
from gateway.domain.placement import Refusal
from gateway.domain.timing import Timing
from gateway.engine.mutations import instant
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, POLICY, SECOND
from tests.engine.conftest import Hang

PIN = "471134"
KINDS = pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
READABLE_KINDS = pytest.mark.parametrize("model", [READABLE, MASKED, NATIVE, CHOOSER], ids=lambda m: m.name)
SHOWING = pytest.mark.parametrize("model", [READABLE, NATIVE, CHOOSER], ids=lambda m: m.name)


class TestComing:
    """A code gets onto every kind of lock, and off it again."""

    @KINDS
    async def test_with_one_write_and_one_clear(self, hang: Hang, model: Model) -> None:
        """A write-only lock is told twice to forget, because nothing else would prove it."""
        bench = await hang(model)
        code_id = await bench.create(PIN)
        await bench.settle(HOUR)
        assert list(bench.on_lock().values()) == [PIN]
        assert len(bench.driver.taken("write")) == 1
        await bench.do("access_codes/delete", access_code_id=code_id)
        await bench.settle(HOUR)
        assert bench.on_lock() == {}
        assert len(bench.driver.taken("clear")) == (2 if model is WRITE_ONLY else 1)
        assert code_id not in bench.snap().codes

    @KINDS
    async def test_a_converged_lock_is_left_alone(self, hang: Hang, model: Model) -> None:
        """Rule 10: over three days no write; reads only at audits, and few."""
        bench = await hang(model)
        await bench.create(PIN)
        await bench.settle(HOUR)
        bench.driver.operations.clear()
        await bench.settle(3 * DAY)
        assert bench.driver.taken("write", "clear") == []
        assert len(bench.driver.operations) <= 3 * 11

    async def test_a_lock_that_stores_another_name_is_not_written_for_ever(self, hang: Hang) -> None:
        """It cuts names shorter than it says: names open no door."""
        bench = await hang(CHOOSER)
        bench.lock.model = replace(CHOOSER, capabilities=replace(CHOOSER.capabilities, name_length=5))
        bench.driver.faults = [None] * 50 + [("before", RuntimeError("written for ever"))] * 50
        await bench.create(PIN, name="Ana Lopez")
        await bench.settle(DAY)
        assert len(bench.driver.taken("write")) <= 2

    async def test_a_probe_is_a_whole_audit(self, hang: Hang) -> None:
        """Where the lock answers a checksum; after our own write it is asked for anew."""
        bench = await hang(READABLE)
        await bench.create(PIN)
        await bench.settle(2 * DAY)
        bench.driver.operations.clear()
        await bench.settle(3 * DAY)
        assert bench.driver.taken() == [("probe", None)] * 3

    async def test_a_silent_edit_during_an_audit_is_found_by_the_next(self, hang: Hang) -> None:
        """The checksum after the reads is not that of what was read, so it stands for nothing."""
        bench = await hang(READABLE)
        await bench.create(PIN)
        await bench.settle(HOUR)
        await bench.do("devices/sync", device_id=DOOR)
        edit = lambda: bench.by_hand("20", "998877")  # noqa: E731
        bench.driver.meanwhile = {("read", READABLE.capabilities.slots[-2]): edit}
        await bench.settle(HOUR)
        assert bench.on_lock() == {"20": "998877"}
        await bench.settle(DAY)
        assert bench.on_lock() == {"20": PIN}

    async def test_a_window_is_kept_by_the_hub(self, hang: Hang) -> None:
        """Staged disabled, enabled at its start, removed at its end within the second."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, starts_at=instant(NOON + HOUR), ends_at=instant(NOON + 2 * HOUR))
        seen = []
        for minutes in (29, 30, 59, 60, 119, 120):
            await bench.settle(NOON + minutes * MINUTE - bench.clock.wall)
            slot = bench.lock.slots.get("20")
            seen.append(
                (minutes, slot.enabled if slot is not None else None, (await bench.shown(code_id))["status"])
            )
        assert seen == [
            (29, None, "unset"),
            (30, False, "setting"),
            (59, False, "setting"),
            (60, True, "set"),
            (119, True, "set"),
            (120, None, "unset"),
        ]

    async def test_a_window_is_kept_by_the_lock(self, hang: Hang) -> None:
        """Preloaded three days before; the hub only takes it off at the end."""
        bench = await hang(NATIVE)
        code_id = await bench.create(PIN, starts_at=instant(NOON + 4 * DAY), ends_at=instant(NOON + 5 * DAY))
        await bench.settle(DAY - SECOND)
        assert bench.on_lock() == {}
        await bench.settle(2 * SECOND)
        shown = await bench.shown(code_id)
        assert (shown["status"], shown["is_scheduled_on_device"]) == ("unset", True)
        await bench.settle(3 * DAY)
        assert (await bench.shown(code_id))["status"] == "set"
        await bench.settle(DAY)
        assert bench.on_lock() == {}


def lost() -> DriverError:
    """Return what the hub is told when an answer got lost."""
    return NoAnswer("the answer did not come")


class TestTrouble:
    """Lost requests, lost answers, refusals, crashes: the code is there once (rules 11, 12, 13)."""

    @KINDS
    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("error", [lost(), LockUnreachable("no reaction"), RuntimeError(PIN)])
    async def test_a_write_without_answer_ends_with_the_code_there_once(
        self, hang: Hang, model: Model, when: str, error: Exception
    ) -> None:
        """Whether it was applied or not, and whatever the driver raised."""
        bench = await hang(model)
        code_id = await bench.create(PIN)
        bench.driver.faults = [None, (when, error)] if model is TINY else [(when, error)]
        await bench.settle(2 * HOUR)
        assert list(bench.on_lock().values()) == [PIN]
        assert (await bench.shown(code_id))["status"] == ("setting" if model is WRITE_ONLY else "set")
        assert not bench.snap().intents

    @KINDS
    @pytest.mark.parametrize("when", ["before", "after"])
    async def test_a_clear_without_answer_ends_with_the_code_gone(
        self, hang: Hang, model: Model, when: str
    ) -> None:
        """And its row is kept until then."""
        bench = await hang(model)
        code_id = await bench.create(PIN)
        await bench.settle(HOUR)
        await bench.do("access_codes/delete", access_code_id=code_id)
        bench.driver.faults = [(when, lost())]
        await bench.settle()
        assert code_id in bench.snap().codes
        await bench.settle(2 * HOUR)
        assert (bench.on_lock(), list(bench.snap().codes)) == ({}, [])

    @KINDS
    @pytest.mark.parametrize("when", ["before", "after"])
    async def test_a_crash_between_journal_and_outcome_is_mended_by_the_next_start(
        self, hang: Hang, model: Model, when: str
    ) -> None:
        """Rule 12: a second slot would be a double effect."""

        class Crash(BaseException):
            """Ends the process in the middle of an operation."""

        bench = await hang(model)
        await bench.create(PIN)
        bench.driver.faults = [(when, Crash())]  # type: ignore[list-item]
        with pytest.raises(Crash):
            await bench.settle()
        bench.boot()
        await bench.start()
        await bench.settle(HOUR)
        assert list(bench.on_lock().values()) == [PIN]

    async def test_failures_back_off_and_a_sign_of_life_ends_it(self, hang: Hang) -> None:
        """60 s doubling to 30 min; the next try comes at once when the lock is heard."""
        bench = await hang(READABLE)
        bench.driver.closed = LockUnreachable("no reaction")
        await bench.create(PIN)
        pauses = []
        for _ in range(7):
            due = await bench.worker.reconcile()
            assert due is not None
            retry_at = bench.snap().device.retry_at
            assert retry_at is not None
            pauses.append((retry_at - bench.clock.wall) / MINUTE)
            bench.clock.pass_by(retry_at - bench.clock.wall)
        assert pauses == [1, 2, 4, 8, 16, 30, 30]
        await bench.worker.reconcile()
        bench.driver.closed = None
        await bench.tell(LockAlive(device_id=DOOR))
        assert list(bench.on_lock().values()) == [PIN]
        assert bench.snap().device.failures == 0

    async def test_a_server_that_is_away_sends_nothing_and_costs_nothing(self, hang: Hang) -> None:
        """The work goes on when it is back."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        bench.driver.faults = [("before", AuthorityDown("away"))]
        await bench.settle(HOUR)
        assert bench.on_lock() == {}
        assert (await bench.shown(code_id))["status"] == "unknown"
        assert "hub_disconnected" in bench.issues()
        await bench.tell(bench.seen())
        assert list(bench.on_lock().values()) == [PIN]
        assert bench.issues() == set()

    @pytest.mark.parametrize(
        ("reason", "issue"),
        [(Refusal.DUPLICATE, "duplicate_code_on_device"), (Refusal.FORMAT, "code_constraints_violated")],
    )
    async def test_a_code_refused_for_good_rests_for_a_day(
        self, hang: Hang, reason: Refusal, issue: str
    ) -> None:
        """Rule 11; changing the code ends it."""
        bench = await hang(NATIVE)
        code_id = await bench.create(PIN)
        bench.driver.faults = [("before", Refused(reason, "it said no"))]
        await bench.settle(DAY - SECOND)
        assert len(bench.driver.taken("write")) == 1
        assert issue in bench.issues()
        assert "failed_to_set_on_device" not in bench.issues(), "whose remedy does not help here"
        await bench.settle(2 * SECOND)
        assert len(bench.driver.taken("write")) == 1
        assert issue not in bench.issues()
        await bench.do("access_codes/update", access_code_id=code_id, code="998877")
        bench.driver.faults = [("before", Refused(reason, "it said no"))]
        await bench.settle()
        await bench.do("access_codes/update", access_code_id=code_id, code="887766")
        await bench.settle()
        assert list(bench.on_lock().values()) == ["887766"]

    async def test_a_lock_that_refuses_looks_is_not_asked_without_end(self, hang: Hang) -> None:
        """Once a minute at most, and the code is set when it answers again."""
        bench = await hang(READABLE)
        bench.clock.pass_by(HOUR)
        await bench.create(PIN)
        refused = ("before", Refused(Refusal.OTHER, "no such slot"))
        bench.driver.faults = [refused] * 1000
        await bench.settle(HOUR)
        assert len(bench.driver.taken()) <= 61
        bench.driver.faults = []
        await bench.settle(HOUR)
        assert list(bench.on_lock().values()) == [PIN]

    async def test_the_pause_that_a_lock_wants_is_kept(self, hang: Hang) -> None:
        """Between two operations, by the boot clock."""
        spaced = replace(READABLE, capabilities=replace(READABLE.capabilities, spacing=2 * SECOND))
        bench = await hang(spaced)
        for pin in ("471134", "582245", "693356"):
            await bench.create(pin)
        before = bench.clock.booted
        bench.clock.pass_by(HOUR)
        await bench.worker.reconcile()
        operations = bench.driver.taken()
        assert len(operations) >= 6
        passed = timedelta(seconds=bench.clock.booted - before) - HOUR
        assert passed == 2 * SECOND * (len(operations) - 1)


class TestPeople:
    """What people do at the keypad."""

    @SHOWING
    async def test_a_changed_pin_is_noticed_told_and_put_right(self, hang: Hang, model: Model) -> None:
        """Once told; the new digits stand in nothing that is stored in clear."""
        bench = await hang(model)
        await bench.create(PIN)
        await bench.settle(HOUR)
        [slot] = bench.on_lock()
        bench.by_hand(slot, "998877")
        bench.events()
        report = SlotTouched(device_id=DOOR, slot=None if model is CHOOSER else slot)
        bench.clock.pass_by(MINUTE)
        await bench.tell(report)
        await bench.settle(HOUR)
        assert bench.on_lock() == {slot: PIN}
        assert bench.events().count("access_code.modified_external_to_gateway") == 1
        assert not any("998877" in line or PIN in line for line in bench.store.dump())

    async def test_hidden_digits_are_rewritten_once_per_report(self, hang: Hang) -> None:
        """Rule 3."""
        bench = await hang(MASKED)
        await bench.create(PIN)
        await bench.settle(HOUR)
        bench.by_hand("20", "998877")
        bench.driver.operations.clear()
        await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
        await bench.settle(3 * DAY)
        assert len(bench.driver.taken("write")) == 1
        assert bench.on_lock() == {"20": PIN}

    @READABLE_KINDS
    async def test_a_removed_code_is_set_again_after_a_second_look(self, hang: Hang, model: Model) -> None:
        """Rule 2; where the code allows it, it stays away instead."""
        for allowed in (False, True):
            bench = await hang(model)
            code_id = await bench.create(PIN, is_external_modification_allowed=allowed)
            await bench.settle(HOUR)
            [slot] = bench.on_lock()
            bench.lock.delete(slot)
            bench.events()
            await bench.tell(SlotTouched(device_id=DOOR, slot=None))
            assert "access_code.deleted_external_to_gateway" not in bench.events()
            await bench.settle(30 * SECOND)
            assert bench.events().count("access_code.deleted_external_to_gateway") == 1
            assert list(bench.on_lock().values()) == ([] if allowed else [PIN])
            assert (await bench.shown(code_id))["status"] == ("unset" if allowed else "set")

    @KINDS
    async def test_codes_of_others_are_never_touched(self, hang: Hang, model: Model) -> None:
        """Rule 1: over days of creating and deleting beside them."""
        policy = replace(POLICY, managed_slots=("2",)) if model is WRITE_ONLY else POLICY
        bench = await hang(model, policy=policy)
        slot = bench.by_hand(None, "998877")
        for _ in range(2):
            code_id = await bench.create(PIN)
            await bench.settle(DAY)
            assert PIN in bench.on_lock().values()
            await bench.do("access_codes/delete", access_code_id=code_id)
            await bench.settle(DAY)
        assert bench.on_lock() == {slot: "998877"}
        listed = (await bench.do("access_codes/unmanaged/list"))["unmanaged_access_codes"]
        assert [shown["slot"] for shown in listed] == ([] if model is WRITE_ONLY else [slot])

    async def test_a_pin_that_somebody_else_has_waits_until_it_is_free(self, hang: Hang) -> None:
        """Rule 4: and is set as soon as the hub saw it go."""
        bench = await hang(TINY)
        bench.by_hand("1", PIN)
        await bench.tell(SlotTouched(device_id=DOOR, slot="1"))
        await bench.create(PIN)
        await bench.settle(HOUR)
        assert "duplicate_code_on_device" in bench.issues()
        bench.lock.delete("1")
        await bench.tell(SlotTouched(device_id=DOOR, slot="1"))
        await bench.settle(HOUR)
        assert bench.on_lock() == {"2": PIN}
        assert bench.issues() == set()

    async def test_the_first_use_proves_a_code_on_a_write_only_lock(self, hang: Hang) -> None:
        """Until then the hub says that it cannot confirm it."""
        bench = await hang(WRITE_ONLY)
        code_id = await bench.create(PIN)
        await bench.settle()
        assert bench.issues() == {"unable_to_confirm_code"}
        await bench.tell(CodeUsed(device_id=DOOR, slot="20"))
        assert (await bench.shown(code_id))["status"] == "set"
        assert bench.issues() == set()


class TestWhoeverComesFirst:
    """The time a code may stay is kept to the second (rule 6)."""

    @KINDS
    async def test_a_code_is_off_its_lock_within_seconds_of_its_end(self, hang: Hang, model: Model) -> None:
        """On an idle reachable lock; a write-only one is told a second time."""
        bench = await hang(model, timing=Timing())
        await bench.create(PIN, ends_at=instant(NOON + HOUR))
        await bench.settle(HOUR - SECOND)
        assert list(bench.on_lock().values()) == [PIN]
        await bench.settle(6 * SECOND)
        assert bench.on_lock() == {}
