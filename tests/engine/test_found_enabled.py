"""A code that waits disabled on a lock that hides digits, and is found enabled: a fact, not a suspicion."""

import pytest
from msgspec.structs import replace

from drivers.simulated.models import MASKED
from gateway.domain.credential import Credential, Evidence, SlotRef, Unreadable
from gateway.domain.driver import SlotTouched, Written
from gateway.engine.mutations import instant
from gateway.engine.readings import absorb_reading
from gateway.engine.setting import reason_to_write
from tests.engine.bench import Bench
from tests.engine.build import (
    CAN_MASKED,
    DAY,
    DOOR,
    HOUR,
    MINUTE,
    NOON,
    code,
    credential,
    device,
    held,
    slot,
    snapshot,
)
from tests.engine.conftest import Hang
from tests.engine.working import told, working

PIN = "471134"
CAN = replace(CAN_MASKED, disabled_status=True, supervised=True)
HIDING = replace(MASKED, capabilities=CAN)
HOURLY = {"cron": "0 * * * *", "minutes": 40, "time_zone": "UTC"}
STAGED = code(starts_at=NOON + HOUR / 4, ends_at=NOON + DAY)
SHUT = credential(enabled=False)


async def staged(hang: Hang, *, allowed: bool = False) -> tuple[Bench, str]:
    """Return a hub whose code waits disabled for its start, 14 minutes from now."""
    bench = await hang(HIDING)
    code_id = await bench.create(
        PIN,
        starts_at=instant(NOON + 20 * MINUTE),
        ends_at=instant(NOON + DAY),
        allow_external_modification=allowed,
    )
    await bench.settle(6 * MINUTE)
    bench.events()
    return bench, code_id


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize("reported", [False, True])
async def test_enabled_by_hand_before_its_start_it_is_disabled_again(
    hang: Hang, *, allowed: bool, reported: bool
) -> None:
    """Told, and in force at its start: nobody may let a guest in before the time that the code has."""
    bench, code_id = await staged(hang, allowed=allowed)
    bench.by_hand("20", PIN)
    if reported:
        await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
    else:
        await bench.do("devices/sync", device_id=DOOR)
    await bench.settle(MINUTE)
    assert bench.lock.slots["20"] == credential(PIN, enabled=False)
    assert "access_code.modified_external_to_gateway" in bench.events()
    await bench.settle(20 * MINUTE)
    assert bench.lock.slots["20"] == credential(PIN)
    shown = await bench.shown(code_id)
    assert (shown["status"], shown["errors"], shown["warnings"]) == ("set", [], [])


async def test_a_lock_that_acknowledges_disabling_and_does_not_do_it_is_told(
    hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked again, less and less often, and the code has an error."""
    bench = await hang(HIDING)
    code_id = await bench.create(PIN, recurrence=HOURLY)
    await bench.settle(35 * MINUTE)
    plain = bench.driver.write

    async def deaf(wanted: SlotRef | None, content: Credential, *, replaces: Credential | None) -> Written:
        if content.enabled:
            return await plain(wanted, content, replaces=replaces)
        bench.driver.operations.append(("write", wanted))
        return Written(slot=wanted or "20", evidence=Evidence.ACCEPTED)

    monkeypatch.setattr(bench.driver, "write", deaf)
    bench.driver.taken()
    await bench.settle(22 * MINUTE)
    errors = (await bench.shown(code_id))["errors"]
    assert [error["error_code"] for error in errors] == ["code_modified_external_to_gateway"]
    assert bench.driver.taken("write") == [("write", "20")] * 3
    monkeypatch.undo()
    await bench.settle(DAY)
    assert (await bench.shown(code_id))["errors"] == []


async def test_enabled_again_after_it_was_disabled_by_hand_it_opens(hang: Hang) -> None:
    """Where the code allows changes: all is as it was asked for, and nothing is written."""
    bench = await hang(HIDING)
    code_id = await bench.create(PIN, allow_external_modification=True)
    await bench.settle(HOUR)
    for enabled in (False, True):
        bench.by_hand("20", PIN, enabled=enabled)
        bench.clock.pass_by(MINUTE)
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle(HOUR)
        assert bench.lock.slots["20"].enabled is enabled
        shown = await bench.shown(code_id)
        assert (shown["status"], bool(shown["warnings"])) == ("set", not enabled)


def test_found_enabled_when_it_is_to_open_it_is_as_wanted() -> None:
    """Its start came first: the hub enables it, and nobody is accused of anything."""
    begun = replace(STAGED, starts_at=NOON)
    work = working(device(CAN), begun, held(content=SHUT))
    absorb_reading(work, "20", Unreadable(enabled=True))
    assert (told(work), work.placement("ana").outside) == ([], None)


@pytest.mark.parametrize(
    ("reading", "why"),
    [
        (Unreadable(), None),
        (Unreadable(enabled=False), None),
        (Unreadable(enabled=True), "somebody enabled the code"),
    ],
)
def test_a_lock_that_does_not_tell_whether_a_code_is_enabled_is_not_suspected(
    reading: Unreadable, why: str | None
) -> None:
    """What hides the digits is not rewritten for what it does not say (rule 3)."""
    work = working(device(CAN), STAGED, held(content=SHUT))
    absorb_reading(work, "20", reading)
    assert ("access_code.modified_external_to_gateway" in told(work)) is (why is not None)
    facts = snapshot(device(CAN), STAGED, held(content=SHUT), slot("20", reading))
    assert reason_to_write(SHUT, facts.placement("ana"), facts) == why


async def test_disabled_by_hand_with_permission_it_stays_so_when_the_lock_reports_it(hang: Hang) -> None:
    """As on a lock that reports nothing."""
    bench = await hang(HIDING)
    code_id = await bench.create(PIN, allow_external_modification=True)
    await bench.settle(HOUR)
    bench.by_hand("20", PIN, enabled=False)
    await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
    await bench.settle(HOUR)
    assert not bench.lock.slots["20"].enabled
    [warning] = (await bench.shown(code_id))["warnings"]
    assert "enabled" in warning["modified_fields"]
