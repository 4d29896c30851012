"""What is known of one lock across connections."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from drivers.ble.hold import Hold
from drivers.ble.ttlock.clock import LockClock
from drivers.ble.ttlock.commands import Feature
from drivers.ble.ttlock.secret import Secret, encode_secret
from drivers.ble.ttlock.settings import TTLockSettings
from drivers.ble.ttlock.slots import SlotBook
from gateway.domain.clock import Clock
from gateway.domain.driver import LockEvent, LockSeen
from gateway.domain.keyring import Keyring
from gateway.domain.lock import Capabilities, Identity, NativeWindows

NAME_BYTES = 5
"""Of a slot's name: two of them are not equal by chance."""
_FACTORY = "TTLock"


class LockState:
    """One lock: its settings, its secret, its clock, and what is to be told of it."""

    def __init__(
        self,
        device_id: str,
        settings: TTLockSettings,
        secret: Secret,
        keyring: Keyring,
        *,
        clock: Clock,
        sure_time: Callable[[], datetime | None],
        zone: ZoneInfo,
        random: Callable[[int], bytes],
    ) -> None:
        """Begin with what the keyring has; `random` returns as many bytes as it is asked for."""
        self.device_id = device_id
        self.settings = settings
        self.secret = secret
        self.now = sure_time
        self.clock = LockClock(device_id, clock, sure_time, zone)
        self.book = SlotBook(secret.held, lambda: random(NAME_BYTES).hex())
        self.pending: list[LockEvent] = []
        """What was found while nobody listened; told with the log."""
        self.hold = Hold(clock)
        """The keys: whether the lock takes them."""
        self.access = Hold(clock)
        """What the lock lets them do, once they are taken."""
        self.facts = Hold(clock)
        """Whether it says what it is and how its battery stands. No code waits for that, nor for the next."""
        self.log = Hold(clock)
        """Whether it lets them read its log."""
        self._keyring = keyring
        self._saved = secret

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Return all that the lock may have refused."""
        return self.hold, self.access, self.facts, self.log, self.clock.hold

    async def save(self) -> None:
        """Store the secret, where it changed."""
        self.secret = replace(self.secret, held=self.book.kept())
        if self.secret != self._saved:
            await self._keyring.save(self.device_id, encode_secret(self.secret))
            self._saved = self.secret

    @property
    def windows(self) -> bool:
        """Say whether the lock keeps starts and ends by itself."""
        return self.settings.native_schedules and not self.secret.can(Feature.NO_CLOCK)

    def seen(self, battery: float | None = None) -> LockSeen:
        """Return who the lock is and what it can do."""
        return LockSeen(
            device_id=self.device_id,
            identity=Identity(
                network="bluetooth",
                manufacturer=_FACTORY,
                product=self.secret.model or None,
                serial=self.secret.address,
            ),
            capabilities=Capabilities(
                max_codes=self.settings.max_codes,
                pin_rules=self.settings.pin_rules,
                native_windows=NativeWindows.DATES if self.windows else NativeWindows.NONE,
                schedule_zone=self.clock.zone.key,
                reports_use=True,
                reach=self.settings.when,
                keypad=self.secret.can(Feature.PASSCODES) if self.secret.features else None,
            ),
            battery=battery,
        )
