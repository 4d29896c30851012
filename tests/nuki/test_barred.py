"""A lock that knows the hub and lets it do nothing: it is not asked on and on, and people are told why."""

from unittest.mock import patch

import pytest

from drivers.ble.nuki.commands import Command
from drivers.ble.nuki.frames import plain
from drivers.ble.nuki.standing import NOT_NOW_S
from gateway.domain.driver import Refused
from tests.ble_bed.virtual import LONG_S
from tests.nuki.house import House, paired
from tests.nuki.test_session import GUEST

STATES, LIST = 0x0001, 0x0043
WORDS = {
    0x11: "our proof of the key",
    0x24: "no such entry",
    0x25: "disabled in the Nuki app",
    0x26: "not allowed from afar",
    0x27: "limited in time",
}


async def refused(home: House) -> str:
    """List in a session of its own, which is refused; return why."""
    with pytest.raises(Refused) as refusal:
        async with home.session() as session:
            await session.read_all()
    return str(refusal.value)


def trouble(home: House) -> str:
    """Return what is told of the lock."""
    assert home.known is not None
    return home.known.trouble() or ""


@pytest.mark.parametrize("command", [STATES, LIST])
@pytest.mark.parametrize("code", sorted(WORDS))
async def test_a_lock_that_lets_us_do_nothing_is_left_alone(code: int, command: int) -> None:
    """Whether it says so at once or of the first thing that needs the PIN: until a person asks for it."""
    async with paired() as home:
        home.brain.faults.refuses = {command: code}
        assert trouble(home) == ""
        assert WORDS[code] in await refused(home)
        before = dict(home.air.connects)
        assert WORDS[code] in await refused(home)
        assert home.air.connects == before
        assert WORDS[code] in trouble(home)
        assert home.known is not None
        assert WORDS[code] in (home.known.refusal() or "")
        if code == 0x27:
            await home.clock.sleep(NOT_NOW_S)
        else:
            await home.clock.sleep(LONG_S)
            assert WORDS[code] in await refused(home)
            assert home.air.connects == before
            assert "not tried again by itself" in trouble(home)
            assert "if that stays so" not in trouble(home)
            home.known.ask_again()
        assert trouble(home) == ""
        assert WORDS[code] in await refused(home)
        assert WORDS[code] in trouble(home)


async def test_a_refusal_without_proof_stands_until_a_person_asks() -> None:
    """Somebody else may have sent it. It is not repeated either."""
    forged = plain(Command.ERROR_REPORT, bytes([0x25, 0, 0]))
    async with paired() as home:
        with patch.object(home.brain, "command", lambda _: iter((forged,))):
            assert WORDS[0x25] in await refused(home)
        await home.clock.sleep(LONG_S)
        assert WORDS[0x25] in trouble(home)
        assert home.known is not None
        home.known.ask_again()
        assert trouble(home) == ""
        async with home.session() as session:
            assert await session.read_all() == {}


@pytest.mark.parametrize(("code", "words"), [(0x26, "afar"), (0x20, "does not know this hub")])
async def test_nothing_more_is_sent_in_the_same_connection(code: int, words: str) -> None:
    """A batch of codes is not a batch of refusals."""
    async with paired() as home:
        home.brain.faults.refuses = {0x0041: code}
        async with home.session() as session:
            for _ in range(4):
                with pytest.raises(Refused, match=words):
                    await session.write(None, GUEST, replaces=None)
            assert await session.read_log(home.take)
        assert home.brain.heard.count(0x0041) == 1
        assert 0x0031 not in home.brain.heard


@pytest.mark.parametrize("answer", [0x23, 0x24])
async def test_a_code_that_is_gone_says_nothing_of_the_hub(answer: int) -> None:
    """The same number then means the code."""
    async with paired() as home:
        home.brain.faults.unknown_id = answer
        async with home.session() as session:
            for _ in range(4):
                await session.clear("1001", holds=GUEST)
                with pytest.raises(Refused, match="no such code any more"):
                    await session.write("1001", GUEST, replaces=None)
        assert trouble(home) == ""


async def test_a_lock_that_is_busy_at_the_first_question_says_so() -> None:
    """It was reached: "it does not answer" would send people to its batteries."""
    async with paired() as home:
        home.brain.faults.refuses = {STATES: 0x45}
        assert "busy" in await refused(home)
        home.brain.faults.refuses = {}
        async with home.session() as session:
            assert await session.read_all() == {}
