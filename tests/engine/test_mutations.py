"""Pending mutations: what is asked for and not yet on the lock, with both sides of every change."""

from typing import Any

import msgspec

from drivers.simulated.models import CHOOSER, READABLE
from gateway.domain.driver import LockUnreachable
from gateway.engine.mutations import instant
from gateway.engine.views import retained_states
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, TIMING
from tests.engine.conftest import Hang

PIN, OTHER = "471134", "582245"
AWAY = LockUnreachable("out of reach")


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
