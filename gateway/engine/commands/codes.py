"""Use cases on one access code."""

from datetime import datetime

from msgspec import UnsetType
from msgspec.structs import replace

from gateway.domain.code import AccessCode
from gateway.domain.credential import Known
from gateway.domain.errors import InvalidInput
from gateway.domain.pin import Pin
from gateway.domain.placement import Snapshot
from gateway.domain.recurrence import Recurrence
from gateway.engine.attempts import leave_behind
from gateway.engine.backups import follow
from gateway.engine.commands.common import (
    agreed,
    attempt_of,
    attempted,
    demand_a_window,
    demand_able,
    demand_backup_fits,
    demand_own_pin,
    demand_pool,
    demand_reachable,
    demand_shut,
    found,
    given,
    mark_deleted,
    pin_for,
    recurrence,
    reply,
    tell_asked,
    window,
)
from gateway.engine.commands.context import Context
from gateway.engine.commands.params import CreateCode, DeleteCode, UpdateCode
from gateway.engine.holding import tell_kept_by_hub
from gateway.engine.mutations import dates
from gateway.engine.replies import CodeReply, DeletedReply, LeftBehind
from gateway.engine.work import Work


def create(context: Context, asked: CreateCode) -> CodeReply:
    """Create one code on one lock; the reply shows its PIN."""
    snap = context.configured(asked.device_id)
    demand_reachable(snap, attempt_for_offline_device=asked.attempt_for_offline_device)
    demand_able(snap, one_time=asked.is_one_time_use, offline=asked.is_offline_access_code)
    starts_at, ends_at = window(context, asked.starts_at, asked.ends_at)
    windows = recurrence(context, asked.recurrence, starts_at, ends_at)
    if asked.use_backup_access_code_pool and ends_at is None:
        raise InvalidInput(
            "the backup pool is for codes with an end; to fill it regardless use devices/update",
            field="use_backup_access_code_pool",
        )
    if asked.use_backup_access_code_pool:
        demand_pool(snap)
    digits = _shared_pin(context, asked.common_code_key, asked.code)
    code = AccessCode(
        access_code_id=context.chance.new_id(),
        device_id=asked.device_id,
        name=asked.name or "Access code",
        pin=pin_for(context, snap, digits, asked.preferred_code_length),
        created_at=context.t.now,
        updated_at=context.t.now,
        starts_at=starts_at,
        ends_at=ends_at,
        recurrence=windows,
        is_external_modification_allowed=agreed(
            asked.is_external_modification_allowed, asked.allow_external_modification, otherwise=False
        ),
        prefer_native_scheduling=asked.prefer_native_scheduling,
        common_code_key=asked.common_code_key,
        is_one_time_use=asked.is_one_time_use,
    )
    demand_shut(snap, code)
    return add(context, code, with_pool=asked.use_backup_access_code_pool)


def add(context: Context, code: AccessCode, *, with_pool: bool) -> CodeReply:
    """Take on a code that was checked."""

    def put(work: Work) -> None:
        work.set_code(code)
        work.tell("access_code.created", code.access_code_id, asked=dates(code), is_backup=False)
        if with_pool and not work.device.backup_pool_size:
            work.set_device(backup_pool_enabled=True)

    snap, attempt = attempted(
        context, code.device_id, "CREATE_ACCESS_CODE", code.access_code_id, code.revision, put
    )
    return reply(context, code.access_code_id, snap, attempt)


def _shared_pin(context: Context, key: str | None, digits: str | None) -> str | None:
    """Return the PIN that a code of this key must have, or the one asked for where it is the first."""
    group = group_of(context, key) if key is not None else []
    if not group:
        return digits
    shared = group[0].pin
    if digits is not None and Pin(digits) != shared:
        raise InvalidInput("codes of this common_code_key have another PIN; leave code out", field="code")
    return shared.reveal()


