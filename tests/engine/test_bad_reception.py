"""Operations that get lost on the air: nobody is locked out by it for long, and no battery is drained."""

import logging

import pytest
from msgspec.structs import replace

from drivers.simulated.models import READABLE, Model
from gateway.domain.credential import Credential, Reading, SlotRef
from gateway.domain.driver import (
    AccessDenied,
    CodeUsed,
    DriverError,
    LockAlive,
    LockDead,
    LockEvent,
    LockUnreachable,
    NoAnswer,
    Refused,
    Written,
)
from gateway.domain.lock import Link
from gateway.domain.placement import Refusal
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, SECOND
from tests.engine.conftest import Hang

PIN, OTHER = "471134", "582245"
LOST = ("before", NoAnswer("no answer"))
ACKNOWLEDGES = READABLE
SILENT = replace(READABLE, capabilities=replace(READABLE.capabilities, supervised=False))
"""Says nothing of its own to a write: only a look tells."""


def mute(bench: Bench, *slots: SlotRef) -> None:
    """Let looks at these slots get no answer from now on."""
    answer = bench.driver.read

    async def read(slot: SlotRef) -> Reading:
        if slot not in slots:
            return await answer(slot)
        bench.driver.operations.append(("read", slot))
        raise NoAnswer("no answer")

    bench.driver.read = read  # type: ignore[method-assign]


def lose_writes(bench: Bench, error: DriverError | None) -> None:
    """Let no write take effect from now on; without an `error` the lock seems to take it."""

    async def write(slot: SlotRef | None, credential: Credential, *, replaces: Credential | None) -> Written:
        del credential, replaces
        assert slot is not None
        bench.driver.operations.append(("write", slot))
        if error is not None:
            raise error
        return bench.driver._written(slot)

    bench.driver.write = write  # type: ignore[method-assign]


