"""Locks that take one write by two commands: half of it is nobody else's doing."""

import pytest
from msgspec.structs import replace

from gateway.domain.credential import Credential, Empty, Known, Schedule
from gateway.engine.plan import WriteCode
from gateway.engine.planner import plan
from gateway.engine.readings import absorb_list
from gateway.engine.work import Work
from tests.engine.build import (
    CAN_CHOOSE,
    CAN_NATIVE,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    TIMING,
    code,
    credential,
    device,
    held,
    intent,
    known,
    view,
)
from tests.engine.test_readings import CHANGED, RESERVED, read
from tests.engine.working import told, working


@pytest.mark.parametrize("arrived", ["the PIN", "the window"])
@pytest.mark.parametrize("is_allowed", [True, False])
def test_half_of_what_was_sent_is_nobody_else_s_change(arrived: str, *, is_allowed: bool) -> None:
    """Some locks take code and window by two commands, and one was lost: the dates asked for stay."""
    old = Schedule(starts_at=NOON - HOUR, ends_at=NOON + DAY)
    new = Schedule(starts_at=NOON - HOUR, ends_at=NOON + 2 * DAY)
    asked = code(
        pin="9999",
        starts_at=new.starts_at,
        ends_at=new.ends_at,
        is_external_modification_allowed=is_allowed,
    )
    pin, window = ("9999", old) if arrived == "the PIN" else ("4711", new)
    work = read(
        known(pin, schedule=window),
        device(CAN_NATIVE),
        asked,
        replace(held(content=credential("4711", schedule=old)), failures=2),
        intent(target=credential("9999", schedule=new), before=known("4711", schedule=old)),
    )
    placement = work.placement("ana")
    assert placement.confirmed is not None
    assert placement.confirmed.credential == credential(pin, schedule=window)
    assert placement.outside is None
    assert work.codes["ana"] == asked
    what = "code" if arrived == "the PIN" else "time_frame"
    assert told(work) == [f"access_code.{what}_changed"]
    assert work.snapshot().open_intents("ana") == ()


def test_the_schedule_of_whoever_had_the_slot_before_is_not_taken_over() -> None:
    """A first write of which only the PIN arrived: an end that is over would take the code off."""
    theirs = Schedule(starts_at=NOON - 3 * DAY, ends_at=NOON - DAY)
    asked = code(is_external_modification_allowed=True)
    work = read(known(schedule=theirs), device(CAN_NATIVE), asked, RESERVED, intent(before=Empty()))
    assert work.codes["ana"] == asked
    placement = work.placement("ana")
    assert placement.confirmed is not None
    assert placement.confirmed.credential == credential(schedule=theirs)
    assert CHANGED not in told(work)


def test_half_of_it_without_a_write_is_somebody_s_change() -> None:
    """Nothing of ours is on its way."""
    old = Schedule(starts_at=NOON - HOUR, ends_at=NOON + DAY)
    stay = code(pin="9999", starts_at=old.starts_at, ends_at=NOON + 2 * DAY)
    work = read(
        known("9999", schedule=old),
        device(CAN_NATIVE),
        stay,
        held(content=credential("4711", schedule=old)),
    )
    assert CHANGED in told(work)


WAITS = credential("471134", enabled=False, schedule=Schedule(ends_at=NOON + DAY))


def added(seen: Credential, *, name: str | None) -> Work:
    """Find, in slot 20, what became of an unanswered write to it, or (None) of an unanswered add."""
    starts, ends = NOON + MINUTE, NOON + 9 * HOUR
    asked = code(pin="471134", starts_at=starts, ends_at=ends, prefer_native_scheduling=False)
    work = working(device(CAN_CHOOSE), asked, replace(RESERVED, slot=name), intent(name=name, target=WAITS))
    absorb_list(work, {"20": Known(seen)})
    return work


def test_a_code_that_was_added_and_not_disabled_yet_is_nobody_else_s_doing() -> None:
    """Nuki: adding enables, and a second command disables. The link broke in between."""
    work = added(replace(WAITS, enabled=True), name=None)
    placement = work.placement("ana")
    assert placement.confirmed is not None
    assert placement.confirmed.credential.enabled
    assert (placement.outside, placement.contested) == (None, 0)
    assert CHANGED not in told(work)
    [step, *_] = plan(work.snapshot(), view(), TIMING).steps
    assert isinstance(step, WriteCode)
    assert (step.slot, step.credential.enabled) == ("20", False)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("20", replace(WAITS, enabled=True)),
        (None, replace(WAITS, enabled=True, schedule=Schedule(ends_at=NOON + 2 * DAY))),
    ],
    ids=["an update enables nothing", "with another end"],
)
def test_what_no_half_looks_like_is_somebody_s_change(name: str | None, seen: Credential) -> None:
    """The code is ours all the same."""
    work = added(seen, name=name)
    assert CHANGED in told(work)
    assert work.placement("ana").slot == "20"
