"""What a Nuki refuses that no code needs: log, clock, configuration. That alone is not asked again."""

from datetime import timedelta

import pytest

from drivers.ble.nuki.standing import NOT_NOW_S
from gateway.domain.driver import Refused
from tests.ble_bed.virtual import LONG_S
from tests.nuki.house import House, paired
from tests.nuki.test_barred import LIST, WORDS, trouble
from tests.nuki.test_session import GUEST

CONFIG, CLOCK, LOG = 0x0014, 0x0021, 0x0031


async def look_beside(home: House) -> None:
    """Read the log and describe the lock, whose clock is wrong and whose configuration changed."""
    home.brain.config_count += 1
    home.brain.faults.clock_off = timedelta(hours=5)
    async with home.session() as session:
        try:
            await session.read_log(home.take)
            await session.describe()
        except Refused:
            pass


@pytest.mark.parametrize("command", [CONFIG, CLOCK, LOG])
@pytest.mark.parametrize("code", sorted(WORDS))
async def test_what_is_refused_beside_the_codes_holds_up_no_code(code: int, command: int) -> None:
    """Removals least of all. It is asked once more when a person asks for it, or when its hour is over."""
    async with paired() as home:
        home.brain.faults.refuses = {command: code}
        for _ in range(3):
            await look_beside(home)
        assert home.brain.heard.count(command) == 1
        async with home.session() as session:
            added = await session.write(None, GUEST, replaces=None)
            await session.clear(added.slot, holds=GUEST)
            assert await session.read_all() == {}
        assert WORDS[code] in trouble(home)
        assert home.known is not None
        assert home.known.refusal() is None
        if code == 0x27:
            await home.clock.sleep(NOT_NOW_S)
        else:
            await home.clock.sleep(LONG_S)
            await look_beside(home)
            assert home.brain.heard.count(command) == 1
            home.known.ask_again()
        await look_beside(home)
        await look_beside(home)
        assert home.brain.heard.count(command) == 2
        home.brain.faults.refuses = {}
        home.known.ask_again()
        await look_beside(home)
        assert trouble(home) == ""


async def test_after_a_refused_list_the_same_connection_asks_nothing_more() -> None:
    """Not what the lock is, either."""
    async with paired() as home:
        home.brain.config_count += 1
        home.brain.faults.refuses = {LIST: 0x25}
        async with home.session() as session:
            with pytest.raises(Refused):
                await session.read_all()
            heard = list(home.brain.heard)
            with pytest.raises(Refused, match=WORDS[0x25]):
                await session.describe()
        assert home.brain.heard == heard


async def test_a_lock_that_does_not_tell_what_it_is_is_not_connected_to_for_that() -> None:
    """Nothing can be done with it before that: each connection would be in vain."""
    async with paired() as home:
        home.known_without_config()
        home.brain.faults.refuses = {CONFIG: 0x25}
        await look_beside(home)
        assert home.known is not None
        assert WORDS[0x25] in (home.known.refusal() or "")
