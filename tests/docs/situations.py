"""Situations in which every type of event is told, by the real engine on a bench, for docs/events.md.

Of a type that is told more than once the first one is the example.
"""

from itertools import count
from typing import Any

from msgspec.structs import replace

from drivers.simulated.models import NATIVE, READABLE, Model
from gateway.cli.backup_news import News
from gateway.domain.driver import (
    AccessDenied,
    AllCleared,
    BatteryLevel,
    ClockChecked,
    CodeUsed,
    KeypadMode,
    LockAlive,
    LockDead,
    LockSeen,
    PairingFailed,
    Refused,
    SlotTouched,
    Tampered,
)
from gateway.domain.events import EVENTS, Event
from gateway.domain.placement import Refusal
from gateway.engine.mutations import instant
from gateway.mqtt.health import Health
from gateway.mqtt.intake import Intake
from gateway.mqtt.link_connection import Incoming
from gateway.mqtt.outbox import Outbox, content
from gateway.mqtt.own_events import OwnEvents
from gateway.mqtt.topics import Topics
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, IDENTITY, MINUTE, NOON, SECOND
from tests.engine.deeds import (
    OURS,
    Deed,
    by_hand,
    create,
    delete,
    failing,
    found,
    told,
    update,
    wait,
)
from tests.engine.pairing_bed import attempt, unpaired
from tests.mqtt.link_bed import LinkBed, settings

type Json = dict[str, Any]
type Situation = tuple[Model, list[Deed]]

GATEWAY = "hub"
OTHER = "998877"
MEDDLERS = ("990001", "990002", "990003")
BUSY = ("before", Refused(Refusal.BUSY, "the lock is busy"))
TOUCHED, THERE = (SlotTouched(device_id=DOOR, slot=slot) for slot in (OURS, "3"))
ONGOING = [create(), wait(HOUR)]
NOW = create(starts_at=instant(NOON - HOUR), ends_at=instant(NOON + HOUR))
LATER = create(starts_at=instant(NOON + HOUR), ends_at=instant(NOON + DAY))
WITH_BACKUP = create(ends_at=instant(NOON + DAY), use_backup_access_code_pool=True)
FOUR_GUESTS = [create(f"{n}71134", ends_at=instant(NOON + DAY)) for n in range(4, 8)]


def asked(verb: str, **params: Any) -> Deed:  # noqa: ANN401 - JSON
    """Give a command about the lock."""
    return lambda bench: bench.do(verb, device_id=DOOR, **params)


async def pulled(bench: Bench) -> None:
    """Ask for a backup in place of the one code that is listed."""
    [code] = (await bench.do("access_codes/list"))["access_codes"]
    await bench.do("access_codes/pull_backup_access_code", access_code_id=code["access_code_id"])


async def taken_over(bench: Bench) -> None:
    """Make somebody else's code the gateway's."""
    [code] = (await bench.do("access_codes/unmanaged/list"))["unmanaged_access_codes"]
    await bench.do("access_codes/unmanaged/convert_to_managed", access_code_id=code["access_code_id"])


def keypad(*, there: bool) -> Deed:
    """Let the driver find the lock with its keypad or without."""
    can = replace(READABLE.capabilities, keypad=there)
    return told(LockSeen(device_id=DOOR, identity=IDENTITY, capabilities=can))


async def wiped(bench: Bench) -> None:
    """Let the lock forget everything and say so."""
    bench.lock.delete_all()
    await bench.tell(AllCleared(device_id=DOOR))


async def power_cut(bench: Bench) -> None:
    """Start the machine anew, with a clock that nobody sets."""
    bench.clock.synced = False
    bench.clock.reboot(bench.clock.wall)
    bench.boot()
    await bench.start()


async def jump(bench: Bench) -> None:
    """Set the wall clock two days ahead."""
    bench.clock.jump(2 * DAY)


async def swapped(bench: Bench) -> None:
    """Let another lock answer under the address."""
    await bench.tell(bench.seen(serial="another"))


async def left_out(bench: Bench) -> None:
    """Start the process anew with a configuration that lacks the lock."""
    bench.configured = False
    bench.boot()
    await bench.engine.start()


def away(how_often: int) -> list[Deed]:
    """Let the lock be away so often for a minute, ten minutes apart."""
    dead, alive = told(LockDead(device_id=DOOR)), told(LockAlive(device_id=DOOR))
    return [dead, wait(MINUTE), alive, wait(10 * MINUTE)] * how_often


