"""Use cases on the codes that others put on the locks (rule 1: only a command that names one touches it)."""

from collections.abc import Callable
from typing import Literal

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Evidence, Known
from gateway.domain.errors import DeviceRefused, InvalidInput, NotFound
from gateway.domain.lock import Readback
from gateway.domain.pin import Pin
from gateway.domain.placement import Confirmed, Slot, Snapshot
from gateway.engine import wire
from gateway.engine.commands.code_lists import matches
from gateway.engine.commands.common import agreed, attempt_of, attempted, page, pin_for, reply, snapshots
from gateway.engine.commands.context import Context
from gateway.engine.commands.params import Convert, GetCode, ListUnmanaged, OneCode
from gateway.engine.desire import has_ended, is_native, is_open, lock_name
from gateway.engine.lock_views import unmanaged
from gateway.engine.mutations import dates
from gateway.engine.replies import CodeReply, UnmanagedReply, UnmanagedsReply
from gateway.engine.work import Work


def list_unmanaged(context: Context, asked: ListUnmanaged) -> UnmanagedsReply:
    """Return codes of others, without their PINs: those are told for one code at a time."""
    fitting = [
        shown
        for snap in snapshots(context, asked.device_id)
        for slot in snap.slots.values()
        if slot.unmanaged_id is not None
        and matches(
            asked.search, (shown := _shown(context, snap, slot, with_pin=False)).name, slot.unmanaged_id
        )
    ]
    shown_codes, pagination = page(
        fitting, lambda c: f"{c.device_id} {c.access_code_id}", asked.limit, asked.page_cursor
    )
    return UnmanagedsReply(unmanaged_access_codes=shown_codes, pagination=pagination)


def get(context: Context, asked: GetCode) -> UnmanagedReply:
    """Return one code of somebody else, with its PIN where the lock shows it."""
    if (asked.access_code_id is None) == (asked.device_id is None or asked.code is None):
        raise InvalidInput("give access_code_id, or device_id and code", field="access_code_id")
    if asked.access_code_id is not None:
        if asked.code is not None:
            raise InvalidInput("give access_code_id or code, not both", field="code")
        snap, slot = _found(context, asked.access_code_id)
        return UnmanagedReply(unmanaged_access_code=_shown(context, snap, slot, with_pin=True))
    snap, pin = context.snapshot(asked.device_id or ""), Pin(asked.code or "")
    for slot in snap.slots.values():
        known = isinstance(slot.reading, Known) and slot.reading.credential.pin == pin
        if slot.unmanaged_id is not None and known:
            return UnmanagedReply(unmanaged_access_code=_shown(context, snap, slot, with_pin=True))
    raise NotFound("no code of somebody else on this lock is known to have this PIN")


def _shown(context: Context, snap: Snapshot, slot: Slot, *, with_pin: bool) -> wire.UnmanagedAccessCode:
    device_id = snap.device.device_id
    seen = unmanaged(device_id, slot, context.tx.issues(device_id), context.t, with_pin=with_pin)
    return replace(
        seen,
        cannot_be_managed=_is_refused(lambda: _demand_fit(context, snap, slot)),
        cannot_delete_unmanaged_access_code=_is_refused(lambda: _demand_look(snap)),
    )


def _is_refused(check: Callable[[], None]) -> Literal[True] | UnsetType:
    """Say that the lock is in the way, or nothing, as clients see it."""
    try:
        check()
    except DeviceRefused:
        return True
    return UNSET


def _found(context: Context, access_code_id: str) -> tuple[Snapshot, Slot]:
    for snap in snapshots(context, None):
        for slot in snap.slots.values():
            if slot.unmanaged_id == access_code_id:
                return snap, slot
    raise NotFound("there is no unmanaged access code with this id", access_code_id=access_code_id)


def _demand_in_hand(context: Context, snap: Snapshot) -> None:
    device_id = snap.device.device_id
    context.configured(device_id)
    if not snap.device.is_managed:
        raise DeviceRefused("take the lock back first: devices/update, is_managed true", device_id=device_id)


