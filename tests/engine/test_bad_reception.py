"""Operations that get lost on the air: nobody is locked out by it for long, and no battery is drained."""

import logging

import pytest
from msgspec.structs import replace

from drivers.simulated.models import READABLE
from gateway.domain.driver import (
    LockAlive,
    NoAnswer,
)
from gateway.engine.views import instant
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, SECOND
from tests.engine.conftest import Hang

PIN, OTHER = "471134", "582245"
LOST = ("before", NoAnswer("no answer"))
ACKNOWLEDGES = READABLE
SILENT = replace(READABLE, capabilities=replace(READABLE.capabilities, supervised=False))
"""Says nothing of its own to a write: only a look tells."""


class TestLateEffects:
    """What got no answer may still take effect for half a minute."""

    async def test_a_late_clear_of_a_code_wanted_again_is_put_right(self, hang: Hang) -> None:
        """Its window moved away and back again; a guest must not stand outside until the next audit."""
        bench = await hang()
        ends_at = instant(NOON + DAY)
        code_id = await bench.create(PIN, starts_at=instant(NOON), ends_at=ends_at)
        await bench.settle(HOUR)
        bench.driver.faults = [LOST]
        await bench.do("access_codes/update", access_code_id=code_id, starts_at=instant(NOON + 20 * HOUR))
        await bench.settle()
        assert bench.driver.taken("clear") == [("clear", "20")]
        await bench.do("access_codes/update", access_code_id=code_id, starts_at=instant(NOON))
        await bench.tell(LockAlive(device_id=DOOR))
        assert (await bench.shown(code_id))["status"] == "set"
        bench.lock.clear("20")
        await bench.settle(2 * MINUTE)
        assert list(bench.on_lock().values()) == [PIN]

    async def test_a_young_write_that_does_not_show_is_not_looked_at_in_circles(
        self, hang: Hang, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An audit begins meanwhile: one look, and the next when the write must have arrived."""
        bench = await hang()
        bench.clock.pass_by(MINUTE)
        bench.driver.faults = [LOST]
        await bench.create(PIN)
        await bench.settle()
        bench.driver.operations.clear()
        with caplog.at_level(logging.ERROR):
            await bench.do("devices/sync", device_id=DOOR)
            await bench.settle(10 * SECOND)
        assert caplog.messages == []
        assert len(bench.driver.taken("read")) == len(READABLE.capabilities.slots)
        await bench.settle(MINUTE)
        assert list(bench.on_lock().values()) == [PIN]
