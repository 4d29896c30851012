"""The time by which drivers set the clocks of locks: what the hub knows, not what the kernel says alone."""

from collections.abc import Callable
from datetime import datetime

from gateway.domain.clock import Clock, TimeView


class HubClock:
    """`gateway.domain.clock.Clock` of a machine whose time somebody may have vouched for.

    It counts as synchronised while the hub trusts the time for whatever reason: a time server, a person
    (`pinsmith clock trust`), the policy `run`, or the boot-time clock since one of these.
    """

    def __init__(self, clock: Clock, view: Callable[[], TimeView]) -> None:
        """Wait by `clock`; `view` says what is known about the time."""
        self._view = view
        self.boot = clock.boot
        self.boot_id = clock.boot_id
        self.sleep = clock.sleep

    def now(self) -> datetime:
        """Return the time that the hub acts on; while it trusts none, what the wall clock says."""
        known = self._view()
        return known.at if known.trusted else known.now

    def synchronised(self) -> bool:
        """Say whether the hub trusts the time."""
        return self._view().trusted
