"""Use cases on access codes."""

from datetime import datetime
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from gateway.domain.code import AccessCode
from gateway.domain.credential import Known
from gateway.domain.errors import DuplicateCode, InvalidInput, NotFound
from gateway.domain.lock import PinRules
from gateway.domain.pin import Pin
from gateway.domain.pins import broken_rule, generate
from gateway.domain.placement import Snapshot
from gateway.engine import views
from gateway.engine.commands.context import Context
from gateway.engine.commands.requests import CreateCode, GetCode, MaybeDevice, OneCode, UpdateCode, to_ms
from gateway.engine.desire import has_ended
from gateway.engine.work import Work


def create(context: Context, asked: CreateCode) -> dict[str, Any]:
    """Create one code on one lock; the reply shows its PIN."""
    snap = context.configured(asked.device_id)
    starts_at, ends_at = _window(context, asked.starts_at, asked.ends_at)
    now = context.t.now
    code = AccessCode(
        access_code_id=context.chance.new_id(),
        device_id=asked.device_id,
        name=asked.name or "Access code",
        pin=_pin(context, snap, asked.code, asked.preferred_code_length),
        created_at=now,
        updated_at=now,
        starts_at=starts_at,
        ends_at=ends_at,
        is_external_modification_allowed=_agreed(
            asked.is_external_modification_allowed, asked.allow_external_modification, otherwise=False
        ),
        prefer_native_scheduling=asked.prefer_native_scheduling,
    )

    def add(work: Work) -> None:
        work.set_code(code)
        work.tell("access_code.created", code.access_code_id)

    return _shown(context, code.access_code_id, context.change(asked.device_id, add))


def update(context: Context, asked: UpdateCode) -> dict[str, Any]:
    """Change what is desired of a code. An update that changes nothing succeeds."""
    code, snap = _found(context, asked.access_code_id, asked.device_id)
    starts_at = _time(asked.starts_at, code.starts_at)
    ends_at = _time(asked.ends_at, code.ends_at)
    if asked.type == "ongoing":
        if isinstance(asked.ends_at, datetime):
            raise InvalidInput("type ongoing and ends_at contradict each other", field="ends_at")
        starts_at, ends_at = _time(asked.starts_at, None), None
    elif asked.type == "time_bound" and ends_at is None:
        raise InvalidInput("type time_bound needs ends_at", field="ends_at")
    if (starts_at, ends_at) != (code.starts_at, code.ends_at):
        starts_at, ends_at = _window(context, starts_at, ends_at)
    given, alias = asked.is_external_modification_allowed, asked.allow_external_modification
    allowed = _agreed(
        None if isinstance(given, UnsetType) else given,
        None if isinstance(alias, UnsetType) else alias,
        otherwise=code.is_external_modification_allowed,
    )
    pin = code.pin
    digits = code.pin.reveal() if isinstance(asked.code, UnsetType) else asked.code
    # The PIN of a code that has ended may have gone to another one.
    if Pin(digits) != code.pin or _is_past(code, context, snap):
        pin = _pin(context, snap, digits, None, besides=code.access_code_id)
    native = asked.prefer_native_scheduling
    changed = replace(
        code,
        name=code.name if isinstance(asked.name, UnsetType) else asked.name,
        pin=pin,
        starts_at=starts_at,
        ends_at=ends_at,
        is_external_modification_allowed=allowed,
        prefer_native_scheduling=code.prefer_native_scheduling if isinstance(native, UnsetType) else native,
    )
    if changed == code:
        return _shown(context, code.access_code_id, snap)
    changed = replace(changed, revision=code.revision + 1, updated_at=context.t.now)

    def put(work: Work) -> None:
        work.set_code(changed)
        work.set_placement(code.access_code_id, outside=None, failures=0, failure=None, retry_at=None)
        work.tell("access_code.mutations_requested", code.access_code_id)

    return _shown(context, code.access_code_id, context.change(code.device_id, put))


def delete(context: Context, asked: OneCode) -> dict[str, Any]:
    """Have a code removed from its lock, then dropped. Deleting a code that is being deleted succeeds."""
    code, snap = _found(context, asked.access_code_id, asked.device_id, deleted_too=True)
    if code.deleted_at is None:

        def mark(work: Work) -> None:
            work.set_code(replace(code, deleted_at=work.now, revision=code.revision + 1, updated_at=work.now))
            work.set_placement(code.access_code_id, failures=0, failure=None, retry_at=None)

        snap = context.change(code.device_id, mark)
    left = code.access_code_id in snap.codes
    return {"access_code_id": code.access_code_id, "status": "removing" if left else "deleted"}


