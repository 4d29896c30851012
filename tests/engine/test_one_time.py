"""Codes for one use, and the first use of any code."""

from typing import Any

import pytest

from drivers.simulated.models import MASKED, READABLE, TINY
from gateway.domain.driver import CodeUsed, NoAnswer
from tests.engine.build import DAY, DOOR, HOUR, MINUTE
from tests.engine.conftest import Hang

USED = CodeUsed(device_id=DOOR, slot="20")


async def test_it_goes_after_its_first_use(hang: Hang) -> None:
    """And stays readable, as used."""
    bench = await hang(READABLE)
    code_id = await bench.create("471134", is_one_time_use=True)
    await bench.settle(HOUR)
    assert list(bench.on_lock().values()) == ["471134"]
    bench.events()
    await bench.tell(USED)
    await bench.settle(MINUTE)
    assert bench.on_lock() == {}
    shown = await bench.shown(code_id)
    assert (shown["status"], shown["display_status"], shown["is_one_time_use"]) == ("unset", "Used", True)
    told = bench.events()
    assert told.index("lock.unlocked") < told.index("access_code.first_used")
    assert "access_code.removed_from_device" in told
    assert bench.issues() == set()


async def test_a_code_of_any_kind_tells_its_first_use_once(hang: Hang) -> None:
    """The time stays on it."""
    bench = await hang(MASKED)
    code_id = await bench.create("471134")
    await bench.settle(HOUR)
    bench.events()
    await bench.tell(USED)
    await bench.tell(USED)
    assert bench.events().count("access_code.first_used") == 1
    shown = await bench.shown(code_id)
    assert (shown["evidence"], shown["first_used_at"] is not None) == ("used", True)


async def test_a_new_pin_has_not_been_used(hang: Hang) -> None:
    """Also not when the old one was: a code for one use works again."""
    bench = await hang(READABLE)
    code_id = await bench.create("471134", is_one_time_use=True)
    await bench.settle(HOUR)
    await bench.tell(USED)
    await bench.settle(MINUTE)
    await bench.do("access_codes/update", access_code_id=code_id, code="582245")
    await bench.settle(HOUR)
    assert list(bench.on_lock().values()) == ["582245"]
    assert (await bench.shown(code_id))["first_used_at"] is None


@pytest.mark.parametrize(
    "wish", [{"is_one_time_use": True}, {"is_offline_access_code": True}], ids=["one use", "offline"]
)
async def test_what_a_lock_cannot_do_is_refused_with_a_reason(hang: Hang, wish: dict[str, Any]) -> None:
    """One that does not report use; any that computes no codes."""
    bench = await hang(TINY)
    reply = await bench.ask("access_codes/create", device_id=DOOR, **wish)
    assert reply["error"]["type"] == "unsupported_device"
    assert bench.snap().codes == {}


async def test_its_use_counts_also_after_the_clock_went_back(hang: Hang) -> None:
    """It was written, unanswered, by a clock that was twenty days ahead."""
    bench = await hang(READABLE)
    await bench.settle(HOUR)
    bench.clock.synced = False
    bench.clock.jump(20 * DAY)
    await bench.settle(MINUTE)
    bench.driver.faults = [None, ("after", NoAnswer("lost"))]
    await bench.create("471134", is_one_time_use=True)
    await bench.worker.reconcile()
    bench.clock.jump(-20 * DAY)
    bench.clock.synced = True
    await bench.settle(5 * MINUTE)
    assert bench.on_lock() == {"20": "471134"}
    await bench.tell(USED)
    await bench.settle(MINUTE)
    assert bench.on_lock() == {}
