"""Sessions: one connection each, one at a time, and how they end."""

import asyncio

import pytest

from drivers.ble import link
from drivers.ble.settings import BleSettings
from gateway.domain.credential import Credential, Known
from gateway.domain.driver import (
    AuthorityDown,
    CodeUsed,
    LockAsleep,
    LockUnreachable,
    NoAnswer,
    NotSent,
    Refused,
)
from gateway.domain.lock import Reach
from gateway.domain.pin import Pin
from tests.ble.running import DOORS, running
from tests.ble.tiny import TinyLock, configured
from tests.ble_bed.virtual import in_virtual_time

CODE = Credential(pin=Pin("4711"))


@in_virtual_time
async def test_all_operations_of_a_session_share_one_connection() -> None:
    """The log is read in it too."""
    async with running() as run:
        assert run.connects("front") == 0
        run.doors["front"].log.append("3")
        async with run.driver.session("front") as session:
            await session.write("1", CODE, replaces=None)
            assert await session.read("1") == Known(CODE)
            await session.clear("1", holds=CODE)
        await asyncio.sleep(60)
        assert run.connects("front") == 1
        health = run.driver.health["front"]
        assert (health.connections_tried, health.connections_succeeded) == (1, 1)
        assert run.doors["front"].asked == ["write", "read", "clear", "who", "log", "log"]
        assert [used.slot for used in run.sink.taken(CodeUsed)] == ["3"]


@in_virtual_time
async def test_a_connection_waits_a_little_for_the_next_session() -> None:
    """After the idle time it is closed, and the next session connects anew."""
    async with running() as run:
        for _ in range(3):
            async with run.driver.session("front") as session:
                await session.read("1")
            await asyncio.sleep(3)
        assert run.connects("front") == 1
        await asyncio.sleep(6)
        assert not run.air.open_now
        async with run.driver.session("front") as session:
            await session.read("1")
        assert run.connects("front") == 2


@in_virtual_time
async def test_who_waits_ends_the_waiting_of_another_locks_connection() -> None:
    """A connection without work does not keep others from theirs."""
    async with running(("front", "back")) as run:
        async with run.driver.session("front") as session:
            await session.read("1")
        began = run.clock.boot()
        async with run.driver.session("back") as session:
            await session.read("1")
        assert run.clock.boot() - began < 2
        assert run.air.most_open == 1


@in_virtual_time
async def test_connections_come_in_the_order_of_asking_and_one_at_a_time() -> None:
    """Nobody overtakes."""
    async with running(("front", "back", "side")) as run:
        order: list[str] = []

        async def work(name: str) -> None:
            async with run.driver.session(name) as session:
                order.append(name)
                await session.read("1")
                await asyncio.sleep(3)

        async with asyncio.TaskGroup() as tasks:
            for name in ("side", "front", "back", "side", "front"):
                tasks.create_task(work(name))
                await asyncio.sleep(0.1)
        assert order[:3] == ["side", "front", "back"]
        assert sorted(order[3:]) == ["front", "side"]
        assert run.air.most_open == 1


@in_virtual_time
async def test_a_link_lost_during_a_write_may_have_applied_it() -> None:
    """The next session has a connection of its own."""
    async with running() as run:
        async with run.driver.session("front") as session:
            run.doors["front"].peripheral.lose_after = 0
            with pytest.raises(LockUnreachable) as caught:
                await session.write("1", CODE, replaces=None)
        assert caught.value.may_have_been_applied
        assert "4711" not in str(caught.value)
        async with run.driver.session("front") as session:
            await session.write("1", CODE, replaces=None)
        assert run.connects("front") == 2


@in_virtual_time
async def test_a_link_lost_while_idle_is_noticed_before_the_next_session() -> None:
    """The next session does not begin with an error."""
    async with running() as run:
        async with run.driver.session("front") as session:
            await session.read("1")
        await run.doors["front"].peripheral.drop()
        await asyncio.sleep(0.5)
        async with run.driver.session("front") as session:
            await session.read("1")
        assert run.connects("front") == 2


