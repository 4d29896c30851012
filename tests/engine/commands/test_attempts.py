"""What becomes of commands that need the lock."""

from typing import Any

import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, NATIVE, READABLE, TINY, WRITE_ONLY
from gateway.domain.driver import AuthorityLost, LockUnreachable, NoAnswer
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON
from tests.engine.conftest import Hang


async def attempt(bench: Bench, reply: dict[str, Any]) -> tuple[str, str | None]:
    """Return how an attempt stands: status, and type of its error."""
    attempt_id = reply["action_attempt"]["action_attempt_id"]
    found = (await bench.do("action_attempts/get", action_attempt_id=attempt_id))["action_attempt"]
    assert (found["status"] == "success") == (found["result"] is not None)
    return found["status"], (found["error"] or {}).get("type")


async def test_a_creation_succeeds_when_the_lock_has_the_code(hang: Hang) -> None:
    """Pending over lost answers, however long."""
    bench = await hang(READABLE)
    lost = NoAnswer("lost")
    bench.driver.faults = [("before", lost), ("before", lost), None, ("after", lost), ("before", lost)]
    done = await bench.do("access_codes/create", device_id=DOOR)
    assert done["action_attempt"]["action_type"] == "CREATE_ACCESS_CODE"
    assert await attempt(bench, done) == ("pending", None)
    while bench.driver.faults:
        await bench.settle(MINUTE)
        assert await attempt(bench, done) == ("pending", None), bench.driver.faults
    await bench.settle(HOUR)
    assert await attempt(bench, done) == ("success", None)


async def test_a_success_shows_the_code_as_it_is_without_its_pin(hang: Hang) -> None:
    """In the answer to the command too; a list leaves it out, and there is none of a code that is gone."""
    bench = await hang(READABLE)
    done = await bench.do("access_codes/create", device_id=DOOR, code="471134", name="Ana")
    assert done["action_attempt"]["result"] is None
    await bench.settle(MINUTE)
    attempt_id, code_id = done["action_attempt"]["action_attempt_id"], done["access_code"]["access_code_id"]

    async def result() -> dict[str, Any]:
        found = await bench.do("action_attempts/get", action_attempt_id=attempt_id)
        shown: dict[str, Any] = found["action_attempt"]["result"]
        return shown

    code = await bench.shown(code_id)
    assert code.pop("code") == "471134"
    assert code["status"] == "set"
    assert await result() == {"access_code": code}
    [listed] = (await bench.do("action_attempts/list"))["action_attempts"]
    assert (listed["status"], listed["result"]) == ("success", {})
    renamed = await bench.do("access_codes/update", access_code_id=code_id, name="Bea")
    assert renamed["action_attempt"]["result"]["access_code"]["name"] == "Bea"
    gone = await bench.do("access_codes/delete", access_code_id=code_id)
    assert await result() == {}
    await bench.settle(MINUTE)
    assert await result() == {}
    attempt_id = gone["action_attempt"]["action_attempt_id"]
    assert await result() == {}


async def test_a_code_for_later_is_pending_until_it_is_set(hang: Hang) -> None:
    """As its window wants it."""
    bench = await hang(READABLE)
    done = await bench.do("access_codes/create", device_id=DOOR, starts_at=instant(NOON + DAY))
    await bench.settle(HOUR)
    assert await attempt(bench, done) == ("pending", None)
    await bench.settle(DAY)
    assert await attempt(bench, done) == ("success", None)


async def test_a_code_that_waits_on_its_lock_disabled_is_pending(hang: Hang) -> None:
    """It opens no door yet: the hub has to enable it at its start, and may fail."""
    bench = await hang(READABLE)
    done = await bench.do("access_codes/create", device_id=DOOR, starts_at=instant(NOON + 10 * MINUTE))
    await bench.settle(5 * MINUTE)
    assert [held.enabled for held in bench.lock.slots.values()] == [False]
    assert await attempt(bench, done) == ("pending", None)
    await bench.settle(5 * MINUTE)
    assert await attempt(bench, done) == ("success", None)


async def test_a_code_that_waits_on_a_lock_that_keeps_its_window_is_a_success(hang: Hang) -> None:
    """Nothing is left to be done."""
    bench = await hang(NATIVE)
    window = {"starts_at": instant(NOON + DAY), "ends_at": instant(NOON + 2 * DAY)}
    done = await bench.do("access_codes/create", device_id=DOOR, **window)
    await bench.settle(MINUTE)
    assert await attempt(bench, done) == ("success", None)


async def test_a_new_name_is_pending_until_the_lock_has_it(hang: Hang) -> None:
    """Where the lock stores names."""
    bench = await hang(CHOOSER)
    code_id = await bench.create("471134", name="Ana")
    await bench.settle(HOUR)
    done = await bench.do("access_codes/update", access_code_id=code_id, name="Bea")
    assert await attempt(bench, done) == ("pending", None)
    await bench.settle(MINUTE)
    assert [held.name for held in bench.lock.slots.values()] == ["Bea"]
    assert await attempt(bench, done) == ("success", None)


async def test_what_comes_to_nothing_ends_in_an_error(hang: Hang) -> None:
    """Deleted before, or ended before the lock took it."""
    bench = await hang(READABLE)
    await bench.tell(AuthorityLost(device_ids=(DOOR,)))
    deleted = await bench.do("access_codes/create", device_id=DOOR)
    ended = await bench.do("access_codes/create", device_id=DOOR, ends_at=instant(NOON + MINUTE))
    await bench.do("access_codes/delete", access_code_id=deleted["access_code"]["access_code_id"])
    await bench.settle(HOUR)
    assert await attempt(bench, deleted) == ("error", "superseded")
    assert await attempt(bench, ended) == ("error", "expired")


