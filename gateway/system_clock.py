"""The clocks of the machine. Linux only."""

import asyncio
import ctypes
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

_UNSYNCHRONISED_US = 16_000_000
"""Maximum error at which the kernel regards its clock as not synchronised, in microseconds.

NTP_PHASE_LIMIT of the kernel: the clock starts with it, `settimeofday` puts it back to it, and without a time
server it grows there by 500 microseconds a second (nearly nine hours).
"""
_SLICE_S = 60.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class _Timex(ctypes.Structure):
    """The beginning of `struct timex` of adjtimex(2), with room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


_adjtimex: Callable[..., int] = ctypes.CDLL(None, use_errno=True).adjtimex


class SystemClock:
    """`gateway.domain.clock.Clock` on the kernel's clocks."""

    def __init__(self) -> None:
        self._boot_id = _BOOT_ID.read_text().strip()

    def now(self) -> datetime:
        """Return the wall clock as aware UTC, cut to milliseconds."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def boot(self) -> float:
        """Return seconds since boot, sleep of the machine included."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def boot_id(self) -> str:
        """Return the kernel's name of this boot, see random(4)."""
        return self._boot_id

    def synchronised(self) -> bool:
        """Say whether a time server keeps the wall clock right, as `timedatectl` does.

        Only the maximum error decides: systemd-timesyncd and chrony both report it, and both leave the flag
        STA_UNSYNC set where the kernel is not to touch the hardware clock (chrony without `rtcsync`). False
        where the question is not allowed: a unit with `ProtectClock=yes` forbids this system call too.
        """
        timex = _Timex()
        answered = _adjtimex(ctypes.byref(timex)) >= 0
        return answered and int(timex.maxerror) < _UNSYNCHRONISED_US

    async def sleep(self, seconds: float) -> None:
        """Sleep by the boot-time clock.

        The event loop's own clock stands still while the machine sleeps, so no single nap is long.
        """
        end = self.boot() + seconds
        left = seconds
        while left > 0:
            await asyncio.sleep(min(left, _SLICE_S))
            left = end - self.boot()