def group_of(context: Context, key: str) -> list[AccessCode]:
    """Return the codes of a key that are not being deleted, in order of creation."""
    return [c for c in context.tx.codes() if c.common_code_key == key and c.deleted_at is None]


def update(context: Context, asked: UpdateCode) -> CodeReply | DeletedReply:
    """Change what is desired of a code. An update that changes nothing succeeds."""
    code, snap = found(context, asked.access_code_id, asked.device_id)
    if not asked.is_managed:
        _demand_alone(asked)
        return release(context, code, snap)
    demand_reachable(snap, attempt_for_offline_device=asked.attempt_for_offline_device)
    if code.backup == "waiting":
        raise InvalidInput("a backup code that waits in the pool cannot be changed", field="access_code_id")
    starts_at, ends_at, windows = _new_times(context, asked, code)
    digits = given(asked.code, code.pin.reveal())
    pin = code.pin
    if Pin(digits) != code.pin:
        if code.common_code_key is not None:
            raise InvalidInput(
                "this code shares its PIN with others (common_code_key): delete them and create them anew",
                field="code",
            )
        pin = pin_for(context, snap, digits, besides=code.access_code_id)
    changed = replace(
        code,
        name=given(asked.name, code.name),
        pin=pin,
        starts_at=starts_at,
        ends_at=ends_at,
        recurrence=windows,
        first_used_at=code.first_used_at if pin == code.pin else None,
        is_external_modification_allowed=agreed(
            asked.is_external_modification_allowed,
            asked.allow_external_modification,
            otherwise=code.is_external_modification_allowed,
        ),
        prefer_native_scheduling=given(asked.prefer_native_scheduling, code.prefer_native_scheduling),
    )
    demand_own_pin(context, snap, code, changed)
    before, after = ((it.recurrence, it.prefer_native_scheduling) for it in (code, changed))
    if after != before:
        demand_shut(snap, changed)
    demand_backup_fits(context, snap, code, changed)
    return put(context, code, changed, snap)


def _demand_alone(asked: UpdateCode) -> None:
    """Refuse changes beside `is_managed` false: the code stays on the lock as it is."""
    alone = UpdateCode(
        access_code_id=asked.access_code_id,
        device_id=asked.device_id,
        is_managed=False,
        attempt_for_offline_device=asked.attempt_for_offline_device,
    )
    if asked != alone:
        raise InvalidInput(
            "is_managed false leaves the code on the lock as it is: make the other changes before",
            field="is_managed",
        )


def put(context: Context, code: AccessCode, changed: AccessCode, snap: Snapshot) -> CodeReply:
    """Replace a code by what was checked; its pulled backup follows its end when that moves."""
    if changed == code:
        return reply(context, code.access_code_id, snap)
    changed = replace(changed, revision=code.revision + 1, updated_at=context.t.now)

    def absorb(work: Work) -> None:
        work.set_code(changed)
        work.set_placement(code.access_code_id, outside=None, failures=0, failure=None, retry_at=None)
        asked = _mutations(code, changed)
        if asked:
            is_moved = "updating_time_frame" in asked
            times = {"from": dates(code), "to": dates(changed)} if is_moved else {}
            tell_asked(work, code.access_code_id, asked, times)
            tell_kept_by_hub(work, changed, asked)
        if changed.ends_at != code.ends_at:
            follow(work, changed)

    after, attempt = attempted(
        context, code.device_id, "UPDATE_ACCESS_CODE", code.access_code_id, changed.revision, absorb
    )
    return reply(context, code.access_code_id, after, attempt)


def _mutations(old: AccessCode, new: AccessCode) -> list[str]:
    times = (old.starts_at, old.ends_at, old.recurrence) != (new.starts_at, new.ends_at, new.recurrence)
    named = (
        ("updating_code", old.pin != new.pin),
        ("updating_name", old.name != new.name),
        ("updating_time_frame", times),
    )
    return [name for name, differs in named if differs]


