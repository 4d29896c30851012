"""A lock that is examined while its interview left a hole, or while it gives no answer."""

import asyncio

import pytest

from drivers.zwave import network
from gateway.domain.driver import DriverError, LockUnreachable, NoAnswer, Refused
from gateway.domain.placement import Refusal
from tests.zwave.hand_network import Air, examined, node_data, says, says_ready, until


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pause be none."""
    monkeypatch.setattr(network, "EXAMINE_AGAIN_S", 0.001)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("lost", [None, NoAnswer("no answer"), LockUnreachable("no acknowledgement")])
async def test_a_lost_answer_is_asked_for_again(lost: DriverError | None) -> None:
    """However often; the lock is managed as soon as it answers."""
    air = Air(lost, lost, 30)
    async with examined(air) as (lock, _):
        await until(lambda: lock.capabilities is not None)
    assert (lock.able().max_codes, lock.problem, air.asked) == (30, None, 3)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("answer", [0, Refused(Refusal.OTHER, "the lock does not offer this")])
async def test_an_answer_is_an_answer(answer: int | DriverError) -> None:
    """A lock that says what does not help is not asked again and again."""
    air = Air(answer)
    async with examined(air) as (lock, _):
        await asyncio.sleep(0.05)
        assert lock.capabilities is None
    assert air.asked == 1


async def test_an_answer_that_nobody_foresaw_ends_no_connection(caplog: pytest.LogCaptureFixture) -> None:
    """All other locks hang on it, and the same answer would come after each new one."""
    air = Air({"secret": 4711}, 30)
    async with examined(air) as (lock, nodes):
        await until(lambda: lock.problem == "a mistake of pinsmith: TypeError")
        says_ready(nodes, node_data())
        await until(lambda: lock.capabilities is not None)
    assert "door is not managed: a mistake of pinsmith: TypeError" in caplog.text
    assert "4711" not in caplog.text


async def test_the_pauses_grow_and_a_sign_of_life_ends_them() -> None:
    """What gives no answer costs its battery; the news of a lock end the pause."""
    air = Air(None, None, 30)
    async with examined(air) as (lock, nodes):
        says_ready(nodes, node_data())
        await until(lambda: air.asked == 2)
        says(nodes, "node info received")
        await until(lambda: lock.capabilities is not None)
    assert [network.pause_before(tries) for tries in (1, 2, 3, 20)] == [60, 120, 240, 1800]


@pytest.mark.usefixtures("soon")
async def test_a_dead_lock_is_left_in_peace() -> None:
    """It is examined when it comes back."""
    air = Air(NoAnswer("no answer"))
    async with examined(air) as (lock, nodes):
        says(nodes, "dead")
        await asyncio.sleep(0.05)
        asked = air.asked
        await asyncio.sleep(0.05)
        assert (air.asked, lock.capabilities) == (asked, None)
        air.answers = [30]
        says(nodes, "alive")
        await until(lambda: lock.capabilities is not None)