class TestLateEffects:
    """What got no answer may still take effect for half a minute."""

    async def test_a_late_clear_of_a_code_wanted_again_is_put_right(self, hang: Hang) -> None:
        """Its window moved away and back again; a guest must not stand outside until the next audit."""
        bench = await hang()
        ends_at = instant(NOON + DAY)
        code_id = await bench.create(PIN, starts_at=instant(NOON), ends_at=ends_at)
        await bench.settle(HOUR)
        bench.driver.faults = [LOST]
        await bench.do("access_codes/update", access_code_id=code_id, starts_at=instant(NOON + 20 * HOUR))
        await bench.settle()
        assert bench.driver.taken("clear") == [("clear", "20")]
        await bench.do("access_codes/update", access_code_id=code_id, starts_at=instant(NOON))
        await bench.tell(LockAlive(device_id=DOOR))
        assert (await bench.shown(code_id))["status"] == "set"
        bench.lock.clear("20")
        await bench.settle(2 * MINUTE)
        assert list(bench.on_lock().values()) == [PIN]

    async def test_a_young_write_that_does_not_show_is_not_looked_at_in_circles(
        self, hang: Hang, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An audit begins meanwhile: one look, and the next when the write must have arrived."""
        bench = await hang()
        bench.clock.pass_by(MINUTE)
        bench.driver.faults = [LOST]
        await bench.create(PIN)
        await bench.settle()
        bench.driver.operations.clear()
        with caplog.at_level(logging.ERROR):
            await bench.do("devices/sync", device_id=DOOR)
            await bench.settle(10 * SECOND)
        assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []
        assert len(bench.driver.taken("read")) == len(READABLE.capabilities.slots)
        await bench.settle(MINUTE)
        assert list(bench.on_lock().values()) == [PIN]


class TestPauses:
    """Failures back off, one minute doubling to half an hour (rule 13)."""

    @pytest.mark.parametrize(
        ("model", "error"),
        [(ACKNOWLEDGES, NoAnswer("no answer")), (SILENT, NoAnswer("no answer")), (SILENT, None)],
        ids=["no answer", "no answer, unsupervised", "taken, not stored"],
    )
    @pytest.mark.parametrize("had", [None, OTHER], ids=["a new code", "another PIN"])
    async def test_a_lock_that_stores_nothing_is_written_less_and_less(
        self, hang: Hang, model: Model, error: DriverError | None, had: str | None
    ) -> None:
        """Though it answers every look: in a day some fifty writes, not one a minute."""
        bench = await hang(model)
        code_id = await bench.create(had) if had is not None else None
        await bench.settle(HOUR)
        lose_writes(bench, error)
        bench.driver.operations.clear()
        if code_id is None:
            await bench.create(PIN)
        else:
            await bench.do("access_codes/update", access_code_id=code_id, code=PIN)
        await bench.settle(5 * MINUTE)
        assert 2 <= len(bench.driver.taken("write")) <= 4
        await bench.settle(DAY)
        assert 40 <= len(bench.driver.taken("write")) <= 60

    async def test_a_code_does_not_wait_for_a_slot_that_gives_no_answer(self, hang: Hang) -> None:
        """The one reserved before says nothing now; others are free."""
        bench = await hang()
        bench.clock.pass_by(HOUR)
        bench.driver.faults = [None, ("before", Refused(Refusal.BUSY, "busy"))]
        await bench.create(PIN)
        await bench.settle()
        mute(bench, "20")
        await bench.settle(5 * MINUTE)
        assert bench.on_lock() == {"19": PIN}


class TestSignsOfLife:
    """Whatever a lock says ends the wait for it."""

    @pytest.mark.parametrize(
        "sign",
        [
            LockAlive(device_id=DOOR),
            CodeUsed(device_id=DOOR, slot="1"),
            AccessDenied(device_id=DOOR, reason="unknown_code"),
        ],
    )
    @pytest.mark.parametrize("error", [NoAnswer("no answer"), LockUnreachable("no reaction")])
    async def test_everything_is_tried_again(self, hang: Hang, sign: LockEvent, error: DriverError) -> None:
        """The lock as well as its slots that were asked in vain."""
        bench = await hang()
        code_id = await bench.create(OTHER)
        await bench.settle(HOUR)
        bench.driver.faults = [("before", error)] * 40
        await bench.do("access_codes/update", access_code_id=code_id, code=PIN)
        await bench.settle(2 * HOUR + 15 * MINUTE)
        bench.driver.faults = []
        await bench.tell(sign)
        assert bench.on_lock() == {"20": PIN}
        assert bench.snap().device.link is Link.ONLINE

    @pytest.mark.parametrize(
        ("error", "at_once"), [(NoAnswer("no answer"), True), (Refused(Refusal.BUSY, "busy"), False)]
    )
    async def test_a_code_waits_on_only_where_it_was_refused(
        self, hang: Hang, error: DriverError, *, at_once: bool
    ) -> None:
        """The lock answered looks at first, then fell silent and came back."""
        bench = await hang()
        takes = bench.driver.write
        lose_writes(bench, error)
        await bench.create(PIN)
        await bench.settle(2 * HOUR)
        assert bench.on_lock() == {}
        bench.driver.write = takes  # type: ignore[method-assign]
        await bench.tell(LockDead(device_id=DOOR))
        await bench.tell(LockAlive(device_id=DOOR))
        assert (bench.on_lock() == {"20": PIN}) is at_once

    async def test_one_bad_slot_of_a_lock_that_talks_goes_on_waiting(self, hang: Hang) -> None:
        """It is not polled each time somebody opens the door."""
        bench = await hang()
        code_id = await bench.create(OTHER)
        await bench.create("693356")
        await bench.settle(HOUR)
        bench.driver.faults = [LOST]
        await bench.do("access_codes/update", access_code_id=code_id, code=PIN)
        await bench.settle()
        mute(bench, "20")
        await bench.settle(MINUTE)
        bench.driver.operations.clear()
        for _ in range(20):
            await bench.tell(CodeUsed(device_id=DOOR, slot="19"))
        assert bench.driver.taken() == []
