"""What was wrong on the way to a lock when the hub stopped: it stays wrong until something else is heard."""

import pytest

from drivers.simulated.models import READABLE
from gateway.domain.driver import AuthorityLost, AuthorityUp, LockAlive, LockDead, LockSeen, LockUnreachable
from gateway.domain.lock import Link
from gateway.engine.observations import absorb_event
from tests.engine.bench import Bench
from tests.engine.build import CAN, DOOR, HOUR, IDENTITY, MINUTE, NOON, device
from tests.engine.conftest import Hang
from tests.engine.test_announce import statuses
from tests.engine.working import working

PIN = "471134"
UP, LOST = AuthorityUp(device_ids=(DOOR,)), AuthorityLost(device_ids=(DOOR,))
DEAD = LockDead(device_id=DOOR)


async def down(hang: Hang, event: LockDead | AuthorityLost) -> Bench:
    """Return a hub with a code set, whose lock or server went away and was told so, and that starts anew."""
    bench = await hang(READABLE)
    await bench.create(PIN)
    await bench.settle(HOUR)
    await bench.tell(event)
    bench.driver.closed = LockUnreachable("the lock does not answer")
    await bench.settle(HOUR)
    assert "device.disconnected" in bench.events()
    bench.boot()
    await bench.engine.start()
    await bench.settle(10 * MINUTE if event == LOST else MINUTE)
    return bench


async def test_a_lock_that_is_dead_still_is_not_told_as_connected(hang: Hang) -> None:
    """Nor as lost once more, whatever order its driver tells things in."""
    bench = await down(hang, DEAD)
    await bench.tell(UP)
    await bench.tell(LockSeen(device_id=DOOR, identity=IDENTITY, capabilities=CAN, heard=False))
    await bench.tell(DEAD)
    await bench.settle(HOUR)
    assert bench.events() == []
    assert bench.issues() >= {"device_disconnected"}
    assert bench.snap().device.returns == 0


@pytest.mark.parametrize("by", ["seen", "alive"])
async def test_a_lock_that_came_back_while_the_hub_was_off_is_told_once(hang: Hang, by: str) -> None:
    """As soon as it is heard."""
    bench = await down(hang, DEAD)
    bench.driver.closed = None
    await bench.tell(UP)
    assert bench.events() == []
    await bench.tell(bench.seen() if by == "seen" else LockAlive(device_id=DOOR))
    await bench.settle(HOUR)
    assert bench.events() == ["device.connected"]


async def test_a_server_that_is_away_still_is_news_of_nothing(hang: Hang) -> None:
    """The code was unknown, and is."""
    bench = await down(hang, LOST)
    assert bench.events() == []
    assert statuses(bench)[-1] == ("set", "unknown")


async def test_a_server_that_came_back_while_the_hub_was_off_is_told_once(hang: Hang) -> None:
    """With what its return says of the codes."""
    bench = await down(hang, LOST)
    bench.driver.closed = None
    await bench.tell(UP)
    await bench.tell(bench.seen())
    await bench.settle(HOUR)
    assert sorted(bench.events()) == ["access_code.changed", "device.connected"]
    assert statuses(bench)[-1] == ("unknown", "set")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Link.UNREACHABLE, Link.UNREACHABLE),
        (Link.UNKNOWN, Link.ONLINE),
        (Link.ONLINE, Link.ONLINE),
    ],
)
def test_what_is_known_of_a_lock_without_hearing_it_ends_no_silence(before: Link, after: Link) -> None:
    """One that nobody called lost counts as there until an operation shows otherwise."""
    work = working(device(link=before, link_since=NOON - HOUR, silent_since=NOON - HOUR, unseen_since=NOON))
    absorb_event(work, LockSeen(device_id=DOOR, identity=IDENTITY, capabilities=CAN, heard=False))
    assert (work.device.link, work.device.unseen_since) == (after, None)
    assert (work.device.silent_since is None) == (before is not Link.UNREACHABLE)
