"""Keeps the clock of a lock right: by it the lock opens and closes the windows of codes.

It shows local time and knows no zone, so it must be set anew when the zone changes its offset.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from drivers.ble.hold import Hold
from drivers.ble.ttlock.commands import CLOCK_NOT_ALLOWED, KEYS_DO_NOT_FIT, PASSES, Command, SaidNo
from drivers.ble.ttlock.conversation import Conversation
from drivers.ble.ttlock.times import face_of, moment_bytes, read_date
from gateway.domain.clock import Clock
from gateway.domain.driver import ClockChecked

DAILY = timedelta(days=1)
_GOOD_ENOUGH = timedelta(seconds=30)
"""Less is not worth a write: the lock tells minutes apart."""
_OLDEST, _AHEAD = timedelta(days=400), timedelta(hours=1)
"""Further from now, the clock was wrong."""


class LockClock:
    """What is known of one lock's clock, across connections."""

    def __init__(
        self, device_id: str, clock: Clock, sure_time: Callable[[], datetime | None], zone: ZoneInfo
    ) -> None:
        """Set by `sure_time`, which is None while the hub does not know the time itself."""
        self.zone = zone
        self._device_id = device_id
        self._clock = clock
        self._sure_time = sure_time
        self._checked_at: float | None = None
        self._offset: timedelta | None = None
        self._is_doubted = False
        self.hold = Hold(clock)
        """Whether the lock lets our keys read and set it."""
        self.was_busy = False
        """The last check came to nothing for a reason that passes: it says nothing of the clock."""

    def doubt(self) -> None:
        """Believe nothing that it showed until it is checked, which is due: the lock was without power."""
        self._checked_at, self._is_doubted = None, True

    def believed(self, at: datetime) -> datetime | None:
        """Return the moment at which the lock says something was; None where that may well be wrong."""
        now = self._sure_time()
        if self._is_doubted or now is None:
            return None
        return at if now - _OLDEST <= at <= now + _AHEAD else None

    @property
    def due(self) -> bool:
        """Say whether a day has passed since the last check, or the zone changed its offset."""
        now = self._sure_time()
        if now is None or self._checked_at is None:
            return True
        aged = self._clock.boot() - self._checked_at >= DAILY.total_seconds()
        return aged or now.astimezone(self.zone).utcoffset() != self._offset

    async def check(self, conversation: Conversation) -> ClockChecked:
        """Read the lock's clock and set it where it is wrong; return how far it is off in the end.

        Raises LockUnreachable or NoAnswer.
        """
        now = self._sure_time()
        self.was_busy = False
        if now is None or self.hold.words is not None:
            return ClockChecked(device_id=self._device_id, off_by=None)
        try:
            off_by = await self._off_by(conversation)
            if off_by is None or abs(off_by) > _GOOD_ENOUGH:
                await conversation.ask(Command.SET_CLOCK, moment_bytes(face_of(now, self.zone)))
                off_by = await self._off_by(conversation)
        except SaidNo as no:
            off_by = None
            if no.code in KEYS_DO_NOT_FIT:
                self.hold.refused(CLOCK_NOT_ALLOWED)
            else:
                self.was_busy = no.code in PASSES
        if off_by is not None:
            self._checked_at, self._is_doubted = self._clock.boot(), False
            self._offset = now.astimezone(self.zone).utcoffset()
        return ClockChecked(device_id=self._device_id, off_by=off_by)

    async def _off_by(self, conversation: Conversation) -> timedelta | None:
        """Return how much the clock is ahead; None where it shows no date."""
        shown = await conversation.ask(Command.GET_CLOCK)
        now = self._sure_time()
        try:
            face = read_date(shown)
        except ValueError:
            return None
        return None if now is None else face - face_of(now, self.zone)