MEDDLED = [deed for pin in MEDDLERS for deed in (by_hand(OURS, pin, TOUCHED), wait(HOUR))]
SITUATIONS: tuple[Situation, ...] = (
    (READABLE, [*ONGOING, update(code=OTHER), wait(MINUTE)]),
    (READABLE, [*ONGOING, told(CodeUsed(device_id=DOOR, slot=OURS)), delete(), wait(MINUTE)]),
    (READABLE, [*ONGOING, update(name="Ana"), wait(MINUTE)]),
    (NATIVE, [NOW, wait(MINUTE), update(ends_at=instant(NOON + DAY)), wait(MINUTE)]),
    (NATIVE, [LATER, wait(MINUTE)]),
    (READABLE, [WITH_BACKUP, wait(HOUR), pulled]),
    (READABLE, [create(), failing(BUSY), wait(20 * MINUTE)]),
    (READABLE, [*ONGOING, *MEDDLED, wait(DAY + MINUTE)]),
    (READABLE, [*ONGOING, by_hand(OURS, None, TOUCHED), wait(2 * MINUTE)]),
    (READABLE, [NOW, wait(HOUR - SECOND), failing(BUSY), wait(20 * MINUTE)]),
    (READABLE, [by_hand("3", OTHER, THERE), wait(MINUTE), by_hand("3", None, THERE), wait(2 * MINUTE)]),
    (READABLE, [by_hand("3", OTHER, THERE), wait(MINUTE), taken_over]),
    (READABLE, [*away(3), wait(HOUR)]),
    (READABLE, [keypad(there=False), keypad(there=True)]),
    (READABLE, [*(told(KeypadMode(device_id=DOOR, off=off)) for off in ("it is in privacy mode", None))]),
    (
        NATIVE,
        [LATER, wait(MINUTE), *(told(ClockChecked(device_id=DOOR, off_by=by)) for by in (HOUR, 0 * HOUR))],
    ),
    (READABLE, [asked("devices/pause", minutes=30), asked("devices/resume")]),
    (READABLE, [*ONGOING, swapped]),
    (READABLE, [*ONGOING, create("582245"), wait(HOUR), wiped, wait(HOUR)]),
    (READABLE, [asked("devices/update", is_managed=False), asked("devices/update", is_managed=True)]),
    (READABLE, [told(Tampered(device_id=DOOR, what="the cover was removed"))]),
    (READABLE, [told(*(BatteryLevel(device_id=DOOR, level=level) for level in (0.5, 0.19)))]),
    (READABLE.with_slots(250), [wait(2 * HOUR)]),
    (READABLE, [*ONGOING, asked("devices/forget")]),
    (READABLE, [*ONGOING, told(AccessDenied(device_id=DOOR, reason="outside_schedule", slot=OURS))]),
    (READABLE, [*FOUR_GUESTS, wait(2 * MINUTE), jump, wait(HOUR)]),
    (READABLE, [LATER, wait(MINUTE), power_cut]),
    (READABLE, [*ONGOING, left_out]),
)
"""A kind of lock, and what happens."""


async def events() -> dict[str, Json]:
    """Return an example of every type of event as it is published, in the order of the catalogue."""
    seen: dict[str, Json] = {}
    for model, deeds in SITUATIONS:
        bench = Bench(model)
        await bench.start()
        for deed in deeds:
            await deed(bench)
        _keep(seen, bench)
        bench.store.close()
    await _pairing(seen)
    await _of_the_gateway(seen)
    return {event_type: seen[event_type] for event_type in EVENTS}


def _keep(seen: dict[str, Json], bench: Bench) -> None:
    for stored in bench.store.do(lambda tx: tx.undelivered(1000)):
        seen.setdefault(stored.event.event_type, content(stored))


async def _pairing(seen: dict[str, Json]) -> None:
    async with unpaired() as (bench, driver):
        await attempt(bench, await bench.do("devices/pair", device_id=DOOR))
        await found()(bench)
        await attempt(bench, await bench.do("devices/unpair", device_id=DOOR))
        driver.failure = PairingFailed("the lock did not answer: hold its button and pair again")
        await attempt(bench, await bench.do("devices/pair", device_id=DOOR))
        _keep(seen, bench)


async def _of_the_gateway(seen: dict[str, Json]) -> None:
    """A retained command, an outbox for a broker that is away for too long, and backups."""
    bench = Bench()
    await bench.start()
    topics, health, ids = Topics(f"pinsmith/{GATEWAY}"), Health(bench.clock, dict), count(900)
    own = OwnEvents(GATEWAY, bench.clock.now, lambda: f"id-{next(ids)}")
    link = LinkBed(settings(1883)).link  # never connected
    intake = Intake(
        link,
        bench.desk,
        bench.store,
        topics,
        health,
        own_events=own,
        max_payload_bytes=65536,
        clock=bench.clock.boot,
    )
    retained = f"pinsmith/{GATEWAY}/request/alice/access_codes/create"
    await intake.handle(Incoming(retained, b"{}", retain=True))
    _keep(seen, bench)
    await Outbox(link, bench.store, topics, health, own_events=own, limit=1, clock=bench.clock).trim()
    seconds = iter((0.0, 95.0, 190.0))
    noted: list[Event] = []
    news = News(noted.append, own, lambda: next(seconds))
    news.copied(1000, 1000)
    news.made()
    news.failed("the backup could not be written: /mnt/stick: No space left on device")
    bench.store.do(lambda tx: [tx.emit(event) for event in noted])
    _keep(seen, bench)
    bench.store.close()
