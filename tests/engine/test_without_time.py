"""What guests find at the door when the hub's time server is away, or its clock is lost (rule 5)."""

from datetime import timedelta

import pytest

from drivers.simulated.models import READABLE
from gateway.domain.pin import Pin
from gateway.domain.store import StorageFailed
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, HOUR, MINUTE, NOON
from tests.engine.conftest import Hang

PIN = "471134"


def opens(bench: Bench) -> bool:
    """Say whether the PIN opens the door."""
    return bench.lock.open_door(Pin(PIN), bench.clock.wall) is not None


async def jumped(bench: Bench, count: int) -> list[str]:
    """Return codes whose removal is held: all end in a day, and the clock jumped by two."""
    ids = [await bench.create(f"{n}71134", ends_at=instant(NOON + DAY)) for n in range(4, 4 + count)]
    await bench.settle(2 * MINUTE)
    bench.clock.jump(2 * DAY)
    await bench.settle(10 * MINUTE)
    assert len(bench.on_lock()) == count
    assert "clock_step_held" in bench.issues()
    return ids


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

    async def test_a_code_that_loses_its_start_waits_for_the_time_too(self, hang: Hang) -> None:
        """Its end may have come; one without any end opens by the word of whoever says so."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, starts_at=instant(NOON + HOUR), ends_at=instant(NOON + DAY))
        await bench.settle(40 * MINUTE)
        await power_cut(bench)
        await bench.settle(HOUR)
        await bench.do("access_codes/update", access_code_id=code_id, starts_at=None)
        await bench.settle(10 * MINUTE)
        assert not opens(bench)
        await bench.do("access_codes/update", access_code_id=code_id, ends_at=None)
        await bench.settle(10 * MINUTE)
        assert opens(bench)


class TestAfterAJump:
    """The clock jumped two days ahead, and four codes of a lock would go at once."""

    @pytest.mark.parametrize("reboots", [False, True])
    async def test_a_restart_releases_nothing(self, hang: Hang, *, reboots: bool) -> None:
        """Neither one of the process nor one of the machine, whose time server is still wrong."""
        bench = await hang(READABLE)
        await jumped(bench, 5)
        if reboots:
            bench.clock.reboot(bench.clock.wall)
        bench.boot()
        await bench.start()
        await bench.settle(HOUR)
        assert len(bench.on_lock()) == 5
        assert bench.guard.view().floor < NOON + DAY

    async def test_deleting_one_code_releases_no_other(self, hang: Hang) -> None:
        """Three would not be held by themselves; also after a restart of process and machine."""
        bench = await hang(READABLE)
        ids = await jumped(bench, 4)
        await bench.do("access_codes/delete", access_code_id=ids[0])
        await bench.settle(MINUTE)
        assert len(bench.on_lock()) == 3
        for reboots in (False, True):
            if reboots:
                bench.clock.reboot(bench.clock.wall)
            bench.boot()
            await bench.start()
            await bench.settle(HOUR)
            assert len(bench.on_lock()) == 3

    @pytest.mark.parametrize("restarts", [False, True])
    async def test_nothing_is_held_once_the_clock_is_right_again(self, hang: Hang, *, restarts: bool) -> None:
        """The codes stay to their true end, and go then without anybody's word."""
        bench = await hang(READABLE)
        await jumped(bench, 4)
        if restarts:
            bench.boot()
            await bench.start()
        bench.clock.jump(-2 * DAY)
        await bench.settle()
        assert bench.issues() == set()
        assert len(bench.on_lock()) == 4
        await bench.settle(DAY)
        assert bench.on_lock() == {}

    async def test_the_true_end_is_not_held(self, hang: Hang) -> None:
        """It comes by the boot-time clock, although nobody has put the clock right."""
        bench = await hang(READABLE)
        await jumped(bench, 4)
        await bench.settle(DAY)
        assert bench.on_lock() == {}

    async def test_a_person_releases_them_for_good(self, hang: Hang) -> None:
        """Also for the next start."""
        bench = await hang(READABLE)
        await jumped(bench, 4)
        await bench.do("clock/trust")
        bench.boot()
        await bench.start()
        await bench.settle()
        assert bench.on_lock() == {}
        assert bench.issues() == set()

    async def test_a_word_that_could_not_be_stored_was_not_said(self, hang: Hang) -> None:
        """Whoever said it hears of the failure, and says it again."""
        bench = await hang(READABLE)
        await jumped(bench, 4)
        bench.store.failing = True
        with pytest.raises(StorageFailed):
            await bench.do("clock/trust")
        bench.store.failing = False
        await bench.settle(HOUR)
        assert len(bench.on_lock()) == 4
