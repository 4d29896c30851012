"""Taking over a lock: new and without any cloud, or in use and by its keys."""

import asyncio
from collections.abc import Mapping

import pytest

from drivers.ble.ttlock.commands import Feature
from drivers.ble.ttlock.pairing import secret_from
from gateway.domain.credential import Known
from gateway.domain.driver import PairingFailed
from tests.ble_bed.ttlock.lock import VirtualLock
from tests.ble_bed.virtual import in_virtual_time
from tests.ttlock.home import ADDRESS, ADMIN, DOOR, KEY, UNLOCK, Home, code, home, wanted

KEYS = {
    "address": ADDRESS,
    "aes_key": KEY.hex(),
    "admin_ps": str(ADMIN),
    "unlock_key": str(UNLOCK),
}


class Voice:
    """Takes what is said to the person who pairs."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def __call__(self, text: str) -> None:
        self.said.append(text)


async def pair(at: Home, given: Mapping[str, str] = {}) -> Voice:
    """Touch the lock and pair."""
    voice = Voice()
    await at.on_air.touch()
    await at.driver.pair(DOOR, given, voice)
    return voice


@pytest.mark.parametrize("change", ["plain", "tells its code", "wants the greeting", "cannot set its clock"])
@in_virtual_time
async def test_a_new_lock_is_initialised(change: str) -> None:
    """And takes codes at once; nobody else has its keys."""

    def other(lock: VirtualLock) -> None:
        lock.greeted = change == "wants the greeting"
        if change == "tells its code":
            lock.features |= 1 << Feature.GET_ADMIN_PASSCODE
        if change == "cannot set its clock":
            lock.faults.refuses = frozenset({0x43})

    async with home(paired=False, change=other) as at:
        voice = await pair(at)
        assert at.lock.finished
        assert at.lock.admin == (at.secret.admin_ps, at.secret.unlock_key)
        assert at.secret.admin_passcode == at.lock.admin_code
        assert (at.secret.model, at.secret.firmware) == ("SN-BED-01", "6.1.4")
        secrets = (KEY.hex(), *map(str, at.lock.admin), at.lock.admin_code)
        assert not [text for text in voice.said for secret in secrets if secret in text]
        async with at.session() as session:
            written = await session.write(None, wanted("4711"), replaces=None)
            assert written.reading == Known(wanted("4711"))


@in_virtual_time
async def test_a_lock_in_use_is_taken_over_with_its_codes() -> None:
    """By the keys that the operator has."""
    async with home() as at:
        await at.driver.unpair(DOOR)
        at.lock.store(code("4711"))
        await pair(at, KEYS)
        assert list((await at.listed()).values()) == [Known(wanted("4711"))]
        assert at.lock.admin == (ADMIN, UNLOCK)


@pytest.mark.parametrize("wrong", ["aes_key", "admin_ps", "unlock_key"])
@in_virtual_time
async def test_wrong_keys_are_told_at_once(wrong: str) -> None:
    """And nothing is kept."""
    async with home() as at:
        await at.driver.unpair(DOOR)
        given = KEYS | {wrong: "ff" * 16 if wrong == "aes_key" else "4242"}
        with pytest.raises(PairingFailed) as failed:
            await pair(at, given)
        assert "4242" not in str(failed.value)
        assert DOOR not in at.drawer.secrets


@in_virtual_time
async def test_a_lock_that_has_an_administrator_is_not_initialised() -> None:
    """It does not advertise that it takes one."""
    async with home() as at:
        await at.driver.unpair(DOOR)
        with pytest.raises(PairingFailed, match="heard"):
            await pair(at)
        assert at.lock.admin == (ADMIN, UNLOCK)


@pytest.mark.slow
@in_virtual_time
async def test_a_link_lost_while_a_lock_is_initialised_never_locks_us_out() -> None:
    """Either the lock still takes an administrator, or we have its keys."""
    finished = 0
    for pieces in range(0, 44, 2):
        async with home(paired=False) as at:
            at.on_air.peripheral.lose_after = pieces
            try:
                await pair(at)
            except PairingFailed:
                assert at.lock.setting_mode
            else:
                assert at.lock.admin == (at.secret.admin_ps, at.secret.unlock_key)
                finished += at.lock.finished
    assert finished


@in_virtual_time
async def test_a_hub_that_dies_while_a_lock_is_initialised_never_locks_us_out() -> None:
    """The keys are kept before the lock gets them: power may fail the moment after."""
    async with home(paired=False) as at:
        at.lock.faults.silent_on = frozenset({0x56})
        pairing = asyncio.create_task(pair(at))
        await asyncio.sleep(1.5)
        pairing.cancel()
        await asyncio.wait({pairing})
        assert pairing.cancelled()
        assert at.lock.admin == (at.secret.admin_ps, at.secret.unlock_key)


@in_virtual_time
async def test_a_lock_that_refuses_its_administrator_leaves_the_keys_from_before() -> None:
    """What was kept of the lock that hung there before is kept still."""
    async with home(paired=False, change=lambda lock: refuse(lock, 0x56)) as at:
        with pytest.raises(PairingFailed):
            await pair(at)
        assert DOOR not in at.drawer.secrets
        at.drawer.secrets[DOOR] = b"from before"
        with pytest.raises(PairingFailed):
            await pair(at)
        assert at.drawer.secrets[DOOR] == b"from before"


def refuse(lock: VirtualLock, command: int) -> None:
    """Have a lock say no to a command."""
    lock.faults.refuses = frozenset({command})


@pytest.mark.parametrize(
    "given",
    [
        {"address": ADDRESS, "aes_key": "00"},
        KEYS | {"aes_key": "zz" * 16},
        KEYS | {"admin_ps": "-1"},
        KEYS | {"admin_ps": str(1 << 32)},
        KEYS | {"lock_flag_pos": str(1 << 24)},
        KEYS | {"address": "somewhere"},
        KEYS | {"admin_passcode": "12x"},
    ],
)
def test_what_makes_no_sense_is_refused_without_showing_it(given: dict[str, str]) -> None:
    """The message names the field."""
    with pytest.raises(PairingFailed) as failed:
        secret_from(given)
    assert not [value for name, value in given.items() if name != "address" and value in str(failed.value)]


def test_keys_are_taken_as_the_cloud_writes_them() -> None:
    """With commas."""
    given = KEYS | {"aes_key": ",".join(f"{byte:02x}" for byte in KEY), "address": ADDRESS.lower()}
    assert secret_from(given) == secret_from(KEYS)


@in_virtual_time
async def test_unknown_words_are_refused() -> None:
    """A typing mistake in a field's name must not initialise a lock."""
    async with home(paired=False) as at:
        with pytest.raises(PairingFailed, match="adress"):
            await pair(at, {"adress": ADDRESS})
        assert at.lock.setting_mode
