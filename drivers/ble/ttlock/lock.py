"""One configured lock of this family, as the Bluetooth driver sees it."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import override
from zoneinfo import ZoneInfo

from bleak.backends.device import BLEDevice

from drivers.ble.family import Advert, Connect, FamilyLock, Hearing, LockSession
from drivers.ble.ttlock.adverts import NOTIFY, WRITE, beacon_of
from drivers.ble.ttlock.commands import SaidNo
from drivers.ble.ttlock.conversation import Conversation
from drivers.ble.ttlock.secret import decode_secret
from drivers.ble.ttlock.session import TTLockSession
from drivers.ble.ttlock.settings import TTLockSettings
from drivers.ble.ttlock.state import LockState
from drivers.ble.ttlock.takeover import set_up
from gateway.domain.clock import Clock
from gateway.domain.driver import LockSeen, LockUnreachable, NoAnswer
from gateway.domain.keyring import Keyring
from gateway.domain.lock import Reach

_LOG = logging.getLogger(__name__)
FINISH_ATTEMPTS = 3
"""Connections that may break while an initialisation is finished: one that breaks is of no use for codes."""
_LEFT_HALF = (
    "it is not set up to the end and does not let itself be: its keypad may still take the administrator's "
    "code that it came with. Reset it and pair it again"
)


class TTLock(FamilyLock):
    """A lock whose keys are in the keyring."""

    def __init__(
        self,
        device_id: str,
        settings: TTLockSettings,
        secret: bytes,
        *,
        keyring: Keyring,
        connect: Connect,
        clock: Clock,
        sure_time: Callable[[], datetime | None],
        zone: ZoneInfo,
        random: Callable[[int], bytes],
    ) -> None:
        """Take what pairing stored.

        `sure_time` returns None while the hub does not know the time; the lock shows local time of `zone`.
        Raises ValueError where `secret` is none of this family.
        """
        self._state = LockState(
            device_id,
            settings,
            decode_secret(secret),
            keyring,
            clock=clock,
            sure_time=sure_time,
            zone=zone,
            random=random,
        )
        self.device_id = device_id
        self.address = self._state.secret.address
        self.reach: Reach = settings.when
        self._connect = connect
        self._zone = zone
        self._random = random
        self._attempts_left = FINISH_ATTEMPTS

    @override
    def hears(self, advert: Advert) -> Hearing:
        beacon = beacon_of(advert.manufacturer)
        return Hearing(changed=beacon.new_records, battery=beacon.battery) if beacon else Hearing()

    @override
    def known(self) -> LockSeen | None:
        return self._state.seen() if self._state.secret.features else None

    @override
    def held_off(self) -> str | None:
        return self._state.hold.words

    @override
    def refusal(self) -> str | None:
        return self._state.access.words

    @override
    def ask_again(self) -> None:
        for hold in self._state.holds:
            hold.lift()

    @override
    def trouble(self) -> str | None:
        return next((hold.words for hold in self._state.holds if hold.words is not None), None)

    @override
    def open(self, device: BLEDevice) -> AbstractAsyncContextManager[LockSession]:
        return self._opened(device)

    @asynccontextmanager
    async def _opened(self, device: BLEDevice) -> AsyncIterator[LockSession]:
        state = self._state
        state.hold.check()
        state.access.refuse()
        async with self._connect(device) as link:
            if not (link.has(WRITE) and link.has(NOTIFY)):
                raise LockUnreachable("this is no TTLock of the third generation")
            conversation = Conversation(
                link,
                state.secret.version,
                state.secret.key,
                state.settings.answer_timeout_s,
                self.device_id,
                state.hold,
            )
            await conversation.open()
            await conversation.log_in(state.secret)
            state.hold.lift()
            if state.secret.half_set_up and self._attempts_left > 0:
                await self._finish(conversation)
            yield TTLockSession(state, conversation, link.lost())

    async def _finish(self, conversation: Conversation) -> None:
        """Do what broke off when the lock was initialised; after some attempts in vain not before a restart.

        Raises LockUnreachable and NoAnswer: this connection is of no more use.
        """
        state = self._state
        self._attempts_left -= 1
        try:
            state.secret = await set_up(conversation, state.secret, state.now(), self._zone, self._random)
        except (SaidNo, NoAnswer, LockUnreachable) as error:
            if not isinstance(error, LockUnreachable):
                self._attempts_left = 0
            if self._attempts_left == 0:
                _LOG.warning("%s: %s", self.device_id, _LEFT_HALF)
            if not isinstance(error, SaidNo):
                raise
        else:
            _LOG.info("%s: it is set up to the end now", self.device_id)
            await state.save()
