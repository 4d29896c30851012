"""Rule 6 over drawn troubles: a code that may still open the door two minutes after its end is an alarm.

What goes wrong then is drawn: operations lost before or after they took effect, refusals, a silent lock.
"""

import asyncio
from contextlib import closing
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from drivers.simulated.models import MASKED, NATIVE, READABLE, WRITE_ONLY, Model
from gateway.domain.driver import LockAlive, LockDead, NoAnswer, NotSent, Refused
from gateway.domain.placement import Refusal
from gateway.domain.timing import Timing
from gateway.engine.mutations import instant
from tests.engine.bench import Bench, Fault
from tests.engine.build import DOOR, HOUR, MINUTE, NOON, POLICY, SECOND

ALARM, EVENT = "failed_to_expire", "access_code.failed_to_expire"
END = NOON + HOUR
SHORTLY = timedelta(milliseconds=1)
"""The bench looks where a test stops the time: not right at that moment, where the hub must wake itself."""
FAULTS = st.lists(
    st.sampled_from(
        [
            None,
            ("before", NoAnswer("lost")),
            ("after", NoAnswer("lost")),
            ("before", Refused(Refusal.BUSY, "busy")),
        ]
    ),
    max_size=8,
)
SILENCES = st.none() | st.tuples(st.integers(-90, 300), st.integers(1, 900))
"""Of the lock: from so many seconds after the end, for so long."""


class Outcome(Struct):
    """What was known and true around the moment of the alarm and in the end, and when it was told."""

    gone_before: bool = False
    held_then: bool = False
    held_at_last: bool = False
    stands_at_last: bool = False
    told: tuple[datetime, ...] = ()


async def end(
    model: Model, after: timedelta, faults: list[Fault | None], silence: tuple[int, int] | None
) -> Outcome:
    """Live through the end of a code and the hours that follow."""
    bench = Bench(
        model,
        policy=replace(POLICY, managed_slots=("19", "20")),
        timing=Timing(expiry_alarm=after),
    )
    found = Outcome()
    marks = [(END - MINUTE * 2, "faults"), (END + after - SHORTLY, "before"), (END + after + SHORTLY, "then")]
    if silence is not None:
        begins = END + silence[0] * SECOND
        marks += [(begins, "silent"), (begins + silence[1] * SECOND, "heard")]
    with closing(bench.store):
        await bench.start()
        code_id = await bench.create("471134", ends_at=instant(END))
        for at, mark in sorted(marks):
            await bench.settle(at - bench.clock.wall)
            if mark == "faults":
                assert bench.lock.slots
                bench.driver.faults = list(faults)
            elif mark == "before":
                found.gone_before = not bench.snap().may_hold(code_id)
            elif mark == "then":
                found.held_then = bool(bench.lock.slots)
            else:
                bench.driver.closed = NotSent("silent") if mark == "silent" else None
                heard = LockDead if mark == "silent" else LockAlive
                await bench.tell(heard(device_id=DOOR))
        await bench.settle(6 * HOUR)
        found.held_at_last, found.stands_at_last = bool(bench.lock.slots), ALARM in bench.issues()
        events = [stored.event for stored in bench.store.do(lambda tx: tx.undelivered(1000))]
        found.told = tuple(event.occurred_at for event in events if event.event_type == EVENT)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("model", [READABLE, MASKED, NATIVE, WRITE_ONLY], ids=lambda model: model.name)
@settings(max_examples=60)
@given(after=st.sampled_from([2 * MINUTE, 30 * SECOND, 10 * MINUTE]), faults=FAULTS, silence=SILENCES)
def test_a_code_still_there_after_its_end_is_an_alarm_in_time_and_one_that_is_gone_is_none(
    model: Model, after: timedelta, faults: list[Fault | None], silence: tuple[int, int] | None
) -> None:
    """At that moment and neither before nor after, once, until the code is off the lock."""
    found = asyncio.run(end(model, after, faults, silence))
    assert found.told in ((), (END + after,))
    if found.held_then:
        assert found.told
    if found.gone_before:
        assert not found.told
    assert not found.held_at_last
    assert not found.stands_at_last


def test_by_default_it_is_two_minutes() -> None:
    """As rule 6 says."""
    assert Timing().expiry_alarm == 2 * MINUTE
