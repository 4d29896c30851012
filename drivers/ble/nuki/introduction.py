"""Pairing with a lock over the air, and looking at it right after."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from bleak.backends.device import BLEDevice
from msgspec.structs import replace

from drivers.ble.family import Advert, Connect, Scan, Unfinished
from drivers.ble.nuki.advert import is_pairing
from drivers.ble.nuki.asking import Asker
from drivers.ble.nuki.commands import PAIRING, PAIRING_5, USER_DATA, Command, Registration
from drivers.ble.nuki.conversation import Conversation, Wire
from drivers.ble.nuki.errors import Lasting, LockError
from drivers.ble.nuki.frames import BadFrame, Randomness, is_plain_error, read_plain
from drivers.ble.nuki.keys import NukiKeys, decode, encode, pin_number
from drivers.ble.nuki.log import tell_new
from drivers.ble.nuki.pairing import (
    Agreed,
    Exchange,
    Introduction,
    PairingRefused,
    classic,
    fifth_generation,
)
from drivers.ble.nuki.records import Config, read_config
from drivers.ble.nuki.settings import NukiLockSettings
from drivers.ble.nuki.standing import Standing
from gateway.domain.clock import Clock
from gateway.domain.driver import KEEP_KEYS, DriverError, LockEvent, PairingFailed, Progress
from gateway.domain.keyring import Keyring
from gateway.domain.store import StorageFailed

SECURITY_PIN: Final = "security_pin"
"""What the operator gives: four digits, six on a lock of the fifth generation."""
ADDRESS: Final = "address"
"""May be given: the Bluetooth address, where several locks are in pairing mode."""
FOUND_WITHIN_S = 120.0
_NAME = "Pinsmith"
_PIN_WRONG = (
    "the lock knows the hub now, but the security PIN is wrong: "
    "give the right one with --keep-keys; the lock need not be paired again"
)
_KEPT = (
    "the lock knows the hub now, and its keys are kept: it need not be paired again. But the hub could not "
    "look at it yet, so nobody knows whether the security PIN is right"
)
_GOES_ON = "It goes on trying by itself"
_BARRED = "Put that right, then `pinsmith locks sync`"


class Introducer:
    """Makes the hub known to one configured lock."""

    def __init__(
        self,
        device_id: str,
        settings: NukiLockSettings,
        *,
        keyring: Keyring,
        clock: Clock,
        random: Randomness,
        connect: Connect,
    ) -> None:
        """Pair as `settings` say."""
        self._device_id = device_id
        self._settings = settings
        self._keyring = keyring
        self._clock = clock
        self._random = random
        self._connect = connect

    async def pair(self, given: Mapping[str, str], scan: Scan, progress: Progress) -> tuple[str, bytes]:
        """Pair; return Bluetooth address and secret.

        Raises PairingFailed, and Unfinished once the lock has accepted the keys.
        """
        if KEEP_KEYS in given:
            return await self._change_pin(given.get(SECURITY_PIN, ""))
        pin = given.get(SECURITY_PIN, "")
        if len(pin) not in {4, 6}:
            raise PairingFailed(
                "the lock's security PIN is needed: it has four digits, six on a lock of the fifth generation"
            )
        wanted = given.get(ADDRESS, "").upper()
        await progress(
            "hold the lock's button for about five seconds, until its ring stays lit", FOUND_WITHIN_S
        )

        def fits(advert: Advert) -> bool:
            return is_pairing(advert) and wanted in {"", advert.address}

        device, advert = await scan.find(fits, FOUND_WITHIN_S)
        await progress(f"found {advert.name or advert.address}, pairing")
        try:
            async with self._connect(device) as link:
                is_fifth = link.has(PAIRING_5)
                number = pin_number(pin, long=is_fifth)
                wire = Wire(link, PAIRING_5 if is_fifth else PAIRING, self._settings.answer_s, sealed=False)
                await wire.listen()
                agreed = await self._agree(wire, number if is_fifth else None)
        except (PairingRefused, DriverError, ValueError) as error:
            raise PairingFailed(str(error)) from None
        keys = NukiKeys(
            address=advert.address,
            shared_key=agreed.shared_key,
            authorisation=agreed.authorisation,
            registration=Registration.APP if is_fifth else self._registration,
            pin=number,
            long_pin=is_fifth,
        )
        await progress("paired; looking at the lock and trying the security PIN")
        keys = await self._looked_at(device, keys)
        return keys.address, encode(keys)

    async def _change_pin(self, digits: str) -> tuple[str, bytes]:
        """Take in another security PIN, without any radio."""
        secret = await self._keyring.load(self._device_id)
        keys = None if secret is None else decode(secret)
        if keys is None:
            raise PairingFailed("the lock was never paired: hold its button and pair it")
        try:
            return keys.address, encode(keys.with_pin(digits))
        except ValueError as error:
            raise PairingFailed(str(error)) from None

    @property
    def _registration(self) -> Registration:
        return Registration.BRIDGE if self._settings.register_as == "bridge" else Registration.APP

    async def _agree(self, wire: Wire, pin: int | None) -> Agreed:
        """Carry out the exchange; `pin` is given for a lock of the fifth generation."""
        me = Introduction(
            registration=self._registration, app_id=int.from_bytes(self._random(4), "little"), name=_NAME
        )
        exchange = classic(me, self._random) if pin is None else fifth_generation(me, pin, self._random)
        return await converse(exchange, wire)

    async def _looked_at(self, device: BLEDevice, keys: NukiKeys) -> NukiKeys:
        """Look at the lock; return the keys with what was learned.

        Raises Unfinished: the lock has accepted the keys, whatever goes wrong now.
        """
        standing = Standing(self._device_id, keys, _Unkept(), self._clock)
        try:
            async with self._connect(device) as link:
                wire = Wire(link, USER_DATA, self._settings.answer_s, sealed=True)
                await wire.listen()
                await self._look(Asker(Conversation(wire, keys.seal(self._random)), standing), standing)
        except (DriverError, BadFrame) as error:
            is_barred = isinstance(error, LockError) and error.lasting in {Lasting.BARRED, Lasting.REVOKED}
            keys, words = standing.keys, f"{_KEPT} ({error}). {_BARRED if is_barred else _GOES_ON}"
            if isinstance(error, LockError) and error.lasting is Lasting.PIN_WRONG:
                # Also where anybody may have said so: who pairs is there, and can give it again.
                keys, words = replace(keys, pin_refused=True), _PIN_WRONG
            raise Unfinished(words, keys.address, encode(keys)) from None
        return standing.keys

    async def _look(self, ask: Asker, standing: Standing) -> None:
        """Try the security PIN, once, read the configuration and where the log ends."""
        config = read_config(await ask.fetch_config())
        await ask.with_pin(Command.VERIFY_PIN)
        await standing.keep(config=config)
        told = await self._told_before(config)
        if told is not None:
            await standing.keep(log_index=told)
            return
        # From here on what happens at the door is told. Without the log pairing is none the worse.
        with suppress(DriverError):
            await tell_new(ask, standing, None, self._clock.now(), _nobody)

    async def _told_before(self, config: Config) -> int | None:
        """Return the last record that was told of this same lock; None where it is another, or none was.

        Who used our codes while the lock did not know the hub is its business. Where the vault cannot be
        read, pairing is more important.
        """
        try:
            secret = await self._keyring.load(self._device_id)
        except StorageFailed:
            return None
        known = None if secret is None else decode(secret)
        if known is None or known.config is None or known.config.nuki_id != config.nuki_id:
            return None
        return known.log_index


async def _nobody(_: LockEvent) -> None:
    """Take an event."""


class _Unkept:
    """A vault that keeps nothing: while pairing, nothing is to be kept that may still fail."""

    async def load(self, device_id: str) -> None:  # noqa: ARG002 - of the contract
        return None

    async def save(self, device_id: str, secret: bytes) -> None:
        """Keep nothing."""

    async def forget(self, device_id: str) -> None:
        """Keep nothing."""


async def converse(exchange: Exchange, wire: Wire) -> Agreed:
    """Carry out a pairing exchange over a wire. Raises PairingRefused, NoAnswer and LockUnreachable."""
    said = next(exchange)
    while True:
        wire.gathering.sealed = said.seal is not None
        await wire.send(said.frame)
        frame = await wire.receive()
        try:
            if said.seal is None or is_plain_error(frame):
                said = exchange.send(read_plain(frame))
            else:
                said = exchange.send(said.seal.open(frame))
        except StopIteration as end:
            agreed: Agreed = end.value
            return agreed
        except BadFrame as error:
            raise PairingRefused(str(error)) from None
