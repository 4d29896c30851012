"""One of everything that is stored.

That no field of a domain type is lost is shown in `test_round_trip`, which follows the types by itself.
"""

from datetime import UTC, datetime, timedelta

from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Empty, Evidence, Known, Schedule, Unreadable, WeeklyWindow
from gateway.domain.events import Event
from gateway.domain.issues import Announced, Issue
from gateway.domain.lock import Capabilities, Device, Identity, Link, LockPolicy, NativeWindows, PinRules
from gateway.domain.pin import Pin
from gateway.domain.placement import (
    Confirmed,
    Former,
    Intent,
    IntentKind,
    Placement,
    Refusal,
    Rejection,
    Slot,
)
from gateway.domain.recurrence import Recurrence
from gateway.domain.store import Tx

KEY = bytes(range(32))
NOON = datetime(2026, 7, 1, 12, 0, 0, 123000, tzinfo=UTC)
HOUR = timedelta(hours=1)

SCHEDULE = Schedule(
    starts_at=NOON,
    ends_at=NOON + HOUR,
    weekly=(WeeklyWindow(weekdays=(0, 6), from_minute=60, until_minute=1439),),
)
CREDENTIAL = Credential(pin=Pin("90210"), enabled=False, schedule=SCHEDULE, name="Ana")
PINS = ("739184", "90210", "551177", "686868", "424299")
"""Every PIN in the samples."""
SECRET = b"\x00\xffkeys-of-the-front-door"
"""What pairing yielded: any bytes."""
CHECKSUM = "18fdc0de"
"""What the lock computes from its PINs; a real one has four digits, which a search might find by chance."""

DEVICE = Device(
    device_id="front",
    policy=LockPolicy(name="Front door", driver="zwave", managed_slots=("29", "30")),
    capabilities=Capabilities(
        slots=("1", "29", "30"),
        max_codes=30,
        pin_rules=PinRules(lengths=(4, 6)),
        native_windows=NativeWindows.DATES,
        spacing=timedelta(seconds=2),
    ),
    identity=Identity(network="abc", manufacturer="m", product="p", serial="s"),
    link=Link.ONLINE,
    link_since=NOON,
    battery=0.5,
    inventory_version=7,
    probe=CHECKSUM,
)
CODE = AccessCode(
    access_code_id="code-1",
    device_id="front",
    name="Günther",
    pin=Pin("739184"),
    created_at=NOON,
    updated_at=NOON + HOUR,
    revision=4,
    starts_at=NOON,
    ends_at=NOON + HOUR,
    is_external_modification_allowed=True,
    prefer_native_scheduling=False,
    deleted_at=NOON + 2 * HOUR,
    common_code_key="stay-17",
    recurrence=Recurrence(cron="0 9 * * 2", minutes=180, time_zone="Europe/Berlin"),
    is_one_time_use=True,
    backup="pulled",
    pulled_backup_access_code_id="code-2",
    first_used_at=NOON,
)
PLACEMENT = Placement(
    access_code_id="code-1",
    slot="30",
    confirmed=Confirmed(credential=CREDENTIAL, evidence=Evidence.USED, at=NOON, revision=3),
    rejection=Rejection(reason=Refusal.DUPLICATE, at=NOON, revision=2, inventory_version=6, explained=True),
    failures=2,
    retry_at=NOON,
)
SLOT = Slot(
    slot="1",
    reading=Known(Credential(pin=Pin("551177"))),
    read_at=NOON,
    unmanaged_id="other-1",
    former=Former(pin=Pin("686868"), removed_at=NOON),
)
HIDDEN_SLOT = Slot(slot="29", reading=Unreadable(enabled=True))
EMPTY_SLOT = Slot(slot="30", reading=Empty())
INTENT = Intent(
    intent_id="intent-1",
    access_code_id="code-1",
    revision=4,
    slot="30",
    kind=IntentKind.SET,
    target=CREDENTIAL,
    before=Known(Credential(pin=Pin("551177"))),
    opened_at=NOON,
    why="its window has moved",
)
CLEARING = Intent(
    intent_id="intent-2",
    access_code_id=None,
    revision=0,
    slot=None,
    kind=IntentKind.CLEAR,
    target=None,
    before=None,
    opened_at=NOON,
)
ISSUE = Issue(
    code="failed_to_set_on_device",
    message="The lock does not answer.",
    access_code_id="code-1",
    created_at=NOON,
    data={"attempts": 3},
)
ANNOUNCED = Announced(status="set", confirmed_revision=4)
EVENT = Event(
    event_id="event-1",
    event_type="lock.unlocked",
    device_id="front",
    occurred_at=NOON,
    created_at=NOON + HOUR,
    access_code_id="code-1",
    payload={"method": "keycode", "slots": [1, {"deep": None}]},
    asked={"starts_at": "2026-07-01T12:00:00.000Z"},
)


def event(
    number: int,
    *,
    kind: str = "access_code.set_on_device",
    at: datetime = NOON,
    device_id: str = "front",
    access_code_id: str | None = None,
) -> Event:
    """Return one of several events that differ."""
    return Event(
        event_id=f"event-{number}",
        event_type=kind,
        device_id=device_id,
        occurred_at=at,
        created_at=at,
        access_code_id=access_code_id,
    )


def store_everything(tx: Tx) -> None:
    """Store one of everything."""
    tx.save_device(DEVICE)
    tx.save_code(CODE)
    tx.save_placement("front", PLACEMENT)
    for slot in (SLOT, HIDDEN_SLOT, EMPTY_SLOT):
        tx.save_slot("front", slot)
    tx.open_intent("front", INTENT)
    tx.open_intent("front", CLEARING)
    tx.replace_issues("front", [ISSUE])
    tx.save_announced("front", "code-1", ANNOUNCED)
    tx.emit(EVENT)
    tx.save_reply("app", "access_codes/get", "t-1", tx.digest(b"body"), b'{"code":"424299"}', NOON)
    tx.add_tombstone("access_code/gone/state")
    tx.save_meta("clock_floor", "2026-07-01T12:00:00Z")
    tx.save_secret("front", SECRET)


def check_everything(tx: Tx) -> None:
    """Assert that everything comes back as it was stored."""
    snapshot = tx.snapshot("front")
    assert snapshot is not None
    assert snapshot.device == DEVICE
    assert snapshot.codes == {"code-1": CODE}
    assert snapshot.placements == {"code-1": PLACEMENT}
    assert snapshot.slots == {"1": SLOT, "29": HIDDEN_SLOT, "30": EMPTY_SLOT}
    assert snapshot.intents == (INTENT, CLEARING)
    assert tx.devices() == [DEVICE]
    assert tx.codes() == [CODE]
    assert tx.issues("front") == [ISSUE]
    assert tx.announced("front") == {"code-1": ANNOUNCED}
    assert [stored.event for stored in tx.undelivered(10)] == [EVENT]
    assert tx.reply("app", "access_codes/get", "t-1") == (tx.digest(b"body"), b'{"code":"424299"}')
    assert tx.tombstones() == ["access_code/gone/state"]
    assert tx.meta("clock_floor") == "2026-07-01T12:00:00Z"
    assert tx.secret("front") == SECRET