@in_virtual_time
async def test_an_answer_that_does_not_come_ends_the_operation_and_the_connection() -> None:
    """A late answer is never taken for that to another question."""
    async with running(settings=BleSettings(operation_timeout_s=10)) as run:
        async with run.driver.session("front") as session:
            run.doors["front"].peripheral.weather.swallowed = 1
            began = run.clock.boot()
            with pytest.raises(NoAnswer, match="10 s"):
                await session.write("1", CODE, replaces=None)
            assert run.clock.boot() - began == pytest.approx(10, abs=0.5)
            with pytest.raises(NotSent) as broken:
                await session.write("2", CODE, replaces=None)
            assert not broken.value.may_have_been_applied
            assert run.doors["front"].asked == ["write"]
        async with run.driver.session("front") as session:
            assert await session.read("1") == Known(CODE)
        assert run.connects("front") == 2


@in_virtual_time
async def test_a_long_list_has_more_time_than_one_operation() -> None:
    """Two hundred codes in small packets on bad air take longer, at every attempt."""
    async with running(settings=BleSettings(operation_timeout_s=10)) as run:
        async with run.driver.session("front") as session:
            run.doors["front"].peripheral.weather.delay_s = 9
            assert len(await session.read_all()) == 4
        assert run.connects("front") == 1


@in_virtual_time
async def test_a_lock_that_stops_in_the_middle_of_a_list_is_given_up() -> None:
    """Some time it must end, for the sake of all other locks."""
    async with running() as run, run.driver.session("front") as session:
        run.doors["front"].peripheral.weather.swallowed = 1
        with pytest.raises(NoAnswer, match="300 s"):
            await session.read_all()


@in_virtual_time
async def test_a_refusal_leaves_the_connection_as_it_is() -> None:
    """The next operation uses it."""
    async with running() as run:
        async with run.driver.session("front") as session:
            await session.write("1", CODE, replaces=None)
            with pytest.raises(Refused):
                await session.write("2", CODE, replaces=None)
            await session.read("1")
        assert run.connects("front") == 1


@in_virtual_time
async def test_a_session_does_not_outlive_its_block() -> None:
    """Whoever keeps it gets an error."""
    async with running() as run:
        async with run.driver.session("front") as session:
            pass
        with pytest.raises(LockUnreachable, match="over"):
            await session.read("1")


@in_virtual_time
async def test_a_lock_that_would_refuse_everything_is_not_connected_to() -> None:
    """Neither for the engine nor because it says that something changed; afterwards all is as before."""
    async with running() as run:
        family = run.driver._locks["front"].family
        assert isinstance(family, TinyLock)
        family.refuses = "it is known to refuse"
        await run.doors["front"].open_with("3")
        with pytest.raises(Refused, match="known to refuse"):
            async with run.driver.session("front"):
                pass
        await asyncio.sleep(3600)
        assert run.connects("front") == 0
        family.refuses = None
        async with run.driver.session("front") as session:
            await session.read("1")
        await asyncio.sleep(60)
        assert [used.slot for used in run.sink.taken(CodeUsed)] == ["3"]


@in_virtual_time
async def test_a_lock_that_is_not_heard_is_not_connected_to() -> None:
    """It is waited for a little, without keeping others waiting."""
    async with running(("front", "back"), heard=False) as run:
        await run.doors["back"].advertise()
        waiting = asyncio.create_task(run.driver.session("front").__aenter__())
        await asyncio.sleep(1)
        async with run.driver.session("back") as session:
            await session.read("1")
        with pytest.raises(LockUnreachable, match="not heard"):
            await waiting
        assert run.driver.health["front"].connections_tried == 0


