"""A PIN that was refused in a way that passes: no start of the hub sends it anew, which locks out too."""

from contextlib import suppress
from datetime import timedelta
from typing import Final
from unittest.mock import patch

import pytest

from drivers.ble.nuki.commands import Command, Registration
from drivers.ble.nuki.frames import plain
from drivers.ble.nuki.keys import NukiKeys, decode, encode
from drivers.ble.nuki.standing import LOCKED_OUT_S
from gateway.domain.driver import DriverError, Refused
from tests.ble_bed.virtual import LONG_S
from tests.nuki.house import House, paired
from tests.nuki.test_lockout import try_everything

DOUBT: Final = plain(Command.ERROR_REPORT, bytes([0x21, 0, 0]))


async def doubted(home: House) -> None:
    """Have somebody say, without proof, that the PIN is wrong."""
    with patch.object(home.brain, "command", lambda _: iter((DOUBT,))), pytest.raises(DriverError):
        async with home.session() as session:
            await session.read_all()


async def tries_pin(home: House) -> bool:
    """Say whether the PIN is sent right after a start of the hub."""
    home.restart()
    home.brain.heard.clear()
    with suppress(Refused):
        async with home.session() as session:
            await session.read_all()
    return Command.REQUEST_CODES in home.brain.heard


def is_held(home: House) -> bool:
    """Say whether the PIN is held back."""
    assert home.known is not None
    return "PIN" in (home.known.trouble() or "")


async def test_a_hub_that_starts_again_and_again_does_not_send_a_doubted_pin_each_time() -> None:
    """Were it the lock after all, the third start would lock everybody out. A person can ask."""
    async with paired() as home:
        await doubted(home)
        for _ in range(4):
            assert not await tries_pin(home)
            await home.clock.sleep(LONG_S)
        assert home.known is not None
        home.known.ask_again()
        await home.known.save()
        assert await tries_pin(home)
        home.restart()
        assert not is_held(home)


async def test_a_hub_that_starts_again_and_again_does_not_send_a_pin_to_a_lock_shut_by_others() -> None:
    """Nobody knows whether that makes it sulk longer."""
    async with paired() as home:
        home.brain.wrong_pins = 3
        await try_everything(home)
        for _ in range(3):
            assert not await tries_pin(home)
            await home.clock.sleep(LOCKED_OUT_S / 3)
        assert await tries_pin(home)


@pytest.mark.parametrize("far", [timedelta(days=-4000), timedelta(days=4000)])
async def test_a_clock_that_is_not_to_be_believed_shortens_nothing(far: timedelta) -> None:
    """Without a battery of its own it shows anything until the network sets it: an hour from then."""
    async with paired() as home:
        home.brain.wrong_pins = 3
        await try_everything(home)
        home.clock.off, home.clock.synced = far, False
        assert not await tries_pin(home)
        await home.clock.sleep(LOCKED_OUT_S - 1)
        assert is_held(home)
        await home.clock.sleep(1)
        assert not is_held(home)


async def test_a_clock_that_was_set_back_holds_it_for_an_hour_at_most() -> None:
    """Of running time; however far back."""
    async with paired() as home:
        home.brain.wrong_pins = 3
        await try_everything(home)
        home.clock.off = timedelta(days=-4000)
        assert not await tries_pin(home)
        await home.clock.sleep(LOCKED_OUT_S)
        assert not is_held(home)


async def test_a_doubted_pin_that_cannot_be_stored_is_held_back_all_the_same() -> None:
    """Until a restart; the next change stores it."""
    async with paired() as home:
        home.vault.is_full = True
        await doubted(home)
        assert is_held(home)


def test_keys_of_an_older_version_are_understood() -> None:
    """They have no word about a PIN that is held back."""
    keys = NukiKeys(
        address="", shared_key=bytes(32), authorisation=7, registration=Registration.APP, pin=2468
    )
    assert b"pin_held" not in encode(keys)
    assert decode(encode(keys)) == keys


async def test_a_pin_that_is_given_again_is_tried_at_once() -> None:
    """Whoever gives it is there, and may know better."""
    async with paired() as home:
        await doubted(home)
        await home.pair_without_button("2468", keep_keys="yes")
        assert not is_held(home)
        assert await tries_pin(home)
