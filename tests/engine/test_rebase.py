"""A jump of the wall clock is taken out of the times that the engine waits by."""

from datetime import datetime, timedelta
from typing import get_type_hints

import pytest
from msgspec.structs import replace

from gateway.domain.clock import ClockMark
from gateway.domain.lock import Device
from gateway.domain.placement import Former, Placement, Refusal, Rejection, Slot
from gateway.engine.rebase import rebase
from gateway.engine.work import Chance, Work
from tests.engine.build import (
    DAY,
    HOUR,
    MARK,
    MINUTE,
    NOON,
    TIMING,
    Fact,
    clearing,
    code,
    credential,
    device,
    held,
    known,
    slot,
    snapshot,
    view,
)

CHANCE = Chance(new_id=lambda: "id", jitter=lambda: 0.0, randbelow=lambda _: 0)


def jumped(by: timedelta, *facts: Fact, boot: str = "boot 1") -> Work:
    """Return the facts noted before the wall clock jumped, as they are afterwards."""
    t = replace(view(NOON + by), mark=ClockMark(boot, MARK.offset + by))
    return Work(snapshot(*facts), t, TIMING, CHANCE)


FACTS: tuple[Fact, ...] = (
    device(retry_at=NOON + MINUTE, paused_until=NOON + HOUR, audit_round=NOON - MINUTE, wiped_at=NOON - HOUR),
    code(),
    held(
        empty_since=NOON - MINUTE,
        retry_at=NOON + MINUTE,
        rejection=Rejection(reason=Refusal.FORMAT, at=NOON - HOUR, revision=1, inventory_version=0),
        held_rejection=Rejection(reason=Refusal.FORMAT, at=NOON - HOUR, revision=1, inventory_version=0),
    ),
    slot("20", check_at=NOON + MINUTE, former=Former(pin=credential().pin, removed_at=NOON - MINUTE)),
    slot("19"),
)


class TestWithinOneBoot:
    """The size of the jump is known."""

    @pytest.mark.parametrize("by", [DAY, -DAY, timedelta(seconds=-90)])
    def test_every_waiting_time_keeps_its_length(self, by: timedelta) -> None:
        """A minute ahead stays a minute ahead; an hour ago stays an hour ago."""
        work = jumped(by, *FACTS)
        assert rebase(work)
        lock, placement, state = work.device, work.placements["ana"], work.slots["20"]
        assert lock.retry_at == work.now + MINUTE
        assert lock.paused_until == work.now + HOUR
        assert (lock.audit_round, lock.wiped_at) == (work.now - MINUTE, work.now - HOUR)
        assert (placement.empty_since, placement.retry_at) == (work.now - MINUTE, work.now + MINUTE)
        assert placement.rejection is not None
        assert placement.rejection.at == work.now - HOUR
        assert placement.held_rejection is not None
        assert placement.held_rejection.at == work.now - HOUR
        assert state.check_at == work.now + MINUTE
        assert state.former is not None
        assert state.former.removed_at == work.now - MINUTE
        assert work.slots["19"].read_at == work.now - MINUTE

    @pytest.mark.parametrize("fact", [device(), held(), slot("20")], ids=lambda fact: type(fact).__name__)
    def test_no_time_is_left_behind(self, fact: Device | Placement | Slot) -> None:
        """Whatever is remembered by the clock; the next audit gets a new time elsewhere."""
        times = [name for name, kind in get_type_hints(type(fact)).items() if kind == datetime | None]
        work = jumped(-20 * DAY, replace(fact, **dict.fromkeys(times, NOON - MINUTE)))
        assert rebase(work)
        facts = (work.device, *work.placements.values(), *work.slots.values())
        [moved] = [known for known in facts if type(known) is type(fact)]
        left = {name for name in times if getattr(moved, name) != work.now - MINUTE}
        assert left <= {"audit_at"}

    def test_it_is_taken_out_once(self) -> None:
        """The new offset is remembered."""
        work = jumped(DAY, *FACTS)
        assert rebase(work)
        after = work.snapshot()
        assert not rebase(work)
        assert work.snapshot() == after

    def test_what_is_wanted_is_not_moved(self) -> None:
        """Codes speak of the time of the world."""
        stay = code(starts_at=NOON, ends_at=NOON + DAY)
        work = jumped(HOUR, stay)
        assert rebase(work)
        assert work.codes["ana"] == stay

    @pytest.mark.parametrize("by", [timedelta(0), timedelta(seconds=1), timedelta(seconds=-1)])
    def test_two_clocks_that_drift_a_little_did_not_jump(self, by: timedelta) -> None:
        """They run at slightly different speeds."""
        work = jumped(by, *FACTS)
        assert not rebase(work)
        assert work.snapshot() == snapshot(*FACTS)

    def test_an_open_operation_seems_old_after_a_jump(self) -> None:
        """Its time is not moved: it is then looked at once more at worst."""
        work = jumped(DAY, code(), held(), clearing())
        assert rebase(work)
        assert work.intents == [clearing()]


class TestAfterReboot:
    """The size of the jump is not known."""

    def test_what_cannot_be_is_moved_to_now(self) -> None:
        """A past that lies ahead, and a waiting time longer than any."""
        work = jumped(-30 * DAY, *FACTS, boot="boot 2")
        assert rebase(work)
        assert work.device.retry_at == work.now
        assert work.device.paused_until == work.now
        assert work.placements["ana"].empty_since == work.now
        assert work.slots["20"].check_at == work.now

    def test_a_command_to_delete_a_code_of_others_was_given_before_now(self) -> None:
        """No look would ever come after one that lies ahead, and the slot would be read again and again."""
        foreign = slot("3", known(), unmanaged_id="u", doomed_at=NOON - MINUTE)
        work = jumped(-20 * DAY, foreign, boot="boot 2")
        assert rebase(work)
        assert work.slots["3"].doomed_at == work.now

    def test_what_can_be_stays(self) -> None:
        """A reboot that kept the time changes nothing but the mark."""
        t = replace(view(), mark=ClockMark("boot 2", timedelta(days=3)))
        work = Work(snapshot(*FACTS), t, TIMING, CHANCE)
        assert rebase(work)
        assert replace(work.device, clock=MARK) == snapshot(*FACTS).device
        assert work.placements == snapshot(*FACTS).placements
        assert work.slots == snapshot(*FACTS).slots

    @pytest.mark.parametrize("doubt", [{"trusted": False}, {"carried": True}], ids=["untrusted", "carried"])
    def test_while_the_time_is_not_known_no_look_is_recent(self, doubt: dict[str, bool]) -> None:
        """The clock may have lost the hours in which somebody used a free slot."""
        t = replace(view(), mark=ClockMark("boot 2", timedelta(days=3)), **doubt)
        work = Work(snapshot(*FACTS), t, TIMING, CHANCE)
        assert rebase(work)
        assert work.slots["19"].read_at is None
        assert work.slots["19"].reading is not None

    def test_at_first_sight_there_is_nothing_to_move(self) -> None:
        """The mark is noted, and nothing else."""
        work = jumped(DAY, device(clock=None, retry_at=NOON))
        assert not rebase(work)
        assert work.device.clock is not None
        assert work.device.retry_at == NOON
