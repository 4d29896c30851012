"""Pending mutations: what is asked for and not yet on the lock, with both sides of every change."""

from typing import Any

import msgspec
import pytest

from drivers.simulated.models import CHOOSER, READABLE, WRITE_ONLY
from gateway.domain.credential import Evidence, Schedule
from gateway.domain.driver import LockUnreachable
from gateway.domain.placement import Snapshot
from gateway.engine.mutations import instant, pending_mutations
from gateway.engine.views import retained_states
from tests.engine.bench import Bench
from tests.engine.build import (
    CAN_BLIND,
    CAN_NATIVE,
    DAY,
    DOOR,
    HOUR,
    MINUTE,
    NOON,
    TIMING,
    code,
    credential,
    device,
    held,
    outside,
    snapshot,
    view,
)
from tests.engine.conftest import Hang
from tests.engine.test_recurring import DAILY, EITHER, THURSDAYS, WEEKLY

PIN, OTHER = "471134", "582245"
AWAY = LockUnreachable("out of reach")
CREATING = {"mutation_code": "creating"}
INSIDE = code(starts_at=NOON - HOUR, ends_at=NOON + HOUR)
SOON = code(starts_at=NOON + 10 * MINUTE, ends_at=NOON + DAY)
DISABLED = credential(enabled=False)


async def pending(bench: Bench, code_id: str) -> list[dict[str, Any]]:
    """Return the mutations that the reply shows, without sentence and time."""
    found = (await bench.shown(code_id))["pending_mutations"]
    return [{k: v for k, v in one.items() if k not in {"message", "created_at"}} for one in found]


async def test_a_code_is_created_until_the_lock_has_it(hang: Hang) -> None:
    """Then nothing is pending."""
    bench = await hang(READABLE)
    code_id = await bench.create(PIN)
    assert await pending(bench, code_id) == [{"mutation_code": "creating"}]
    await bench.settle(HOUR)
    assert await pending(bench, code_id) == []


@pytest.mark.parametrize(
    ("snap", "mutations"),
    [
        (snapshot(code(), device(CAN_BLIND), held(evidence=Evidence.SENT)), [CREATING]),
        (snapshot(code(), device(CAN_BLIND), held(evidence=Evidence.ACCEPTED)), []),
        (snapshot(code(), device(CAN_BLIND), held(evidence=Evidence.USED)), []),
        (snapshot(code(), held(rewrite_due=True)), [CREATING]),
        (snapshot(code(), held(outside=outside())), [CREATING]),
        (snapshot(code(), held(outside=outside(honoured=True))), []),
        (snapshot(INSIDE, held(content=DISABLED)), [CREATING]),
        (
            snapshot(INSIDE, device(CAN_NATIVE), held(evidence=Evidence.SENT, content=credential(
                schedule=Schedule(starts_at=INSIDE.starts_at, ends_at=INSIDE.ends_at)
            ))),
            [CREATING],
        ),
    ],
    ids=["sent", "accepted", "used", "rewrite due", "changed", "change honoured", "disabled", "native"],
)  # fmt: skip
def test_what_is_sent_and_not_proven_is_still_being_set(
    snap: Snapshot, mutations: list[dict[str, str]]
) -> None:
    """As the status says `setting`: nothing came back that tells whether the lock holds it."""
    shown = pending_mutations(snap.codes["ana"], snap, view(), TIMING)
    assert [{"mutation_code": one.mutation_code} for one in shown] == mutations


async def test_on_a_lock_that_confirms_nothing_a_code_stays_pending(hang: Hang) -> None:
    """For days, until somebody opens the door with it."""
    bench = await hang(WRITE_ONLY)
    code_id = await bench.create(PIN)
    await bench.settle(2 * DAY)
    assert (await bench.shown(code_id))["status"] == "setting"
    assert await pending(bench, code_id) == [CREATING]


async def test_a_code_that_waits_disabled_names_the_moment_when_it_is_enabled(hang: Hang) -> None:
    """It is on the lock and opens no door: what is asked for is not there yet."""
    bench = await hang(READABLE)
    starts = NOON + 10 * MINUTE
    code_id = await bench.create(PIN, starts_at=instant(starts), ends_at=instant(NOON + DAY))
    assert await pending(bench, code_id) == [CREATING]
    await bench.settle(MINUTE)
    assert [found.enabled for found in bench.lock.slots.values()] == [False]
    assert await pending(bench, code_id) == [
        {"mutation_code": "deferring_creation", "scheduled_at": instant(starts)}
    ]
    await bench.settle(10 * MINUTE)
    assert await pending(bench, code_id) == []


async def test_one_that_begins_later_than_the_weekdays_of_its_lock_waits_for_its_first_day(
    hang: Hang,
) -> None:
    """The lock keeps weekdays or dates, not both: the hub enables it at its start, window or not."""
    bench = await hang(EITHER)
    starts = NOON + 10 * MINUTE
    code_id = await bench.create(PIN, recurrence=DAILY, starts_at=instant(starts))
    await bench.settle(MINUTE)
    assert await pending(bench, code_id) == [
        {"mutation_code": "deferring_creation", "scheduled_at": instant(starts)}
    ]


