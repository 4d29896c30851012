"""Facts of one lock in a line each. Everything has a default that is converged, trusted and long settled."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, MASKED, NATIVE, READABLE, TINY, WRITE_ONLY
from gateway.domain.clock import ClockMark, ClockStep, TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Empty, Evidence, Known, Reading
from gateway.domain.lock import Capabilities, Device, Identity, Link, LockPolicy
from gateway.domain.pin import Pin
from gateway.domain.placement import Confirmed, Intent, IntentKind, Outside, Placement, Slot, Snapshot
from gateway.domain.timing import Timing

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TIMING = Timing()
DOOR = "front-door"
IDENTITY = Identity(network="simulated", manufacturer="pinsmith", product="readable", serial="17")
POLICY = LockPolicy(name="Front door", driver="bench")
MARK = ClockMark("boot 1", timedelta(0))

CAN = READABLE.capabilities
CAN_MASKED = MASKED.capabilities
CAN_BLIND = WRITE_ONLY.capabilities
CAN_NATIVE = NATIVE.capabilities
CAN_CHOOSE = CHOOSER.capabilities
CAN_TINY = TINY.capabilities


def view(
    now: datetime = NOON,
    *,
    trusted: bool = True,
    floor: datetime | None = None,
    step: tuple[datetime, datetime] | None = None,
) -> TimeView:
    """Return a look at the time; the lower bound is now, unless given."""
    return TimeView(
        now=now, trusted=trusted, floor=floor or now, mark=MARK, step=ClockStep(*step) if step else None
    )


def device(capabilities: Capabilities | None = CAN, **changes: Any) -> Device:  # noqa: ANN401 - fields of Device
    """Return a lock that was seen, is online, and whose next audit is a day away."""
    seen = Device(
        device_id=DOOR,
        policy=POLICY,
        capabilities=capabilities,
        identity=IDENTITY,
        seen_identity=IDENTITY,
        clock=MARK,
        link=Link.ONLINE,
        audit_at=NOON + DAY,
    )
    return replace(seen, **changes)


def code(code_id: str = "ana", pin: str = "4711", **changes: Any) -> AccessCode:  # noqa: ANN401 - fields of AccessCode
    """Return an ongoing code, asked for an hour ago."""
    asked = NOON - HOUR
    ongoing = AccessCode(
        access_code_id=code_id,
        device_id=DOOR,
        name=code_id.capitalize(),
        pin=Pin(pin),
        created_at=asked,
        updated_at=asked,
    )
    return replace(ongoing, **changes)


def credential(pin: str = "4711", **changes: Any) -> Credential:  # noqa: ANN401 - fields of Credential
    """Return the content of a slot."""
    return Credential(pin=Pin(pin), **changes)


def known(pin: str = "4711", **changes: Any) -> Known:  # noqa: ANN401 - fields of Credential
    """Return the reading of a slot that shows its content."""
    return Known(credential(pin, **changes))


def held(
    code_id: str = "ana",
    slot: str | None = "20",
    content: Credential | str = "4711",
    evidence: Evidence = Evidence.READ_BACK,
    **changes: Any,  # noqa: ANN401 - fields of Placement
) -> Placement:
    """Return the placement of a code that is on the lock."""
    held_credential = content if isinstance(content, Credential) else credential(content)
    confirmed = Confirmed(credential=held_credential, evidence=evidence, at=NOON - HOUR, revision=1)
    placement = Placement(access_code_id=code_id, slot=slot, confirmed=confirmed, was_on_lock=True)
    return replace(placement, **changes)


def slot(name: str, reading: Reading | None = None, **changes: Any) -> Slot:  # noqa: ANN401 - fields of Slot
    """Return a slot read a minute ago; empty unless told otherwise."""
    return replace(Slot(slot=name, reading=reading or Empty(), read_at=NOON - MINUTE), **changes)


def outside(
    change: str = "modified", *, honoured: bool = False, fields: tuple[str, ...] = ("code",)
) -> Outside:
    """Return what somebody else did."""
    return Outside(
        change="modified" if change == "modified" else "removed", fields=fields, at=NOON, honoured=honoured
    )


def intent(
    code_id: str | None = "ana",
    name: str | None = "20",
    target: Credential | None = None,
    **changes: Any,  # noqa: ANN401 - fields of Intent
) -> Intent:
    """Return an open write of the code's PIN, a minute old, into a slot that was empty."""
    opened = Intent(
        intent_id=f"intent {code_id} {name}",
        access_code_id=code_id,
        revision=1,
        slot=name,
        kind=IntentKind.SET,
        target=target or credential(),
        before=Empty(),
        opened_at=NOON - MINUTE,
    )
    return replace(opened, **changes)


def clearing(code_id: str | None = "ana", name: str = "20", **changes: Any) -> Intent:  # noqa: ANN401 - fields of Intent
    """Return an open clear, a minute old."""
    return replace(intent(code_id, name), kind=IntentKind.CLEAR, target=None, before=known(), **changes)


type Fact = Device | AccessCode | Placement | Slot | Intent


def snapshot(*facts: Fact) -> Snapshot:
    """Return the facts of one lock; a `device()` is there without saying."""
    devices = [fact for fact in facts if isinstance(fact, Device)]
    return Snapshot(
        device=devices[0] if devices else device(),
        codes={fact.access_code_id: fact for fact in facts if isinstance(fact, AccessCode)},
        placements={fact.access_code_id: fact for fact in facts if isinstance(fact, Placement)},
        slots={fact.slot: fact for fact in facts if isinstance(fact, Slot)},
        intents=tuple(fact for fact in facts if isinstance(fact, Intent)),
    )
