"""`pinsmith pair`: the key that somebody typed is tried once."""

from collections.abc import Callable, Mapping

import pytest
from bleak.backends.device import BLEDevice

from drivers.ble.family import Advert
from drivers.ble.yale.configured import configured
from drivers.ble.yale.keys import unpacked
from drivers.ble.yale.settings import YaleLockSettings
from gateway.domain.driver import PairingFailed
from tests.ble_bed.virtual import in_virtual_time
from tests.ble_bed.yale.lock import ADDRESS, KEY, KEY_SLOT, MODEL, NAME, SERIAL
from tests.yale.door import Door, door
from tests.yale.hub import KEYS, SETTINGS

TYPED = {"key": KEY.hex(), "key_slot": str(KEY_SLOT)}
OTHER = Advert(
    address="C0:00:00:00:00:02", name="M1XXXXX", rssi=-40, manufacturer={}, services=(), service_data={}
)


class Scan:
    """Hears another lock, then the one at the door."""

    def __init__(self, at: Door) -> None:
        self._device = at.device

    async def find(self, fits: Callable[[Advert], bool], within_s: float) -> tuple[BLEDevice, Advert]:
        assert within_s > 0
        ours = Advert(
            address=self._device.address,
            name=NAME,
            rssi=-70,
            manufacturer={},
            services=(),
            service_data={},
        )
        for advert in (OTHER, ours):
            if fits(advert):
                assert advert is ours
                return self._device, advert
        raise PairingFailed("nothing was heard")


async def told(_words: str, _seconds_left: float | None = None) -> None:
    """Take what people are told."""


async def paired(
    at: Door, given: Mapping[str, str], settings: YaleLockSettings = SETTINGS
) -> tuple[str, bytes]:
    """Pair as the command does."""
    return await configured("door", settings, at.clock).pair(given, Scan(at), told)


@pytest.mark.parametrize("found_by", [{"address": ADDRESS.lower()}, {"bluetooth_name": NAME}])
@in_virtual_time
async def test_a_good_key_is_kept_with_what_the_lock_says_of_itself(found_by: dict[str, str]) -> None:
    """One connection; nothing changes in the lock. From then on the lock can be worked with."""
    async with door() as at:
        settings = YaleLockSettings(**found_by)  # type: ignore[arg-type]
        address, secret = await paired(at, TYPED, settings)
        assert address == ADDRESS
        assert at.lock.peripheral.connections == 1
        assert at.lock.brain.heard == []
        keys = unpacked(secret)
        assert (keys.key, keys.key_slot, keys.model, keys.serial) == (KEY, KEY_SLOT, MODEL, SERIAL)
        lock = configured("door", settings, at.clock).lock(secret)
        assert lock.address == ADDRESS
        async with lock.open(at.device) as work:
            await work.read("1")


@pytest.mark.parametrize("hangs_up", [True, False])
@in_virtual_time
async def test_a_wrong_key_is_not_kept(*, hangs_up: bool) -> None:
    """The message shows no key, and nobody stays connected."""
    async with door() as at:
        at.lock.brain.hangs_up_on_strangers = hangs_up
        with pytest.raises(PairingFailed) as failed:
            await paired(at, TYPED | {"key": "5" * 32})
        assert "5" * 32 not in str(failed.value)
        assert at.air.open_now == {}


@in_virtual_time
async def test_a_link_lost_at_the_first_message_is_not_called_a_wrong_key() -> None:
    """People would look for another key. They are told to go nearer, and to check the key."""
    async with door() as at:
        at.lock.peripheral.lose_after = 0
        with pytest.raises(PairingFailed, match="go nearer"):
            await paired(at, TYPED)


@in_virtual_time
async def test_a_link_that_stands_at_the_second_attempt_will_do() -> None:
    """At the edge of reach the first one often does not last."""
    async with door() as at:
        at.lock.peripheral.lose_at_once = 1
        address, _ = await paired(at, TYPED)
        assert address == ADDRESS
        assert at.lock.peripheral.connections == 2


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"key": KEY.hex()},
        TYPED | {"key": "not hexadecimal"},
        TYPED | {"key": KEY.hex()[2:]},
        TYPED | {"key_slot": "256"},
        TYPED | {"key_slot": "-1"},
        TYPED | {"key_slot": ""},
    ],
)
@in_virtual_time
async def test_what_is_no_key_is_not_tried(given: dict[str, str]) -> None:
    """The message does not repeat what was typed: it may be nearly the key."""
    async with door() as at:
        with pytest.raises(PairingFailed) as failed:
            await paired(at, given)
        assert KEY.hex()[2:] not in str(failed.value)
        assert at.lock.peripheral.connections == 0


@in_virtual_time
async def test_a_lock_that_is_not_there_is_not_found() -> None:
    """Another one is not taken for it."""
    async with door() as at:
        with pytest.raises(PairingFailed):
            await paired(at, TYPED, YaleLockSettings(bluetooth_name="M1YYYYY"))


def test_a_secret_of_another_family_is_refused() -> None:
    """Without showing it."""
    with pytest.raises(ValueError, match="not those of a Yale lock") as failed:
        unpacked(b'{"shared_key": "s3cret"}')
    assert "s3cret" not in str(failed.value)
    assert unpacked(KEYS.packed()) == KEYS


@pytest.mark.parametrize("ways", [{}, {"address": ADDRESS, "bluetooth_name": NAME}])
def test_there_is_one_way_to_find_a_lock(ways: dict[str, str]) -> None:
    """Not none, and not two that may disagree."""
    with pytest.raises(ValueError, match="either address or bluetooth_name"):
        YaleLockSettings(**ways)  # type: ignore[arg-type]
