"""A wrong security PIN is tried once, or the lock shuts everybody out."""

from collections.abc import Callable, Coroutine
from unittest.mock import patch

import pytest

from drivers.ble.nuki.commands import Command
from drivers.ble.nuki.frames import plain
from drivers.ble.nuki.session import NukiSession
from drivers.ble.nuki.standing import LOCKED_OUT_S
from gateway.domain.credential import Credential
from gateway.domain.driver import DriverError, PairingFailed, Refused
from gateway.domain.pin import Pin
from tests.ble_bed.virtual import LONG_S
from tests.nuki.house import House, house, paired


async def try_everything(home: House) -> list[str]:
    """Do all that needs the security PIN, each in a session of its own; return why it was refused."""
    code = Credential(pin=Pin("345678"))
    attempts: list[Callable[[NukiSession], Coroutine[None, None, object]]] = [
        lambda session: session.read_all(),
        lambda session: session.write(None, code, replaces=None),
        lambda session: session.write("1001", code, replaces=None),
        lambda session: session.clear("1001", holds=None),
    ]
    refusals = []
    for attempt in attempts:
        async with home.session() as session:
            with pytest.raises(Refused) as refused:
                await attempt(session)
        refusals.append(str(refused.value))
    return refusals


async def test_a_refused_pin_is_never_sent_again() -> None:
    """Not by another command, not in another session, not after a restart, nor for a person who syncs."""
    async with paired() as home:
        home.brain.pin = 9753
        await try_everything(home)
        home.restart()
        assert home.known is not None
        home.known.ask_again()
        refusals = await try_everything(home)
        assert home.brain.wrong_pins == 1
        assert all("security PIN" in words for words in refusals)
        assert "security PIN" in (home.known.trouble() or "")


async def test_a_refused_pin_is_not_sent_again_when_the_disk_is_full() -> None:
    """What cannot be stored is known nevertheless, and is stored as soon as that works again."""
    async with paired() as home:
        home.brain.pin = 9753
        home.vault.is_full = True
        refusals = await try_everything(home)
        assert home.brain.wrong_pins == 1
        assert all("security PIN" in words for words in refusals)
        home.vault.is_full = False
        async with home.session() as session:
            await session.describe()
        home.restart()
        await try_everything(home)
        assert home.brain.wrong_pins == 1


async def test_a_log_that_cannot_be_read_is_left_alone() -> None:
    """A refusal is told once, where the log is what is asked for first; then there is nothing to tell."""
    async with paired() as home:
        home.brain.pin = 9753
        home.brain.type_code(111119)
        with pytest.raises(Refused, match="security PIN"):
            await home.read_log()
        assert await home.read_log() == []
        assert home.brain.wrong_pins == 1


async def test_what_needs_no_pin_still_works() -> None:
    """The lock is there, and tells its battery."""
    async with paired() as home:
        home.brain.pin = 9753
        await try_everything(home)
        async with home.session() as session:
            assert (await session.describe()).battery == 0.8


async def test_it_is_said_that_connecting_would_be_in_vain() -> None:
    """A connection costs the lock's battery. What the lock is must be known, though: that needs no PIN."""
    async with paired() as home:
        assert home.known is not None
        assert home.known.refusal() is None
        home.brain.pin = 9753
        await try_everything(home)
        assert "security PIN" in (home.known.refusal() or "")
        home.restart()
        assert "security PIN" in (home.known.refusal() or "")
    async with house() as home:
        with pytest.raises(PairingFailed):
            await home.pair("1357")
        assert home.known is not None
        assert home.known.refusal() is None
        async with home.session() as session:
            await session.describe()
        assert "security PIN" in (home.known.refusal() or "")


async def test_a_changed_pin_is_tried() -> None:
    """Once it was given anew."""
    async with paired() as home:
        home.brain.pin = 9753
        await try_everything(home)
        await home.pair_without_button("9753", keep_keys="yes")
        async with home.session() as session:
            assert await session.read_all() == {}


async def test_a_lock_shut_by_others_is_left_alone_for_an_hour() -> None:
    """Our PIN may be right: it is tried again afterwards."""
    async with paired() as home:
        home.brain.wrong_pins = 3
        home.brain.heard.clear()
        refusals = await try_everything(home)
        assert all("too often" in words for words in refusals)
        assert home.brain.heard.count(0x0043) == 1
        assert not {0x0041, 0x0046, 0x0047, 0x0031} & set(home.brain.heard)
        assert home.known is not None
        home.known.ask_again()
        await try_everything(home)
        assert home.brain.heard.count(0x0043) == 1
        home.brain.wrong_pins = 0
        await home.clock.sleep(LOCKED_OUT_S)
        async with home.session() as session:
            assert await session.read_all() == {}


@pytest.mark.parametrize("code", [0x20, 0x21])
async def test_a_refusal_that_anybody_may_have_sent_is_not_for_ever(code: int) -> None:
    """It was not sealed: maybe an imitation said it. A person who asks has it tried again."""
    forged = plain(Command.ERROR_REPORT, bytes([code, 0, 0]))
    async with paired() as home:
        assert home.known is not None
        secret = home.vault.secrets["door"]
        with patch.object(home.brain, "command", lambda _: iter((forged,))), pytest.raises(DriverError):
            async with home.session() as session:
                await session.read_all()
        assert (home.vault.secrets["door"] == secret) is (code == 0x20)
        assert "without proof" in (home.known.trouble() or "")
        home.brain.heard.clear()
        with pytest.raises(DriverError):
            async with home.session() as session:
                await session.read_all()
        assert Command.REQUEST_CODES not in home.brain.heard
        await home.clock.sleep(LONG_S)
        assert "locks sync" in (home.known.trouble() or "")
        home.known.ask_again()
        assert home.known.trouble() is None
        async with home.session() as session:
            assert await session.read_all() == {}
        await home.known.save()
        assert home.vault.secrets["door"] == secret


async def test_a_pin_refused_without_proof_is_held_back_at_once() -> None:
    """Were it the lock after all, each attempt would count against us."""
    forged = plain(Command.ERROR_REPORT, bytes([0x21, 0, 0]))
    async with paired() as home:
        async with home.session() as session:
            challenge = home.brain.command
            heard: list[bytes] = []

            def answer(frame: bytes) -> object:
                heard.append(frame)
                return challenge(frame) if len(heard) == 1 else iter((forged,))

            with patch.object(home.brain, "command", answer), pytest.raises(Refused):
                await session.read_all()
        assert len(heard) == 2
        assert len(set(await try_everything(home))) == 1
        assert Command.REQUEST_CODES not in home.brain.heard


async def test_a_clock_that_cannot_be_set_stops_nothing() -> None:
    """Without the PIN the clock stays wrong; the lock is described all the same."""
    async with paired() as home:
        home.brain.faults.clock_reset_to = home.clock.now().replace(year=2000)
        home.brain.pin = 9753
        async with home.session() as session:
            await session.describe()
        async with home.session() as session:
            await session.describe()
        assert home.brain.wrong_pins == 1
