"""The clocks of the machine, and the times of audits."""

import ctypes
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from gateway import system_clock
from gateway.schedule import next_audit
from gateway.system_clock import SystemClock

BERLIN = ZoneInfo("Europe/Berlin")


def kernel(maxerror_us: int, status: int, answer: int) -> Callable[[object], int]:
    """Return an adjtimex(2) that says this."""

    def adjtimex(reference: object) -> int:
        timex = ctypes.cast(reference, ctypes.POINTER(system_clock._Timex)).contents  # type: ignore[arg-type]
        assert timex.modes == 0, "the clock must not be set"
        timex.maxerror, timex.status = maxerror_us, status
        return answer

    return adjtimex


class TestSystemClock:
    """What the kernel says."""

    def test_time_is_utc_in_whole_milliseconds(self) -> None:
        """As times are stored, so that what is read back is what was written."""
        now = SystemClock().now()
        assert now.tzinfo is UTC
        assert now.microsecond % 1000 == 0
        assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)

    def test_boot_is_named_and_counted(self) -> None:
        """The name of the boot stays and its seconds only grow."""
        clock = SystemClock()
        assert clock.boot_id() == SystemClock().boot_id() != ""
        assert 0 < clock.boot() <= clock.boot()

    @pytest.mark.parametrize(
        ("maxerror_us", "status", "answer", "synchronised"),
        [
            (250_000, 0x2001, 0, True),
            (250_000, 0x40, 5, True),
            (16_000_000, 0x40, 5, False),
            (15_999_999, 0, 0, True),
            (250_000, 0, -1, False),
        ],
        ids=[
            "a server keeps it",
            "kept, but the hardware clock is left alone",
            "never set since the start",
            "nearly lost",
            "the question is forbidden",
        ],
    )
    def test_synchronised_goes_by_the_maximum_error(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *,
        maxerror_us: int,
        status: int,
        answer: int,
        synchronised: bool,
    ) -> None:
        """Below 16 s of maximum error the clock is kept by somebody, whatever the status flags say."""
        monkeypatch.setattr(system_clock, "_adjtimex", kernel(maxerror_us, status, answer))
        assert SystemClock().synchronised() is synchronised

    def test_the_kernel_answers_in_the_layout_expected(self) -> None:
        """The real call fills the structure sensibly: the maximum error is from 0 to 16 s."""
        timex = system_clock._Timex()
        assert system_clock._adjtimex(ctypes.byref(timex)) >= 0
        assert 0 <= timex.maxerror <= 16_000_000
        assert timex.freq != timex.maxerror

    async def test_sleep_takes_its_time(self) -> None:
        """Not less than asked for, by the boot-time clock; nothing at all for nothing."""
        clock = SystemClock()
        before = clock.boot()
        await clock.sleep(0.05)
        assert clock.boot() - before >= 0.05
        await clock.sleep(0)
        await clock.sleep(-1)
        assert time.clock_gettime(time.CLOCK_BOOTTIME) - before < 10


class TestAudits:
    """Cron expressions in the gateway's zone."""

    @pytest.mark.parametrize("expression", ["17 3 * * *", "*/20 5 * * 1-5", "0 0 1 * *", "30 4 * 2 *"])
    def test_agree_with_an_independent_reading_of_cron(self, expression: str) -> None:
        """A year of times, the changes of the clocks included, is the same by another library."""
        now = datetime(2026, 1, 1, tzinfo=UTC)
        for expected in islice(CronSim(expression, now.astimezone(BERLIN)), 400):
            now = next_audit(expression, now, BERLIN)
            assert now == expected
            assert now.tzinfo is UTC

    def test_never_stand_still_when_the_clocks_change(self) -> None:
        """Times that a change of the clocks skips or repeats still lead forward, at most a day apart."""
        now = datetime(2026, 3, 25, tzinfo=UTC)
        times = [now]
        for _ in range(240):
            times.append(next_audit("30 2 * * *", times[-1], BERLIN))
        assert all(
            timedelta(0) < later - earlier <= timedelta(hours=25) for earlier, later in pairwise(times)
        )
