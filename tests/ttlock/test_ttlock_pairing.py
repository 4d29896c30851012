"""Taking over a lock: new and without any cloud, or in use and by its keys."""

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from datetime import timedelta

import pytest

from drivers.ble.family import Unfinished
from drivers.ble.ttlock.commands import Feature
from drivers.ble.ttlock.lock import FINISH_ATTEMPTS
from drivers.ble.ttlock.pairing import secret_from
from gateway.domain.credential import Known
from gateway.domain.driver import LockSeen, LockUnreachable, PairingFailed
from gateway.domain.lock import Identity
from gateway.domain.store import StorageFailed
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

    async def __call__(self, text: str, _seconds_left: float | None = None) -> None:
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


@in_virtual_time
async def test_a_lock_that_is_paired_again_keeps_the_names_of_its_codes() -> None:
    """Else nothing would be cleared under a name that nobody knows, and count as proof that it is gone."""
    async with home() as at:
        async with at.session() as session:
            slot = (await session.write(None, wanted("4711"), replaces=None)).slot
        before = at.secret
        await pair(at, KEYS | {"admin_passcode": "246810"})
        assert at.secret.admin_passcode == "246810"
        assert (at.secret.log_next, at.secret.log_met) == (before.log_next, before.log_met)
        assert await at.listed() == {slot: Known(wanted("4711"))}
        async with at.session() as session:
            await session.clear(slot, holds=wanted("4711"))
        assert at.lock.codes == []


@in_virtual_time
async def test_a_lock_is_not_paired_again_while_the_names_of_its_codes_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Codes would count as gone that open the door; the keys from before go on working."""

    async def unreadable(_: object, _device_id: str) -> bytes | None:
        raise StorageFailed("the disk cannot be read")

    async with home() as at:
        before = at.secret
        with monkeypatch.context() as broken:
            broken.setattr("tests.ttlock.home.Drawer.load", unreadable)
            with pytest.raises(PairingFailed, match="cannot be read; nothing was kept"):
                await pair(at, KEYS)
        assert at.secret == before


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
    """Either the lock still takes an administrator, or it is ours and set up to the end."""
    finished = 0
    for pieces in range(44):
        async with home(paired=False, change=with_a_wrong_clock) as at:
            at.on_air.peripheral.lose_after = pieces
            try:
                await pair(at)
            except PairingFailed:
                assert at.lock.setting_mode
            else:
                assert_set_up(at)
                finished += 1
    assert finished


@pytest.mark.parametrize("command", [0x56, 0x43, 0x01, 0x53, 0x31, 0x57])
@in_virtual_time
async def test_a_lost_answer_does_not_leave_a_lock_half_set_up(command: int) -> None:
    """Its keypad would go on taking the code it came with, and nobody would hear of it."""
    async with home(paired=False, change=with_a_wrong_clock) as at:
        at.on_air.lose_before_answer_to = command
        await pair(at)
        assert at.on_air.peripheral.drops == 1, "the link held"
        assert_set_up(at)


@in_virtual_time
async def test_a_lock_that_does_not_say_what_it_is_called_is_set_up_all_the_same() -> None:
    """Model and firmware are for people."""
    async with home(paired=False, change=with_a_wrong_clock) as at:
        at.lock.faults.silent_on = frozenset({0x90})
        await pair(at)
        assert_set_up(at)


@pytest.mark.parametrize("command", [0x43, 0x53, 0x31, 0x57])
@in_virtual_time
async def test_a_lock_that_cannot_be_set_up_to_the_end_is_said_to_be_so(command: int) -> None:
    """It is worked with: its keys are kept, and its administrator's code with them if it took that.

    The rest is tried once more by each life of the hub.
    """
    async with home(paired=False) as at:
        at.lock.faults.silent_on = frozenset({command})
        with pytest.raises(Unfinished, match="not set up to the end"):
            await pair(at)
        assert at.lock.admin == (at.secret.admin_ps, at.secret.unlock_key)
        assert at.lock.admin_code in {"", at.secret.admin_passcode}
        async with at.session() as session:
            await session.write(None, wanted("4711"), replaces=None)
        assert at.pins() == ["4711"]


@pytest.mark.parametrize("command", [0x43, 0x53, 0x31, 0x57])
@pytest.mark.parametrize("restart", [False, True])
@in_virtual_time
async def test_what_broke_off_is_done_when_the_lock_is_reached_again(command: int, *, restart: bool) -> None:
    """Once, and nobody has to reset the lock for it."""
    async with home(paired=False, change=with_a_wrong_clock) as at:
        at.lock.faults.silent_on = frozenset({command})
        with pytest.raises(Unfinished):
            await pair(at)
        at.lock.faults.silent_on = frozenset()
        if restart:
            await at.restart()
        async with at.running() if restart else nullcontext():
            await at.listed()
            assert_set_up(at)
            told = len(at.lock.asked)
            await at.listed()
            assert 0x57 not in at.lock.asked[told:]


@in_virtual_time
async def test_a_lock_that_says_late_what_it_is_called_is_no_other_lock() -> None:
    """It is told of before its initialisation is finished, and after."""
    async with home(paired=False) as at:
        refuse(at.lock, 0x53)
        with pytest.raises(Unfinished):
            await pair(at)
        before = await identity_after_a_restart(at)
        at.lock.faults.refuses = frozenset()
        await identity_after_a_restart(at)
        assert_set_up(at)
        after = await identity_after_a_restart(at)
        assert before.product is None
        assert after.product
        assert not before.contradicts(after)


async def identity_after_a_restart(at: Home) -> Identity:
    """Return who a new life of the hub says that the lock is."""
    await at.restart()
    async with at.running():
        await at.listed()
    return at.told.of(LockSeen)[-1].identity


@in_virtual_time
async def test_a_lock_that_hangs_up_over_the_rest_is_worked_with() -> None:
    """After some attempts: its guests are worth more than the rest."""
    async with home(paired=False) as at:
        at.lock.faults.silent_on = frozenset({0x57})
        with pytest.raises(Unfinished):
            await pair(at)
        at.lock.faults.silent_on = frozenset()
        at.on_air.hangs_up_over = 0x57
        await at.restart()
        async with at.running():
            for _ in range(FINISH_ATTEMPTS):
                with suppress(LockUnreachable):
                    await at.listed()
            async with at.session() as session:
                await session.write(None, wanted("4711"), replaces=None)
        assert at.pins() == ["4711"]


@in_virtual_time
async def test_a_lock_that_refuses_the_rest_is_worked_with(caplog: pytest.LogCaptureFixture) -> None:
    """It is asked again after a restart only."""
    async with home(paired=False) as at:
        refuse(at.lock, 0x53)
        with pytest.raises(Unfinished):
            await pair(at)
        assert await at.listed() == {}
        assert await at.listed() == {}
        assert caplog.text.count("not set up to the end") == 1
        assert at.secret.half_set_up


def with_a_wrong_clock(lock: VirtualLock) -> None:
    """Make it a lock straight from the factory."""
    lock.clock_off = timedelta(hours=5)


def assert_set_up(at: Home) -> None:
    """Demand that the lock is ours, was told that this is all, and takes our code for its setup."""
    assert at.lock.admin == (at.secret.admin_ps, at.secret.unlock_key)
    assert at.lock.finished
    assert at.lock.admin_code
    assert at.secret.admin_passcode == at.lock.admin_code
    assert abs(at.lock.clock_off) < timedelta(seconds=2)


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
        at.lock.faults.silent_on = frozenset()
        await at.restart()
        async with at.running():
            await at.listed()
        assert_set_up(at)


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
