"""Making the hub known to a lock."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from drivers.ble.family import Unfinished
from drivers.ble.nuki.commands import Command, Registration
from drivers.ble.nuki.frames import plain
from drivers.ble.nuki.keys import decode
from drivers.ble.nuki.settings import NukiLockSettings
from drivers.ble.nuki.standing import LOCKED_OUT_S
from gateway.domain.driver import AccessDenied, PairingFailed, Refused
from tests.nuki.house import ADDRESS, NOON, house


async def test_a_lock_in_pairing_mode_is_found_and_paired() -> None:
    """Its keys, its PIN and what it can do are kept; no connection is needed to know it."""
    async with house() as home:
        await home.pair()
        keys = decode(home.vault.secrets["door"])
        assert keys is not None
        assert (keys.address, keys.registration, keys.pin) == (ADDRESS, Registration.BRIDGE, 2468)
        assert home.brain.memory.users[keys.authorisation].key == keys.shared_key
        assert home.known is not None
        seen = home.known.known()
        assert seen is not None
        assert seen.identity.serial == "1A2B3C4D"
        assert seen.capabilities.keypad is True
        assert seen.capabilities.lock_chooses_slot
        assert any("button" in words for words in home.said)


@pytest.mark.parametrize("kind", ["bridge", "app"])
async def test_the_hub_is_registered_as_configured(kind: str) -> None:
    """As a bridge or as an app."""
    async with house(settings=NukiLockSettings(register_as=kind)) as home:  # type: ignore[arg-type]
        await home.pair()
        (user,) = home.brain.memory.users.values()
        assert user.is_bridge is (kind == "bridge")
        assert user.name.rstrip(b"\0") == b"Pinsmith"


async def test_a_lock_of_the_fifth_generation_is_paired_with_its_pin() -> None:
    """It wants its six digits before it tells anything, and knows the hub as an app."""
    async with house(pin=135790, fifth_generation=True) as home:
        await home.pair("135790")
        keys = decode(home.vault.secrets["door"])
        assert keys is not None
        assert (keys.long_pin, keys.registration) == (True, Registration.APP)
        async with home.session() as session:
            assert await session.read_all() == {}


async def test_what_happens_at_the_door_right_after_pairing_is_told() -> None:
    """The log counts from the moment of pairing, not from its first reading some time later."""
    async with house() as home:
        home.brain.type_code(777777)
        await home.pair()
        home.brain.type_code(777777)
        assert await home.read_log() == [AccessDenied(device_id="door", reason="unknown_code", at=NOON)]


@pytest.mark.parametrize("is_other", [False, True])
async def test_what_happened_while_the_lock_did_not_know_the_hub_is_told(*, is_other: bool) -> None:
    """Of the same lock, whose codes are the hub's: somebody had deleted it in the app. Not of another."""
    async with house() as home:
        await home.pair()
        home.brain.memory.users.clear()
        home.brain.type_code(777777)
        if is_other:
            home.brain.nuki_id += 1
        await home.pair()
        denied = [AccessDenied(device_id="door", reason="unknown_code", at=NOON)]
        assert await home.read_log() == ([] if is_other else denied)


async def test_a_log_that_cannot_be_read_is_in_no_pairings_way() -> None:
    """It is asked for again later."""
    async with house(settings=NukiLockSettings(answer_s=1.0)) as home:
        home.brain.faults.mute_on = 0x0031
        await home.pair()
        keys = decode(home.vault.secrets["door"])
        assert keys is not None
        assert keys.log_index is None


async def test_pairing_works_at_the_smallest_packets() -> None:
    """Every answer comes in pieces of 20 bytes."""
    async with house(mtu=23) as home:
        await home.pair()
        assert home.known is not None


async def test_a_lock_whose_button_was_not_held_is_not_found() -> None:
    """It does not advertise that it waits."""
    async with house() as home:
        home.patience_s = 0.5
        with pytest.raises(PairingFailed):
            await home.pair_without_button()
        assert home.air.connects == {}


async def test_a_wrong_security_pin_is_told_at_once_and_tried_once() -> None:
    """The message names no digits. The keys are good: only the right PIN is still wanted, and no button."""
    async with house() as home:
        with pytest.raises(PairingFailed, match="--keep-keys") as failed:
            await home.pair("1357")
        assert "1357" not in str(failed.value)
        async with home.session() as session:
            with pytest.raises(Refused, match="security PIN"):
                await session.read_all()
        assert home.brain.wrong_pins == 1
        before = dict(home.air.connects)
        await home.pair_without_button("2468", keep_keys="yes")
        assert home.air.connects == before
        async with home.session() as session:
            assert await session.read_all() == {}
        assert len(home.brain.memory.users) == 1