@pytest.mark.parametrize("configured", [True, False])
async def test_nothing_is_awaited_from_a_forgotten_lock(hang: Hang, *, configured: bool) -> None:
    """Above all a deletion has not succeeded: the lock may hold the code for ever."""
    bench = await hang(READABLE)
    code_id = await bench.create("471134")
    await bench.settle()
    bench.driver.closed = LockUnreachable("out of reach")
    created = await bench.do("access_codes/create", device_id=DOOR)
    deleted = await bench.do("access_codes/delete", access_code_id=code_id)
    if not configured:
        orphan = replace(bench.snap().device, policy=None)
        bench.store.do(lambda tx: tx.save_device(orphan))
    await bench.do("devices/forget", device_id=DOOR)
    if configured:
        bench.driver.closed = None
        await bench.settle(HOUR)
    assert await attempt(bench, created) == ("error", "forgotten")
    assert await attempt(bench, deleted) == ("error", "forgotten")


async def test_a_deletion_has_not_succeeded_where_the_code_is_forgotten_instead(hang: Hang) -> None:
    """By force, because the lock does not answer: it goes on opening the door."""
    bench = await hang(READABLE)
    code_id = await bench.create("471134")
    await bench.settle()
    bench.driver.closed = LockUnreachable("out of reach")
    deleted = await bench.do("access_codes/delete", access_code_id=code_id)
    await bench.settle(MINUTE)
    forced = await bench.do("access_codes/delete", access_code_id=code_id, force=True)
    assert [one["access_code_id"] for one in forced["left_behind"]] == [code_id]
    assert await attempt(bench, deleted) == ("error", "forgotten")


async def test_a_deletion_is_superseded_by_taking_the_code_over(hang: Hang) -> None:
    """It would end with the code, years later."""
    bench = await hang(READABLE)
    code_id = await bench.create("471134")
    await bench.settle()
    await bench.do("access_codes/update", access_code_id=code_id, is_managed=False)
    bench.driver.closed = LockUnreachable("out of reach")
    deleted = await bench.do("access_codes/unmanaged/delete", access_code_id=code_id)
    await bench.do("access_codes/unmanaged/convert_to_managed", access_code_id=code_id)
    await bench.settle(MINUTE)
    assert await attempt(bench, deleted) == ("error", "superseded")


async def test_an_update_that_changes_nothing_has_no_attempt(hang: Hang) -> None:
    """And one that needs no radio succeeds at once."""
    bench = await hang(TINY)
    code_id = await bench.create("471134", name="Ana")
    await bench.settle(HOUR)
    same = await bench.do("access_codes/update", access_code_id=code_id, name="Ana")
    assert "action_attempt" not in same
    done = await bench.do("access_codes/update", access_code_id=code_id, name="Bo")
    assert done["action_attempt"]["status"] == "success"


async def test_a_look_at_the_lock_ends_with_its_audit(hang: Hang) -> None:
    """Not before."""
    bench = await hang(READABLE)
    bench.clock.pass_by(MINUTE)
    done = await bench.do("devices/sync", device_id=DOOR)
    assert await attempt(bench, done) == ("pending", None)
    await bench.settle(MINUTE)
    assert await attempt(bench, done) == ("success", None)


async def test_a_look_at_a_lock_that_shows_nothing_ends_at_once_in_an_error(hang: Hang) -> None:
    """Success would say that somebody looked; an audit that nothing can end is not begun."""
    bench = await hang(WRITE_ONLY)
    bench.clock.pass_by(MINUTE)
    done = await bench.do("devices/sync", device_id=DOOR)
    assert await attempt(bench, done) == ("error", "unsupported")
    await bench.settle(2 * DAY)
    assert bench.snap().device.audit_round is None
    assert bench.driver.taken() == []


async def test_a_look_at_a_lock_nobody_has_seen_waits_for_it(hang: Hang) -> None:
    """The error of the lock says why."""
    bench = await hang(READABLE)
    unseen = replace(bench.snap().device, capabilities=None)
    bench.store.do(lambda tx: tx.save_device(unseen))
    done = await bench.do("devices/sync", device_id=DOOR)
    assert await attempt(bench, done) == ("pending", None)
    errors = [error["error_code"] for error in done["device"]["errors"]]
    assert errors == ["device_not_found"]
    await bench.settle(HOUR)
    await bench.tell(bench.seen())
    await bench.settle(HOUR)
    assert await attempt(bench, done) == ("success", None)


async def test_attempts_are_listed_newest_first(hang: Hang) -> None:
    """By lock, code and status."""
    bench = await hang(READABLE)
    one, two = await bench.create("471134"), await bench.create("582245", starts_at=instant(NOON + DAY))
    await bench.settle(HOUR)

    async def listed(**asked: object) -> list[str]:
        found = await bench.do("action_attempts/list", **asked)
        return [shown["access_code_id"] for shown in found["action_attempts"]]

    assert await listed(device_id=DOOR) == [two, one]
    assert await listed(status="pending") == [two]
    assert await listed(access_code_id=one) == [one]
    assert await listed(limit=1) == [two]
    reply = await bench.ask("action_attempts/get", action_attempt_id="nothing")
    assert reply["error"]["type"] == "not_found"
