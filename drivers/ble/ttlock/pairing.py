"""Takes over a lock: a new one in setting mode, or one whose keys the operator has.

With keys the lock keeps its codes, and the vendor's app keeps working. Without, the lock must be new or
reset, and the vendor's app does not know it afterwards; no cloud is asked.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from bleak.backends.device import BLEDevice
from msgspec.structs import replace

from drivers.ble.family import Advert, Connect, Link, Scan, Unfinished
from drivers.ble.hold import KeysRefused
from drivers.ble.ttlock.adverts import beacon_of
from drivers.ble.ttlock.cipher import FACTORY_KEY, KEY_LENGTH
from drivers.ble.ttlock.commands import SaidNo
from drivers.ble.ttlock.conversation import Conversation
from drivers.ble.ttlock.frames import Version
from drivers.ble.ttlock.secret import Secret, decode_secret, encode_secret
from drivers.ble.ttlock.settings import TTLockSettings
from drivers.ble.ttlock.takeover import (
    Random,
    acquaint,
    become_admin,
    first_key,
    number,
    set_up,
    some_passcode,
)
from gateway.domain.driver import DriverError, PairingFailed, Progress
from gateway.domain.keyring import Keyring
from gateway.domain.store import StorageFailed

FIND_S = 120.0
"""Time to walk to the door and touch the lock."""
_NAME = "pairing"
_HALF_SET_UP = (
    "the lock was not set up to the end; its keys are kept, and it is worked with if it took them. The hub "
    "tries the rest when it reaches the lock next and says in its log whether that went well. If it did not, "
    "the keypad may still take the administrator's code that it came with: reset it and pair it again"
)
_ADDRESS = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}")
_NEEDED = ("address", "aes_key", "admin_ps", "unlock_key")
_ALLOWED = frozenset({*_NEEDED, "lock_flag_pos", "uid", "group_id", "org_id", "admin_passcode"})
_LARGEST = (1 << 32) - 1


class _NoKey(PairingFailed):
    """A lock in setting mode did not give its key."""

    def __init__(self) -> None:
        super().__init__("the lock does not give its key: reset it and try again")


class Pairing:
    """How one configured lock is taken over."""

    def __init__(
        self,
        device_id: str,
        settings: TTLockSettings,
        *,
        keyring: Keyring,
        connect: Connect,
        sure_time: Callable[[], datetime | None],
        zone: ZoneInfo,
        random: Random,
    ) -> None:
        """Take what a lock of this family is made of too."""
        self._device_id = device_id
        self._settings = settings
        self._keyring = keyring
        self._connect = connect
        self._sure_time = sure_time
        self._zone = zone
        self._random = random

    async def pair(self, given: Mapping[str, str], scan: Scan, progress: Progress) -> tuple[str, bytes]:
        """Take the lock over; return its Bluetooth address and the secret for the keyring.

        `given` may be empty, or have only an `address` where several new locks are near: then a lock in
        setting mode is initialised. With `aes_key`, `admin_ps` and `unlock_key` (from the vendor's cloud or
        another hub) a lock in use is taken over as it is. Raises PairingFailed, and Unfinished where a new
        lock has our keys, or may have, and was not set up to the end.
        """
        if unknown := set(given) - _ALLOWED:
            raise PairingFailed(f"not known for this kind of lock: {', '.join(sorted(unknown))}")
        try:
            if given.keys() <= {"address"}:
                return await self._initialise(given.get("address"), scan, progress)
            return await self._adopt(secret_from(given), scan, progress)
        except SaidNo as no:
            raise PairingFailed(f"{no.refusal()}; nothing was kept") from None
        except DriverError as error:
            raise PairingFailed(f"{error}; nothing was kept") from None

    async def _initialise(self, wanted: str | None, scan: Scan, progress: Progress) -> tuple[str, bytes]:
        address = None if wanted is None else _address(wanted)

        def fits(advert: Advert) -> bool:
            beacon = beacon_of(advert.manufacturer)
            return beacon is not None and beacon.setting_mode and address in {None, advert.address}

        await progress(
            "waiting for a new or reset lock; wake it: touch its keypad or press its button", FIND_S
        )
        device, advert = await scan.find(fits, FIND_S)
        await progress("found the lock, initialising it; stay near it for some seconds")
        before = await self._keyring.load(self._device_id)
        try:
            return await self._become_its_owner(device, advert.address, progress)
        except Unfinished:
            raise
        except (SaidNo, DriverError, PairingFailed):
            await self._put_back(before)
            raise

    async def _put_back(self, before: bytes | None) -> None:
        """Keep what was kept before: the lock did not take our keys."""
        if before is None:
            await self._keyring.forget(self._device_id)
        elif before != await self._keyring.load(self._device_id):
            await self._keyring.save(self._device_id, before)

    async def _become_its_owner(
        self, device: BLEDevice, address: str, progress: Progress
    ) -> tuple[str, bytes]:
        try:
            secret, is_done = await self._take(device, address, greets=False)
        except _NoKey:
            secret, is_done = await self._take(device, address, greets=True)
        if is_done:
            return secret.address, encode_secret(secret)
        return await self._doubtful(device, secret, progress)

    async def _take(self, device: BLEDevice, address: str, *, greets: bool) -> tuple[Secret, bool]:
        """Become the administrator; return the keys, and whether the lock confirmed all of it."""
        admin_ps, unlock_key = number(self._random), number(self._random)
        secret = Secret(
            address=address,
            key=FACTORY_KEY,
            admin_ps=admin_ps,
            unlock_key=unlock_key,
            admin_passcode=some_passcode(self._random),
            half_set_up=True,
        )
        async with self._connect(device) as link:
            talk = await self._talk(link, secret)
            try:
                secret = replace(secret, key=await first_key(talk, greets=greets))
            except (SaidNo, DriverError) as error:
                raise _NoKey from error
            # Kept before the lock gets them: when power fails now, nobody else could ever speak to it.
            await self._keyring.save(self._device_id, encode_secret(secret))
            try:
                await become_admin(talk, secret)
            except DriverError:
                return secret, False
            try:
                return await self._set_up(talk, secret), True
            except (SaidNo, DriverError):
                return secret, False

    async def _doubtful(self, device: BLEDevice, secret: Secret, progress: Progress) -> tuple[str, bytes]:
        """See whether a lock took our keys from which we have heard nothing since, and set it up to the end.

        The keys are kept unless it says that they are wrong: without them nobody could speak to it any more.
        """
        await progress("the lock fell silent; trying whether it is ours now; touch it again")
        try:
            async with self._connect(device) as link:
                talk = await self._talk(link, secret)
                await talk.log_in(secret)
                return secret.address, encode_secret(await self._set_up(talk, secret))
        except KeysRefused:
            raise
        except (SaidNo, DriverError):
            raise Unfinished(_HALF_SET_UP, secret.address, encode_secret(secret)) from None

    async def _set_up(self, talk: Conversation, secret: Secret) -> Secret:
        return await set_up(talk, secret, self._sure_time(), self._zone, self._random)

    async def _adopt(self, secret: Secret, scan: Scan, progress: Progress) -> tuple[str, bytes]:
        await progress("waiting for the lock; touch its keypad to wake it", FIND_S)
        device, _ = await scan.find(lambda advert: advert.address == secret.address, FIND_S)
        await progress("found the lock, trying its keys")
        try:
            async with self._connect(device) as link:
                talk = await self._talk(link, secret)
                await talk.log_in(secret)
                known = await acquaint(talk, secret)
                return secret.address, encode_secret(await self._with_what_was_known(known))
        except KeysRefused:
            raise PairingFailed("the lock does not take these keys") from None

    async def _with_what_was_known(self, secret: Secret) -> Secret:
        """Add what the hub knew of this lock before: it was not reset, and its codes keep their names.

        What was told of its log is marked by its key. Raises PairingFailed where the vault cannot be read:
        codes that nobody knows by their names would count as gone.
        """
        try:
            stored = await self._keyring.load(self._device_id)
        except StorageFailed as error:
            raise PairingFailed(f"{error}; nothing was kept") from None
        try:
            before = None if stored is None else decode_secret(stored)
        except ValueError:
            before = None
        if before is None or before.address != secret.address:
            return secret
        secret = replace(secret, held=before.held)
        if before.key != secret.key:
            return secret
        return replace(
            secret,
            log_next=before.log_next,
            log_told=before.log_told,
            log_ahead=before.log_ahead,
            log_since=before.log_since,
            log_met=before.log_met,
        )

    async def _talk(self, link: Link, secret: Secret) -> Conversation:
        timeout_s = self._settings.answer_timeout_s
        talk = Conversation(link, secret.version, secret.key, timeout_s, _NAME)
        await talk.open()
        return talk


def secret_from(given: Mapping[str, str]) -> Secret:
    """Return the keys that an operator typed or pasted. Raises PairingFailed, without showing any of them.

    `aes_key` is 32 hexadecimal digits or, as the vendor's cloud writes it, 16 pairs with commas. The others
    are plain numbers: what the cloud hands out encoded must be decoded before.
    """
    if missing := [name for name in _NEEDED if not given.get(name)]:
        raise PairingFailed(f"missing: {', '.join(missing)}")
    try:
        key = bytes.fromhex(given["aes_key"].replace(",", " ").replace(".", " "))
    except ValueError:
        key = b""
    if len(key) != KEY_LENGTH:
        raise PairingFailed("aes_key must be 32 hexadecimal digits")
    passcode = given.get("admin_passcode", "")
    if passcode and not (passcode.isascii() and passcode.isdecimal()):
        raise PairingFailed("admin_passcode must be digits")
    return Secret(
        address=_address(given["address"]),
        key=key,
        admin_ps=_whole(given, "admin_ps"),
        unlock_key=_whole(given, "unlock_key"),
        flag_position=_whole(given, "lock_flag_pos", most=(1 << 24) - 1),
        user_id=_whole(given, "uid"),
        version=Version(
            group=_whole(given, "group_id", default="1", most=0xFFFF),
            organisation=_whole(given, "org_id", default="1", most=0xFFFF),
        ),
        admin_passcode=passcode,
    )


def _whole(given: Mapping[str, str], name: str, *, default: str = "0", most: int = _LARGEST) -> int:
    text = given.get(name) or default
    if not (text.isascii() and text.isdecimal() and int(text) <= most):
        raise PairingFailed(f"{name} must be a whole number up to {most}")
    return int(text)


def _address(text: str) -> str:
    address = text.strip().upper()
    if _ADDRESS.fullmatch(address) is None:
        raise PairingFailed("address must be six pairs of hexadecimal digits with colons")
    return address