@in_virtual_time
async def test_a_lock_that_takes_no_connection_is_given_up_after_a_while() -> None:
    """Deadlines hold; the figures tell of it."""
    async with running(settings=BleSettings(connect_timeout_s=20)) as run:
        await run.doors["front"].peripheral.hide()
        began = run.clock.boot()
        with pytest.raises(LockUnreachable):
            async with run.driver.session("front"):
                pass
        assert run.clock.boot() - began <= 21
        health = run.driver.health["front"]
        assert (health.connections_tried, health.connections_succeeded) == (1, 0)
        assert health.rssi is not None


@in_virtual_time
async def test_a_lock_that_sleeps_is_left_alone_until_it_is_heard() -> None:
    """LockAsleep says that nothing was sent; a touch makes it answer."""
    locks = {"front": configured("front", reach=Reach.ON_TOUCH)}
    async with running(locks=locks, heard=False) as run:
        with pytest.raises(LockAsleep):
            async with run.driver.session("front"):
                pass
        await run.doors["front"].advertise()
        await asyncio.sleep(1)
        async with run.driver.session("front") as session:
            await session.read("1")
        await run.doors["front"].peripheral.hide()
        await asyncio.sleep(30)
        with pytest.raises(LockAsleep):
            async with run.driver.session("front"):
                pass
        assert run.connects("front") == 1


@in_virtual_time
async def test_who_gives_up_while_queueing_leaves_the_queue() -> None:
    """The connection of another lock is not disturbed, and later ones come to theirs."""
    async with running(("front", "back")) as run, run.driver.session("front") as session:
        waiting = asyncio.create_task(run.driver.session("back").__aenter__())
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.sleep(1)
        await session.read("1")
        assert waiting.cancelled()
        assert run.connects("back") == 0


@in_virtual_time
async def test_without_an_adapter_nothing_is_sent() -> None:
    """Sessions fail at once."""
    async with running(plugged=False) as run:
        with pytest.raises(AuthorityDown):
            async with run.driver.session("front"):
                pass


@in_virtual_time
async def test_a_lock_nobody_configured_is_no_lock() -> None:
    """Neither session nor pairing."""
    async with running() as run:
        with pytest.raises(LockUnreachable):
            async with run.driver.session("cellar"):
                pass


@in_virtual_time
async def test_no_connection_outlives_the_driver() -> None:
    """Neither one that waits for work nor one that is worked with."""
    async with running(("front", "back")) as run, run.driver.session("front") as session:
        await session.read("1")
    assert not run.air.open_now
    async with running() as run:
        await run.driver.session("front").__aenter__()
    assert not run.air.open_now


@in_virtual_time
async def test_a_session_right_behind_another_has_a_connection_of_its_own_where_none_stays() -> None:
    """It does not slip into the one that is about to end."""
    async with running(settings=BleSettings(idle_s=0)) as run:
        async with run.driver.session("front") as session:
            await session.read("1")
        async with run.driver.session("front") as session:
            for _ in range(3):
                await asyncio.sleep(1)
                await session.read("1")
        assert run.connects("front") == 2


@in_virtual_time
async def test_who_has_session_after_session_lets_others_in_between() -> None:
    """A connection that another lock waits for is not used once more."""
    async with running(("front", "back")) as run:

        async def work_on_and_on() -> None:
            while True:
                async with run.driver.session("front") as session:
                    await asyncio.sleep(0.5)
                    await session.read("1")

        busy = asyncio.create_task(work_on_and_on())
        await asyncio.sleep(1)
        async with asyncio.timeout(10), run.driver.session("back") as session:
            await session.read("1")
        busy.cancel()
        await asyncio.wait({busy})


@in_virtual_time
async def test_connections_of_a_hub_that_was_killed_are_ended_before_anything_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """BlueZ keeps them, and such a lock is not heard. That BlueZ ends them is shown by `make test-hub`."""
    ended: list[str] = []

    async def end(address: str) -> None:
        ended.append(address)
        raise EOFError

    monkeypatch.setattr(link, "close_stale_connections_by_address", end)
    async with running(("front", "back")) as run:
        assert ended == [DOORS["front"], DOORS["back"]]
        async with run.driver.session("front") as session:
            assert await session.read("1") is not None
