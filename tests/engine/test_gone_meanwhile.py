"""A code that waited on its lock, and that somebody deleted before the hub came to enable it."""

import pytest

from drivers.simulated.models import CHOOSER
from gateway.domain.driver import Refused
from gateway.domain.placement import Refusal
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, HOUR, MINUTE, NOON, SECOND
from tests.engine.conftest import Hang

GUEST, OTHER = "471134", "582245"
HUB_KEEPS = {"prefer_native_scheduling": False}


async def staged(bench: Bench) -> str:
    """Have a code wait on the lock, disabled, one minute before its start; return its id."""
    await bench.create(OTHER)
    code_id = await bench.create(
        GUEST, starts_at=instant(NOON + HOUR), ends_at=instant(NOON + DAY), **HUB_KEEPS
    )
    await bench.settle(HOUR - MINUTE)
    assert [held.enabled for held in bench.lock.slots.values() if held.pin.reveal() == GUEST] == [False]
    bench.events()
    bench.driver.operations.clear()
    return code_id


async def test_the_lock_s_no_is_looked_into_at_once(hang: Hang) -> None:
    """Two looks half a minute apart say that somebody deleted it (rule 2); then it is added."""
    bench = await hang(CHOOSER)
    code_id = await staged(bench)
    bench.lock.delete(bench.lock.slot_with(bench.lock.slots["2"].pin) or "")
    await bench.settle(MINUTE + 31 * SECOND)
    assert [kind for kind, _ in bench.driver.taken()] == ["write", "list", "list", "write"]
    assert set(bench.on_lock().values()) == {GUEST, OTHER}
    assert (await bench.shown(code_id))["status"] == "set"
    assert "access_code.deleted_external_to_gateway" in bench.events()


@pytest.mark.parametrize("reason", [Refusal.BUSY, Refusal.OTHER])
async def test_a_lock_that_refuses_for_another_reason_still_has_it(hang: Hang, reason: Refusal) -> None:
    """A busy one is asked again without a look; any other is listed, and then asked again."""
    bench = await hang(CHOOSER)
    code_id = await staged(bench)
    bench.driver.faults = [("before", Refused(reason, "not now"))]
    await bench.settle(MINUTE + HOUR)
    looks = ["list"] if reason is Refusal.OTHER else []
    kinds = [kind for kind, _ in bench.driver.taken()]
    assert kinds[: 2 + len(looks)] == ["write", *looks, "write"]
    assert (await bench.shown(code_id))["status"] == "set"
    assert "access_code.deleted_external_to_gateway" not in bench.events()
