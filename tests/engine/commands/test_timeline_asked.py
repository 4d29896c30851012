"""What people asked for stands in the timeline of a code: when it is to work, what is to change, its end.

And in the timeline alone: the dates are a guest's, and events go to everybody who may hear of the lock.
"""

from typing import Any

import pytest

from drivers.simulated.models import READABLE
from gateway.domain.driver import AccessDenied
from gateway.engine.mutations import instant
from gateway.mqtt.outbox import content
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON
from tests.engine.conftest import Hang
from tests.engine.deeds import off

PIN, OTHER = "471134", "998877"
HOURLY = {"cron": "0 * * * *", "minutes": 20, "time_zone": "UTC"}


async def entries(bench: Bench, code_id: str, kind: str) -> list[dict[str, Any]]:
    """Return the entries of one kind."""
    shown = await bench.do("access_codes/get_timeline", access_code_id=code_id)
    return [entry for entry in shown["timeline_events"] if entry["kind"] == kind]


async def asked(bench: Bench, code_id: str) -> list[tuple[str, list[str]]]:
    """Return who asked for which changes."""
    found = await entries(bench, code_id, "access_code.mutations_requested")
    return [
        (one["actor"], [it["mutation_code"] for it in one["details"]["requested_mutations"]]) for one in found
    ]


@pytest.mark.parametrize(
    ("wishes", "window"),
    [
        ({}, {"starts_at": None, "ends_at": None}),
        (
            {"starts_at": instant(NOON + HOUR), "ends_at": instant(NOON + DAY)},
            {"starts_at": instant(NOON + HOUR), "ends_at": instant(NOON + DAY)},
        ),
        ({"recurrence": HOURLY}, {"starts_at": None, "ends_at": None, "recurrence": HOURLY}),
    ],
)
async def test_the_window_stands_at_the_creation(
    hang: Hang, wishes: dict[str, Any], window: dict[str, Any]
) -> None:
    """Who asks why it did not work at 15:04 sees that it begins at 16:00."""
    bench = await hang(READABLE)
    code_id = await bench.create(PIN, **wishes)
    [created] = await entries(bench, code_id, "access_code.created")
    assert created["details"] == {"is_backup": False, **window}


async def test_an_update_of_the_times_tells_both_windows(hang: Hang) -> None:
    """Somebody moved the start."""
    bench = await hang(READABLE)
    code_id = await bench.create(PIN, ends_at=instant(NOON + DAY))
    bench.clock.pass_by(MINUTE)
    await bench.do("access_codes/update", access_code_id=code_id, starts_at=instant(NOON + HOUR))
    [update] = await entries(bench, code_id, "access_code.mutations_requested")
    assert update["details"]["from"] == {"starts_at": None, "ends_at": instant(NOON + DAY)}
    assert update["details"]["to"] == {"starts_at": instant(NOON + HOUR), "ends_at": instant(NOON + DAY)}


async def test_an_update_of_pin_or_name_tells_neither(hang: Hang) -> None:
    """Only that it was asked for."""
    bench = await hang(READABLE)
    code_id = await bench.create(PIN, name="Ana")
    await bench.do("access_codes/update", access_code_id=code_id, code=OTHER, name="Berta")
    assert await asked(bench, code_id) == [("client", ["updating_code", "updating_name"])]
    shown = str(await bench.do("access_codes/get_timeline", access_code_id=code_id))
    assert not any(word in shown for word in (PIN, OTHER, "Ana", "Berta"))


@pytest.mark.parametrize(
    ("verb", "of"),
    [
        ("access_codes/delete", "code"),
        ("devices/remove_guest_codes", "lock"),
        ("devices/retire", "lock"),
    ],
)
async def test_a_deletion_is_told_as_what_a_client_asked_for(hang: Hang, verb: str, of: str) -> None:
    """Whichever command it was, and once."""
    bench = await hang(READABLE)
    code_id = await bench.create(PIN, ends_at=instant(NOON + DAY))
    await bench.settle(MINUTE)
    whose = {"access_code_id": code_id} if of == "code" else {"device_id": DOOR}
    for _ in range(2):
        await bench.ask(verb, **whose)
    await bench.settle(HOUR)
    assert await asked(bench, code_id) == [("client", ["deleting"])]


async def test_a_code_given_up_by_force_was_asked_to_go(hang: Hang) -> None:
    """The hub drops it at once, and did not think of that itself."""
    bench = await hang(READABLE)
    code_id = await bench.create(PIN)
    await bench.settle(MINUTE)
    await bench.do("access_codes/delete", access_code_id=code_id, force=True)
    assert await asked(bench, code_id) == [("client", ["deleting"])]


async def test_the_dates_are_in_no_event(hang: Hang) -> None:
    """Neither on the broker nor in the list."""
    bench = await hang(READABLE)
    code_id = await bench.create(PIN, starts_at=instant(NOON + HOUR), ends_at=instant(NOON + DAY))
    await bench.do("access_codes/update", access_code_id=code_id, starts_at=instant(NOON + 2 * HOUR))
    published = [content(stored) for stored in bench.store.do(lambda tx: tx.undelivered(100))]
    listed = (await bench.do("events/list"))["events"]
    for told in (published, listed):
        kinds = {event["event_type"] for event in told}
        assert kinds >= {"access_code.created", "access_code.mutations_requested"}
        for moment in (NOON + HOUR, NOON + 2 * HOUR, NOON + DAY):
            assert str(instant(moment)) not in str(told)


async def test_why_the_lock_was_written_stands_beside_it(hang: Hang) -> None:
    """The plan knew, and the reader shall."""
    bench = await hang(READABLE)
    code_id = await bench.create(PIN, ends_at=instant(NOON + HOUR))
    await bench.settle(2 * HOUR)
    began = await entries(bench, code_id, "internal.access_code.programming_started")
    assert [entry["description"] for entry in began] == [
        "writing slot 20 began: the code is not on the lock yet",
        "clearing slot 20 began: its window has ended",
    ]


async def test_what_was_said_of_it_stands_there_instead_of_what_such_an_event_can_mean(hang: Hang) -> None:
    """Who reads it wants to know what happened, and not what else might have."""
    bench = await hang(READABLE)
    code_id = await bench.create(PIN, starts_at=instant(NOON + HOUR), ends_at=instant(NOON + DAY))
    await bench.tell(AccessDenied(device_id=DOOR, reason="outside_schedule"))
    await off(2 * DAY)(bench)
    [failed] = await entries(bench, code_id, "access_code.failed_to_set_on_device")
    assert failed["description"].startswith("its window passed while the hub was off")
    [denied] = await entries(bench, code_id, "lock.access_denied")
    assert denied["description"] == "the code is not allowed at this time"
    assert denied["actor"] == "somebody at the lock"