def get(context: Context, asked: GetCode) -> dict[str, Any]:
    """Return one code with its PIN."""
    if (asked.access_code_id is None) == (asked.device_id is None or asked.code is None):
        raise InvalidInput("give access_code_id, or device_id and code", field="access_code_id")
    if asked.access_code_id is not None:
        if asked.code is not None:
            raise InvalidInput("give access_code_id or code, not both", field="code")
        code, snap = _found(context, asked.access_code_id, asked.device_id, deleted_too=True)
        return _shown(context, code.access_code_id, snap)
    snap, pin = context.snapshot(asked.device_id or ""), Pin(asked.code or "")
    for code in snap.codes.values():
        if code.pin == pin:
            return _shown(context, code.access_code_id, snap)
    raise NotFound("no managed code on this lock has this PIN")


def list_codes(context: Context, asked: MaybeDevice) -> dict[str, Any]:
    """Return the managed codes with their PINs, of one lock or of all, in order of creation."""
    found = []
    for snap in _snapshots(context, asked.device_id):
        issues = context.tx.issues(snap.device.device_id)
        found += [
            views.access_code(code, snap, issues, context.t, context.rules.timing)
            for code in snap.codes.values()
        ]
    return {"access_codes": sorted(found, key=lambda shown: (shown["created_at"], shown["access_code_id"]))}


def list_unmanaged(context: Context, asked: MaybeDevice) -> dict[str, Any]:
    """Return the codes that others put on the locks."""
    found = []
    for snap in _snapshots(context, asked.device_id):
        issues = context.tx.issues(snap.device.device_id)
        found += [
            views.unmanaged(snap.device.device_id, slot, issues)
            for slot in snap.slots.values()
            if slot.unmanaged_id is not None
        ]
    return {"unmanaged_access_codes": found}


def _snapshots(context: Context, device_id: str | None) -> list[Snapshot]:
    if device_id is not None:
        return [context.snapshot(device_id)]
    return [context.snapshot(device.device_id) for device in context.tx.devices()]


def _found(
    context: Context, access_code_id: str, device_id: str | None, *, deleted_too: bool = False
) -> tuple[AccessCode, Snapshot]:
    code = context.tx.code(access_code_id)
    if (
        code is None
        or device_id not in (None, code.device_id)
        or (code.deleted_at is not None and not deleted_too)
    ):
        raise NotFound("there is no managed access code with this id", access_code_id=access_code_id)
    return code, context.snapshot(code.device_id)


def _shown(context: Context, access_code_id: str, snap: Snapshot) -> dict[str, Any]:
    issues = context.tx.issues(snap.device.device_id)
    code = snap.codes[access_code_id]
    return {"access_code": views.access_code(code, snap, issues, context.t, context.rules.timing)}


def _time(asked: datetime | UnsetType | None, before: datetime | None) -> datetime | None:
    return before if asked is UNSET or isinstance(asked, UnsetType) else asked


def _window(
    context: Context, starts_at: datetime | None, ends_at: datetime | None
) -> tuple[datetime | None, datetime | None]:
    """Check a window. A start in the past is fine; an end in the past is not."""
    starts_at = to_ms(starts_at) if starts_at is not None else None
    ends_at = to_ms(ends_at) if ends_at is not None else None
    if ends_at is not None and ends_at <= context.t.at:
        raise InvalidInput("ends_at must lie in the future", field="ends_at")
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise InvalidInput("ends_at must lie after starts_at", field="ends_at")
    return starts_at, ends_at


def _agreed(*given: bool | None, otherwise: bool) -> bool:
    """Return the flag that has two names."""
    said = {flag for flag in given if flag is not None}
    if len(said) > 1:
        raise InvalidInput(
            "is_external_modification_allowed and allow_external_modification contradict each other",
            field="is_external_modification_allowed",
        )
    return said.pop() if said else otherwise


def _is_past(code: AccessCode, context: Context, snap: Snapshot) -> bool:
    return has_ended(code, context.t) and not snap.may_hold(code.access_code_id)


def _pin(
    context: Context, snap: Snapshot, digits: str | None, length: int | None, *, besides: str | None = None
) -> Pin:
    """Check the PIN asked for, or choose one."""
    device = snap.device
    rules = device.capabilities.pin_rules if device.capabilities is not None else PinRules()
    ours = {
        code.pin: code.access_code_id
        for code in snap.codes.values()
        if code.access_code_id != besides and not _is_past(code, context, snap)
    }
    if digits is None:
        theirs = {s.reading.credential.pin for s in snap.slots.values() if isinstance(s.reading, Known)}
        held = {p.confirmed.credential.pin for p in snap.placements.values() if p.confirmed is not None}
        wanted = length or (device.policy.pin_length if device.policy is not None else None)
        return generate(rules, ours.keys() | theirs | held, context.chance.randbelow, length=wanted)
    pin = Pin(digits)
    broken = broken_rule(pin, rules)
    if broken is not None:
        raise InvalidInput(broken, field="code")
    if pin in ours:
        raise DuplicateCode("another access code on this lock has this PIN", access_code_id=ours[pin])
    return pin