def _new_times(
    context: Context, asked: UpdateCode, code: AccessCode
) -> tuple[datetime | None, datetime | None, Recurrence | None]:
    """Return start, end and windows after an update, checked."""
    starts_at, ends_at = given(asked.starts_at, code.starts_at), given(asked.ends_at, code.ends_at)
    if asked.type == "ongoing":
        if isinstance(asked.ends_at, datetime):
            raise InvalidInput("type ongoing and ends_at contradict each other", field="ends_at")
        starts_at, ends_at = given(asked.starts_at, None), None
    elif asked.type == "time_bound" and ends_at is None:
        raise InvalidInput("type time_bound needs ends_at", field="ends_at")
    if (starts_at, ends_at) != (code.starts_at, code.ends_at):
        starts_at, ends_at = window(context, starts_at, ends_at)
    if isinstance(asked.recurrence, UnsetType):
        if (starts_at, ends_at) != (code.starts_at, code.ends_at):
            demand_a_window(context, replace(code, starts_at=starts_at, ends_at=ends_at))
        return starts_at, ends_at, code.recurrence
    return starts_at, ends_at, recurrence(context, asked.recurrence, starts_at, ends_at)


def delete(context: Context, asked: DeleteCode) -> DeletedReply:
    """Have a code removed from its lock, then dropped. Deleting a code that is being deleted succeeds."""
    code, snap = found(context, asked.access_code_id, asked.device_id, deleted_too=True)
    if asked.force:
        return release(context, code, snap, forced=True)
    attempt = None
    if code.deleted_at is None:

        def mark(work: Work) -> None:
            follow(work, mark_deleted(work, code))

        snap, attempt = attempted(
            context, code.device_id, "DELETE_ACCESS_CODE", code.access_code_id, code.revision + 1, mark
        )
    return DeletedReply(
        access_code_id=code.access_code_id,
        status="removing" if code.access_code_id in snap.codes else "deleted",
        action_attempt=attempt_of(context, attempt),
    )


def release(context: Context, code: AccessCode, snap: Snapshot, *, forced: bool = False) -> DeletedReply:
    """Give a code out of the hub's hands without touching its slot, and say what the lock may still hold.

    Its pulled backup goes: nothing would say any more for whom it is, and when it ends.
    """
    code_id = code.access_code_id
    left = (
        [LeftBehind(access_code_id=code_id, slot=snap.placement(code_id).slot)]
        if snap.may_hold(code_id)
        else []
    )

    def absorb(work: Work) -> None:
        if forced:
            tell_asked(work, code_id, ["deleting"])
        follow(work, replace(code, deleted_at=work.now))
        give_up(work, code_id, left_behind=bool(left), forced=forced)

    if forced and left:
        leave_behind(context.tx, code.device_id, code_id, context.t.now)
    context.change(code.device_id, absorb)
    status = "unmanaged" if left and not forced else "deleted"
    return DeletedReply(access_code_id=code_id, status=status, left_behind=left)


def give_up(work: Work, code_id: str, *, left_behind: bool, forced: bool) -> None:
    """Drop a code from the hub's memory; what its slot holds counts as somebody else's from now on."""
    placement = work.placement(code_id)
    work.close_all(code_id, "given up")
    work.drop_code(code_id)
    if placement.slot is not None and left_behind:
        confirmed, state = placement.confirmed, work.slot(placement.slot)
        reading = state.reading
        if reading is None and confirmed is not None:
            reading = Known(confirmed.credential)
        work.set_slot(
            placement.slot,
            reading=reading,
            unmanaged_id=None if forced else code_id,
            unmanaged_since=None if forced else work.now,
            former=None,
            check_at=work.now,
        )
    if forced or not left_behind:
        work.tell("access_code.deleted", code_id, left_behind=left_behind)
    else:
        work.tell("access_code.unmanaged.created", code_id)