async def test_a_wrong_pin_ends_the_pairing_of_a_fifth_generation_lock() -> None:
    """It is asked for in the exchange itself."""
    async with house(pin=135790, fifth_generation=True) as home:
        with pytest.raises(PairingFailed, match="security PIN"):
            await home.pair("135791")
        assert home.vault.secrets == {}


@pytest.mark.parametrize("pin", ["", "123", "12345"])
async def test_a_pin_of_the_wrong_form_needs_no_radio(pin: str) -> None:
    """Four digits or six."""
    async with house() as home:
        with pytest.raises(PairingFailed, match="digits"):
            await home.pair(pin)
        assert home.air.connects == {}


@pytest.mark.parametrize("writes", range(5))
async def test_a_link_lost_while_pairing_fails_in_plain_words(writes: int) -> None:
    """Wherever it breaks before both sides have agreed; the next attempt succeeds."""
    async with house() as home:
        home.lock.peripheral.lose_after = writes
        with pytest.raises(PairingFailed):
            await home.pair()
        assert home.vault.secrets == {}
        await home.pair()
        assert home.known is not None


@pytest.mark.parametrize("writes", range(5, 9))
async def test_a_link_lost_after_both_have_agreed_leaves_the_keys(writes: int) -> None:
    """The lock knows them by now: the hub works with it, and nobody has to hold the button again."""
    async with house() as home:
        home.lock.peripheral.lose_after = writes
        with pytest.raises(Unfinished, match="keys are kept"):
            await home.pair()
        assert home.known is not None
        async with home.session() as session:
            assert (await session.describe()).identity.serial == "1A2B3C4D"
            assert await session.read_all() == {}
        assert len(home.brain.memory.users) == 1


async def test_a_lock_that_takes_no_pin_for_a_while_keeps_the_hub_it_was_paired_with() -> None:
    """Somebody else has tried wrong ones; ours is tried when that is over."""
    async with house() as home:
        home.brain.wrong_pins = 3
        with pytest.raises(Unfinished, match="too often"):
            await home.pair()
        home.brain.wrong_pins = 0
        await home.clock.sleep(LOCKED_OUT_S)
        async with home.session() as session:
            assert await session.read_all() == {}


@pytest.mark.parametrize(
    ("code", "then"), [(0x25, "locks sync"), (0x20, "locks sync"), (0x45, "goes on trying by itself")]
)
async def test_a_lock_that_refuses_the_first_look_says_who_has_to_do_what(code: int, then: str) -> None:
    """What only a person can put right is not tried on by the hub."""
    async with house() as home:
        home.brain.faults.refuses = {Command.VERIFY_PIN: code}
        with pytest.raises(Unfinished, match="keys are kept") as unfinished:
            await home.pair()
        said = str(unfinished.value)
        assert then in said
        assert ("by itself" in said) is (code == 0x45)


async def test_a_pin_refused_without_proof_while_pairing_is_not_sent_again() -> None:
    """Were it the lock, each attempt would count against us. Whoever pairs is there to give it again."""
    forged = plain(Command.ERROR_REPORT, bytes([0x21, 0, 0]))
    async with house() as home:
        answer = home.brain.command

        def refuse(frame: bytes) -> Iterator[bytes]:
            answers = list(answer(frame))
            return iter((forged,) if home.brain.heard[-1] == Command.VERIFY_PIN else answers)

        with patch.object(home.brain, "command", refuse), pytest.raises(Unfinished, match="--keep-keys"):
            await home.pair()
        home.brain.heard.clear()
        async with home.session() as session:
            with pytest.raises(Refused, match="security PIN"):
                await session.read_all()
        assert Command.REQUEST_CODES not in home.brain.heard
        await home.pair_without_button("2468", keep_keys="yes")
        async with home.session() as session:
            assert await session.read_all() == {}


async def test_a_lock_that_falls_silent_while_pairing_is_given_up() -> None:
    """After the time for an answer."""
    async with house(settings=NukiLockSettings(answer_s=1.0)) as home:
        home.lock.peripheral.weather.swallowed = 1
        with pytest.raises(PairingFailed, match="in time"):
            await home.pair()


async def test_a_changed_security_pin_needs_no_new_pairing() -> None:
    """Only the PIN is replaced; the lock is not even spoken to."""
    async with house() as home:
        await home.pair()
        home.brain.pin = 9753
        before = dict(home.air.connects)
        await home.pair_without_button("9753", keep_keys="yes")
        assert home.air.connects == before
        async with home.session() as session:
            assert await session.read_all() == {}
