"""One configured Nuki lock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bleak.backends.device import BLEDevice

from drivers.ble.family import Advert, Connect, FamilyLock, Hearing
from drivers.ble.nuki.advert import has_changed
from drivers.ble.nuki.asking import Asker
from drivers.ble.nuki.commands import USER_DATA, Command, Registration
from drivers.ble.nuki.conversation import Conversation, Wire
from drivers.ble.nuki.facts import lock_seen
from drivers.ble.nuki.frames import Randomness
from drivers.ble.nuki.keys import NukiKeys
from drivers.ble.nuki.session import NukiSession
from drivers.ble.nuki.settings import NukiLockSettings
from drivers.ble.nuki.standing import Standing
from gateway.domain.clock import Clock
from gateway.domain.driver import LockSeen
from gateway.domain.keyring import Keyring
from gateway.domain.lock import Reach


class NukiLock(FamilyLock):
    """A lock that was paired. It outlives its sessions and remembers what must not be tried again."""

    def __init__(
        self,
        device_id: str,
        settings: NukiLockSettings,
        keys: NukiKeys,
        *,
        keyring: Keyring,
        clock: Clock,
        random: Randomness,
        connect: Connect,
    ) -> None:
        """Use `keys` as they are in `keyring`, where changes are kept."""
        self.device_id = device_id
        self.address = keys.address
        self.reach = Reach.ALWAYS
        self._settings = settings
        self._standing = Standing(device_id, keys, keyring, clock)
        self._clock = clock
        self._random = random
        self._connect = connect
        self._was_changed = True

    def hears(self, advert: Advert) -> Hearing:
        """Return whether there is something new.

        A lock takes its bit back only for a bridge. For an app only its rising counts: it stands for ever
        where there is no bridge, and follows the bridge where there is one.
        """
        changed = has_changed(advert)
        if changed is None:
            return Hearing()
        rose, self._was_changed = changed and not self._was_changed, changed
        return Hearing(changed=changed if self.silenced_by_connecting() else rose)

    def known(self) -> LockSeen | None:
        """Return what pairing learned; None where it did not come so far."""
        config = self._standing.keys.config
        return None if config is None else lock_seen(self.device_id, config, self._settings)

    def held_off(self) -> str | None:
        """Return why the lock is not connected to."""
        return self._standing.hold.words

    def refusal(self) -> str | None:
        """Return why the lock would let us do nothing.

        Before it has told what it is, that is what a connection is for; the security PIN counts only then.
        """
        standing = self._standing
        if standing.keys.config is None:
            return standing.access.words or standing.trouble_with(Command.REQUEST_CONFIG)
        return standing.access.words or standing.pin_trouble

    async def save(self) -> None:
        """Store what was learned while the disk was full."""
        await self._standing.keep()

    def ask_again(self) -> None:
        """Try again what the lock refused, but for a security PIN that it proved to be wrong."""
        self._standing.ask_again()

    def silenced_by_connecting(self) -> bool:
        """Say whether the question for the states, the first of each session, takes the bit back."""
        return self._standing.keys.registration is Registration.BRIDGE

    def trouble(self) -> str | None:
        """Return what a person should mend."""
        return self._standing.trouble

    @asynccontextmanager
    async def open(self, device: BLEDevice) -> AsyncIterator[NukiSession]:
        """Connect for one session. Raises any DriverError; Refused, where the lock lets us do nothing."""
        self._standing.hold.check()
        self._standing.access.refuse()
        async with self._connect(device) as link:
            wire = Wire(link, USER_DATA, self._settings.answer_s, sealed=True)
            await wire.listen()
            ask = Asker(Conversation(wire, self._standing.keys.seal(self._random)), self._standing)
            yield await NukiSession.begin(ask, self._standing, self._settings, self._clock, link.lost())
