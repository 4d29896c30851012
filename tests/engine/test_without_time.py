"""What guests find at the door when the hub's time server is away, or its clock is lost (rule 5)."""

from datetime import timedelta

import pytest

from drivers.simulated.models import READABLE
from gateway.domain.pin import Pin
from gateway.engine.views import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, HOUR, MINUTE, NOON
from tests.engine.conftest import Hang

PIN = "471134"


def opens(bench: Bench) -> bool:
    """Say whether the PIN opens the door."""
    return bench.lock.open_door(Pin(PIN), bench.clock.wall) is not None


async def power_cut(bench: Bench) -> None:
    """Start the machine anew, with a clock that nobody sets."""
    bench.clock.synced = False
    bench.clock.reboot(bench.clock.wall)
    bench.boot()
    await bench.start()


class TestWithoutTimeServer:
    """The hub runs on; only the internet is gone."""

    @pytest.mark.parametrize("wrong", [timedelta(0), -30 * DAY])
    async def test_windows_open_and_close_as_ever(self, hang: Hang, wrong: timedelta) -> None:
        """By the boot-time clock, also when the wall clock is set to nonsense and the process restarts."""
        bench = await hang(READABLE)
        bench.clock.synced = False
        code_id = await bench.create(
            PIN, starts_at=instant(NOON + 12 * HOUR), ends_at=instant(NOON + 3 * DAY)
        )
        await bench.settle(2 * HOUR)
        bench.clock.jump(wrong)
        bench.boot()
        await bench.start()
        await bench.settle(10 * HOUR)
        assert opens(bench)
        assert (await bench.shown(code_id))["status"] == "set"
        assert bench.issues() == set()
        await bench.settle(2 * DAY + 12 * HOUR)
        assert bench.on_lock() == {}


class TestAfterAPowerCut:
    """The machine started anew, and nobody knows how long it was off."""

    async def test_a_staged_code_is_not_called_set(self, hang: Hang) -> None:
        """It waits disabled on the lock; nothing enables it, and nobody is told that it works."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, starts_at=instant(NOON + HOUR), ends_at=instant(NOON + DAY))
        await bench.settle(40 * MINUTE)
        await power_cut(bench)
        assert bench.events().count("gateway.clock_untrusted") == 1
        await bench.settle(2 * HOUR)
        assert not opens(bench)
        shown = await bench.shown(code_id)
        assert shown["status"] == "setting"
        assert "clock_untrusted" in bench.issues()
        assert [warning["warning_code"] for warning in shown["warnings"]] == ["delay_in_setting_on_device"]
        assert "access_code.set_on_device" not in bench.events()
        bench.clock.synced = True
        await bench.settle(MINUTE)
        assert opens(bench)
        assert (await bench.shown(code_id))["status"] == "set"
