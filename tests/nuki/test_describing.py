"""What a lock tells of itself, and what its advertisement says."""

from datetime import UTC, datetime, timedelta

import pytest

from drivers.ble.family import Advert, Hearing
from drivers.ble.nuki.commands import Registration
from gateway.domain.driver import CodeUsed
from gateway.domain.lock import NativeWindows
from tests.ble_bed.nuki.memory import Code
from tests.nuki.house import NOON, Ear, HandClock, House, paired


async def described(home: House) -> float | None:
    """Describe the lock in a session of its own; return its battery."""
    async with home.session() as session:
        return (await session.describe()).battery


async def heard(home: House) -> Hearing:
    """Return what the next advertisement says."""
    await home.lock.advertise()
    ear = Ear()
    _, advert = await ear.find(lambda advert: bool(advert.manufacturer), 20.0)
    assert home.known is not None
    return home.known.hears(advert)


async def test_what_the_planner_must_know() -> None:
    """The hub keeps windows; the lock's limits are a fence."""
    async with paired() as home:
        assert home.known is not None
        seen = home.known.known()
        assert seen is not None
        can = seen.capabilities
        assert can.native_windows is NativeWindows.NONE
        assert can.fence == timedelta(hours=15)
        assert can.max_codes == 200
        assert (can.disabled_status, can.reports_use, can.name_length) == (True, True, 20)
        assert set(can.pin_rules.constraints) == {"no_zeros", "cannot_start_with_12"}


@pytest.mark.parametrize(
    ("percent", "critical", "level"), [(80, False, 0.8), (14, True, 0.05), (0, True, 0.05), (0, False, None)]
)
async def test_the_battery(percent: int, *, critical: bool, level: float | None) -> None:
    """In percent where the lock tells it; older ones only say when it is critical."""
    async with paired() as home:
        home.brain.faults.battery_percent, home.brain.faults.battery_critical = percent, critical
        assert await described(home) == level


async def test_a_keypad_taken_away_is_noticed() -> None:
    """The lock counts changes of its configuration: it is asked for only then."""
    async with paired() as home:
        await described(home)
        assert 0x0014 not in home.brain.heard
        home.brain.has_keypad, home.brain.config_count = False, 8
        async with home.session() as session:
            assert (await session.describe()).capabilities.keypad is False
        home.restart()
        assert home.known is not None
        seen = home.known.known()
        assert seen is not None
        assert seen.capabilities.keypad is False


async def test_a_right_clock_is_left_alone() -> None:
    """In UTC or in local time: which one locks tell is not documented."""
    async with paired() as home:
        await described(home)
        home.brain.local_time = True
        await described(home)
        assert 0x0021 not in home.brain.heard


async def test_a_right_clock_is_left_alone_after_long_work() -> None:
    """The states are those of the beginning of a connection, which may last: its length is no error."""
    async with paired() as home:
        home.brain.memory.add(Code(pin=345678, name=b"Anna".ljust(20, b"\0"), created=NOON))
        async with home.session() as session:
            home.clock.passed += timedelta(minutes=5)
            assert home.brain.type_code(345678)
            await session.read_log(home.take)
            await session.describe()
        assert [event.at for event in home.events if isinstance(event, CodeUsed)] == [home.clock.now()]
        assert 0x0021 not in home.brain.heard


async def test_a_wrong_clock_is_set() -> None:
    """As after a change of batteries."""
    async with paired() as home:
        home.brain.faults.clock_reset_to = NOON.replace(year=2000)
        await described(home)
        assert home.brain.clock() == NOON


@pytest.mark.parametrize(
    ("at", "offset"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), timedelta(hours=2)),
        (datetime(9999, 12, 31, tzinfo=UTC), timedelta(hours=-30)),
    ],
)
async def test_a_date_at_the_end_of_all_times_is_a_wrong_clock(at: datetime, offset: timedelta) -> None:
    """It is set, and records of the log with such dates are told without a time."""
    async with paired() as home:
        home.brain.offset = offset
        home.brain.faults.clock_reset_to = at
        home.brain.memory.note(at, 5, bytes([1, 1, 0, 7, 0]))
        assert await home.read_log() == [CodeUsed(device_id="door", slot="7", at=None)]
        await described(home)
        assert home.brain.clock() == NOON
        home.brain.memory.note(at, 5, bytes([1, 1, 0, 7, 0]))
        home.brain.local_time = True
        assert await home.read_log() == [CodeUsed(device_id="door", slot="7", at=None)]


async def test_a_hub_that_does_not_know_the_time_sets_no_clock() -> None:
    """A wrong time on the lock could end codes."""
    clock = HandClock()
    clock.synced = False
    async with paired(clock=clock) as home:
        home.brain.faults.clock_reset_to = NOON.replace(year=2000)
        await described(home)
        assert 0x0021 not in home.brain.heard


async def test_a_bridge_sees_that_something_changed_until_it_looked() -> None:
    """The lock takes its bit back when a bridge asks for the states."""
    async with paired() as home:
        assert await heard(home) == Hearing(changed=False)
        home.brain.type_code(111119)
        assert await heard(home) == Hearing(changed=True)
        assert await heard(home) == Hearing(changed=True)
        async with home.session():
            pass
        assert await heard(home) == Hearing(changed=False)


async def test_an_app_sees_only_that_the_bit_rose() -> None:
    """Nobody takes it back on its behalf: it would ask for ever."""
    async with paired(kind=Registration.APP) as home:
        assert await heard(home) == Hearing(changed=False)
        home.brain.type_code(111119)
        assert await heard(home) == Hearing(changed=True)
        assert await heard(home) == Hearing(changed=False)


async def test_other_advertisements_say_nothing() -> None:
    """HomeKit's, by the same lock, and somebody else's beacon."""
    async with paired() as home:
        for data in (bytes.fromhex("0631"), bytes.fromhex("0215") + bytes(21), b""):
            advert = Advert(
                address=home.lock.peripheral.address,
                name=None,
                rssi=-60,
                manufacturer={0x004C: data},
                services=(),
                service_data={},
            )
            assert home.known is not None
            assert home.known.hears(advert) == Hearing()