def convert(context: Context, asked: Convert) -> CodeReply:
    """Take a code of somebody else into the hub's hands; its PIN stays on the lock.

    Where the lock hides the digits the caller types the PIN, and it is written once: that proves it. One that
    could not stay is refused, and goes on as its owner made it.
    """
    snap, slot = _found(context, asked.access_code_id)
    device_id = snap.device.device_id
    _demand_in_hand(context, snap)
    _demand_fit(context, snap, slot)
    credential, evidence = _taken_over(context, snap, _held(slot), asked.code)
    code = replace(
        _as_ours(context, snap, slot, credential),
        name=asked.name or credential.name or "Access code",
        is_external_modification_allowed=agreed(
            asked.is_external_modification_allowed, asked.allow_external_modification, otherwise=False
        ),
    )

    def adopt(work: Work) -> None:
        work.set_code(code)
        held = credential
        if asked.name is None and held.name is None:
            # Nobody asked for a name on the lock: it is not written for one.
            held = replace(held, name=lock_name(code, work.snapshot()))
        work.set_placement(
            code.access_code_id,
            slot=slot.slot,
            confirmed=Confirmed(credential=held, evidence=evidence, at=work.now, revision=code.revision),
            rewrite_due=evidence is Evidence.SENT,
            was_on_lock=True,
        )
        work.set_slot(slot.slot, unmanaged_id=None, unmanaged_since=None, doomed_at=None)
        work.tell("access_code.unmanaged.converted_to_managed", code.access_code_id, asked=dates(code))

    after, attempt = attempted(
        context, device_id, "CONVERT_ACCESS_CODE_TO_MANAGED", code.access_code_id, code.revision, adopt
    )
    return reply(context, code.access_code_id, after, attempt)


def _held(slot: Slot) -> Credential | None:
    return slot.reading.credential if isinstance(slot.reading, Known) else None


def _as_ours(context: Context, snap: Snapshot, slot: Slot, held: Credential) -> AccessCode:
    """Return what a code of somebody else is in the hub's hands."""
    schedule = held.schedule
    return AccessCode(
        access_code_id=slot.unmanaged_id or "",
        device_id=snap.device.device_id,
        name=held.name or "",
        pin=held.pin,
        created_at=context.t.now,
        updated_at=context.t.now,
        starts_at=schedule.starts_at if schedule is not None else None,
        ends_at=schedule.ends_at if schedule is not None else None,
    )


def _demand_fit(context: Context, snap: Snapshot, slot: Slot) -> None:
    """Refuse to take over what could not stay on the lock as it is, whatever its PIN."""
    device_id, held = snap.device.device_id, _held(slot)
    if slot.slot not in snap.device.managed_slots and not _chooses(snap):
        raise DeviceRefused(
            "this slot is not granted to the hub: add it to managed_slots of the lock", device_id=device_id
        )
    if held is not None and held.schedule is not None and held.schedule.weekly:
        raise DeviceRefused(
            "the lock keeps this code to certain weekdays, which cannot be taken over: delete it and create "
            "one with recurrence",
            device_id=device_id,
        )
    if held is not None:
        _demand_stays(context, snap, _as_ours(context, snap, slot, held))


def _demand_stays(context: Context, snap: Snapshot, code: AccessCode) -> None:
    """Refuse to take over a code that the hub would take off the lock for now, or for good."""
    if has_ended(code, context.t):
        told = "this code has ended, and the hub would take it off the lock: delete it"
        raise DeviceRefused(told, device_id=code.device_id)
    if not is_open(code, context.t.at) and not is_native(code, snap):
        raise DeviceRefused(
            "this code has not begun, and the hub would take it off the lock until shortly before its start: "
            "take it over once it has begun",
            device_id=code.device_id,
        )


def _taken_over(
    context: Context, snap: Snapshot, held: Credential | None, typed: str | None
) -> tuple[Credential, Evidence]:
    if held is None:
        if typed is None:
            raise InvalidInput("this lock hides the digits: type the PIN as code", field="code")
        return Credential(pin=pin_for(context, snap, typed)), Evidence.SENT
    if typed is not None and Pin(typed) != held.pin:
        raise InvalidInput("the code on the lock has another PIN; leave code out", field="code")
    pin_for(context, snap, held.pin.reveal())
    return replace(held, enabled=True), Evidence.READ_BACK if held.enabled else Evidence.SENT


def _chooses(snap: Snapshot) -> bool:
    can = snap.device.capabilities
    return can is not None and can.lock_chooses_slot


def _demand_look(snap: Snapshot) -> None:
    """Refuse to delete where no look can tell what would be deleted."""
    can, device_id = snap.device.capabilities, snap.device.device_id
    if can is not None and can.readback is Readback.NONE:
        raise DeviceRefused(
            "this lock does not show what it holds, so nobody can make sure which code is deleted",
            device_id=device_id,
        )


def delete(context: Context, asked: OneCode) -> UnmanagedReply:
    """Remove a code of somebody else from the lock, after a look that it is still there."""
    snap, slot = _found(context, asked.access_code_id)
    device_id = snap.device.device_id
    _demand_in_hand(context, snap)
    _demand_look(snap)

    def doom(work: Work) -> None:
        work.set_slot(slot.slot, doomed_at=work.now, refusals=0, retry_at=None)

    after, attempt = attempted(context, device_id, "DELETE_ACCESS_CODE", asked.access_code_id, 0, doom)
    return UnmanagedReply(
        unmanaged_access_code=_shown(context, after, after.slots[slot.slot], with_pin=False),
        action_attempt=attempt_of(context, attempt),
    )