def test_one_that_is_to_wait_again_is_being_taken_off() -> None:
    """Its start was moved to later than now, and it still opens the door."""
    snap = snapshot(SOON, held())
    [shown] = pending_mutations(SOON, snap, view(), TIMING)
    assert (shown.mutation_code, shown.message) == ("deleting", "being disabled until its next window")


def test_one_that_somebody_disabled_and_may_is_not_waited_for() -> None:
    """Nothing enables it."""
    snap = snapshot(SOON, held(content=DISABLED, outside=outside(honoured=True, fields=("enabled",))))
    assert pending_mutations(SOON, snap, view(), TIMING) == []


async def test_a_change_of_weekly_windows_shows_them_on_both_sides(hang: Hang) -> None:
    """By the wall clock of the lock; the side without any has none."""
    bench = await hang(WEEKLY)
    code_id = await bench.create(PIN, recurrence=THURSDAYS)
    await bench.settle(MINUTE)
    bench.driver.closed = AWAY
    await bench.do(
        "access_codes/update", access_code_id=code_id, recurrence=THURSDAYS | {"cron": "30 8 * * 1,5"}
    )
    dates = {"starts_at": None, "ends_at": None}
    old = {"weekdays": [3], "from_minute": 540, "until_minute": 720}
    new = {"weekdays": [0, 4], "from_minute": 510, "until_minute": 690}
    assert await pending(bench, code_id) == [
        {
            "mutation_code": "updating_time_frame",
            "from": dates | {"weekly": [old]},
            "to": dates | {"weekly": [new]},
        }
    ]
    ends = instant(NOON + DAY)
    await bench.do("access_codes/update", access_code_id=code_id, recurrence=None, ends_at=ends)
    [changed] = await pending(bench, code_id)
    assert (changed["from"]["weekly"], changed["to"]) == ([old], dates | {"ends_at": ends, "weekly": []})


async def test_a_code_for_later_names_the_moment_of_its_programming(hang: Hang) -> None:
    """Half an hour before its start."""
    bench = await hang(READABLE)
    code_id = await bench.create(PIN, starts_at=instant(NOON + DAY), ends_at=instant(NOON + 2 * DAY))
    assert await pending(bench, code_id) == [
        {"mutation_code": "deferring_creation", "scheduled_at": instant(NOON + DAY - 30 * MINUTE)}
    ]


async def test_every_change_shows_what_is_there_and_what_is_wanted(hang: Hang) -> None:
    """PIN, name and time frame, until the lock has them."""
    bench = await hang(CHOOSER)
    code_id = await bench.create(PIN, name="Ana")
    await bench.settle(HOUR)
    bench.driver.closed = AWAY
    ends = instant(NOON + 2 * DAY)
    await bench.do("access_codes/update", access_code_id=code_id, code=OTHER, name="Bo", ends_at=ends)
    assert await pending(bench, code_id) == [
        {"mutation_code": "updating_code", "from": {"code": PIN}, "to": {"code": OTHER}},
        {"mutation_code": "updating_name", "from": {"name": "Ana"}, "to": {"name": "Bo"}},
        {
            "mutation_code": "updating_time_frame",
            "from": {"starts_at": None, "ends_at": None},
            "to": {"starts_at": None, "ends_at": ends},
        },
    ]
    bench.driver.closed = None
    await bench.settle(HOUR)
    assert await pending(bench, code_id) == []


async def test_a_code_is_being_deleted_until_the_lock_let_it_go(hang: Hang) -> None:
    """It can be seen all the while, with the warning."""
    bench = await hang(READABLE)
    code_id = await bench.create(PIN)
    await bench.settle(HOUR)
    bench.driver.closed = AWAY
    await bench.do("access_codes/delete", access_code_id=code_id)
    await bench.settle(MINUTE)
    shown = await bench.shown(code_id)
    assert await pending(bench, code_id) == [{"mutation_code": "deleting"}]
    assert "being_deleted" in [warning["warning_code"] for warning in shown["warnings"]]


async def test_published_ones_hold_no_pin_and_no_guest(hang: Hang) -> None:
    """Rule 9: only the reply to who asked shows both sides."""
    bench = await hang(CHOOSER)
    code_id = await bench.create(PIN, name="Ana")
    await bench.settle(HOUR)
    await bench.do("access_codes/update", access_code_id=code_id, code=OTHER, name="Bo")
    for names in (True, False):
        states = bench.store.do(
            lambda tx, names=names: retained_states(  # type: ignore[misc]
                tx, DOOR, bench.guard.view(), TIMING, publish_names=names
            )
        )
        said = msgspec.json.encode(states[f"access_code/{code_id}/state"]).decode()
        assert "updating_code" in said
        assert not [digits for digits in (PIN, OTHER) if digits in said]
        assert ("Bo" in said) is names
