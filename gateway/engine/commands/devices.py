"""Use cases on locks."""

from collections.abc import Callable
from datetime import timedelta

from msgspec.structs import asdict, replace

from gateway.domain.errors import DeviceRefused, InvalidInput
from gateway.domain.events import Event
from gateway.domain.lock import Device, Link
from gateway.domain.store import LastingFailure, spared
from gateway.engine import attempts, lock_views, wire
from gateway.engine.commands.codes import give_up
from gateway.engine.commands.common import attempt_of, mark_deleted
from gateway.engine.commands.context import Context
from gateway.engine.commands.params import Nothing, OneDevice, Pause, RemoveGuestCodes, UpdateDevice
from gateway.engine.replies import (
    DeviceIdsReply,
    DeviceReply,
    DevicesReply,
    ForgottenReply,
    LeftBehind,
    RemovedReply,
)
from gateway.engine.restored import begin_looks
from gateway.engine.slot_map import slot_map
from gateway.engine.work import Work


def list_devices(context: Context, _asked: Nothing) -> DevicesReply:
    """Return all locks."""
    return DevicesReply(devices=[shown(context, device_id) for device_id in context.tx.device_ids()])


def get(context: Context, asked: OneDevice) -> DeviceReply:
    """Return one lock, with a map of its slots."""
    reply = device_reply(context, asked.device_id)
    return replace(reply, slots=slot_map(context.snapshot(asked.device_id)))


def update(context: Context, asked: UpdateDevice) -> DeviceReply:
    """Take a lock out of the hub's hands or back, and keep backup codes on it or not."""
    snap = context.configured(asked.device_id)
    if asked.is_managed is None and asked.backup_access_code_pool_enabled is None:
        raise InvalidInput("give is_managed, backup_access_code_pool_enabled, or both", field="is_managed")

    def absorb(work: Work) -> None:
        if asked.backup_access_code_pool_enabled is not None:
            work.set_device(backup_pool_enabled=asked.backup_access_code_pool_enabled)
        if asked.is_managed is False and snap.device.is_managed:
            _release(work)
        elif asked.is_managed and not snap.device.is_managed:
            work.set_device(is_managed=True, audit_at=work.now, audit_round=None, probe=None)
            work.tell("device.unmanaged.converted_to_managed")

    return _changed(context, asked.device_id, absorb)


def _release(work: Work) -> None:
    """Leave every code on the lock as somebody else's; backups nobody pulled are removed first."""
    for code in list(work.codes.values()):
        holds = work.snapshot().may_hold(code.access_code_id)
        if code.backup == "waiting" or code.deleted_at is not None:
            if code.deleted_at is None:
                work.set_code(replace(code, deleted_at=work.now, revision=code.revision + 1))
        else:
            give_up(work, code.access_code_id, left_behind=holds, forced=False)
    work.set_device(is_managed=False)
    work.tell("device.converted_to_unmanaged")


def remove_guest_codes(context: Context, asked: RemoveGuestCodes) -> RemovedReply:
    """Delete now every code that ends, recurs or was given out as a backup; all others too, if asked."""
    context.configured(asked.device_id)
    removed: list[str] = []

    def absorb(work: Work) -> None:
        for code in list(work.codes.values()):
            is_bounded = code.ends_at is not None or code.recurrence is not None or code.is_one_time_use
            guest = is_bounded or code.backup == "pulled"
            if code.deleted_at is None and (guest or asked.include_ongoing) and code.backup != "waiting":
                mark_deleted(work, code)
                removed.append(code.access_code_id)

    context.change(asked.device_id, absorb)
    return RemovedReply(device_id=asked.device_id, access_code_ids=removed)


def sync(context: Context, asked: OneDevice) -> DeviceReply:
    """Look at the lock now instead of at its next audit; an hour's budget of reads is granted anew.

    Where it refused this hub, that is asked once more: a person may have put it right.
    """

    def absorb(work: Work) -> None:
        work.set_device(audit_at=work.now, audit_round=None, probe=None, read_budget=None)
        _try_at_once(work)
        attempt = attempts.begin(work, "SYNC_ACCESS_CODES", None)
        context.tx.save_attempt(attempt)
        begun.append(attempt.action_attempt_id)

    begun: list[str] = []
    context.snapshot(asked.device_id)
    context.change(asked.device_id, absorb)
    context.once_durable.append(lambda: context.pairings.ask_again(asked.device_id))
    return DeviceReply(device=shown(context, asked.device_id), action_attempt=attempt_of(context, begun[0]))


def _try_at_once(work: Work) -> None:
    """Let nothing wait because it was refused or not answered before; what was refused for good stays so.

    How often that was still counts: refused once more, it waits as long as before.
    """
    work.set_device(retry_at=None, look_retry_at=None)
    for slot, state in list(work.slots.items()):
        if state.retry_at is not None:
            work.set_slot(slot, retry_at=None)
    for code_id, placement in list(work.placements.items()):
        # What is still open is waited for because it may arrive late.
        is_open = bool(work.snapshot().open_intents(code_id))
        if placement.failure is not None and placement.rejection is None and not is_open:
            work.set_placement(code_id, retry_at=None)


def pause(context: Context, asked: Pause) -> DeviceReply:
    """Do nothing on this lock for a while: somebody is at work on the door."""
    until = context.t.now + timedelta(minutes=asked.minutes)
    return _changed(context, asked.device_id, lambda work: work.set_device(paused_until=until))


def resume(context: Context, asked: OneDevice) -> DeviceReply:
    """End a pause."""
    return _changed(context, asked.device_id, lambda work: work.set_device(paused_until=None))


def retire(context: Context, asked: OneDevice) -> DeviceReply:
    """Delete every managed code of the lock and take no new ones; then it can leave the configuration."""
    if context.device(asked.device_id).policy is None:
        message = (
            "the lock is not in the configuration, so nothing can be taken off it: put it back, reload, then "
            "retire it; or give it up with `pinsmith locks forget`"
        )
        raise DeviceRefused(message, device_id=asked.device_id)
    context.configured(asked.device_id)

    def absorb(work: Work) -> None:
        work.set_device(retiring=True)
        for code in list(work.codes.values()):
            if code.deleted_at is None:
                mark_deleted(work, code)

    return _changed(context, asked.device_id, absorb)


def forget(context: Context, asked: OneDevice) -> ForgottenReply:
    """Forget the lock and its codes without touching it; the reply says what it may still hold."""
    device, left = _last_known(context, asked.device_id)
    for code_id in context.tx.code_ids(asked.device_id):
        context.tx.add_tombstone(f"access_code/{code_id}/state")
    context.once_durable.append(lambda: context.pairings.drop(asked.device_id))
    attempts.give_up(context.tx, asked.device_id, context.t.now)
    context.tx.forget_device(asked.device_id)
    if device is None or device.policy is None:
        context.tx.add_tombstone(f"lock/{asked.device_id}/state")
    else:
        now = context.t.now
        fresh = Device(device_id=asked.device_id, policy=device.policy, authority_lost_at=now)
        # With its keys gone it is another lock to the hub until it is paired again.
        needs_keys = device.is_paired is not None
        context.tx.save_device(replace(fresh, is_paired=False) if needs_keys else _as_seen(device, fresh))
    context.tx.emit(
        Event(
            event_id=context.chance.new_id(),
            event_type="device.removed",
            device_id=asked.device_id,
            occurred_at=context.t.now,
            created_at=context.t.now,
            payload={"left_behind": [asdict(one) for one in left]},
        )
    )
    context.touched.append(asked.device_id)
    return ForgottenReply(device_id=asked.device_id, left_behind=left)


def _last_known(context: Context, device_id: str) -> tuple[Device | None, list[LeftBehind]]:
    """Return a lock and what it may hold. Where its rows do not open that is every code, in whatever slot.

    None is a lock of which not even its own row opens: it begins anew with the next start,
    because its driver tells only once what it is.
    """
    try:
        with context.tx.part():
            snap = context.snapshot(device_id)
    except LastingFailure:
        device = None
        with spared(context.tx):
            device = context.tx.device(device_id)
        codes = context.tx.code_ids(device_id)
        return device, [LeftBehind(access_code_id=code_id, slot=None) for code_id in codes]
    return snap.device, [
        LeftBehind(access_code_id=code_id, slot=placement.slot)
        for code_id, placement in snap.placements.items()
        if snap.may_hold(code_id)
    ]


def _as_seen(old: Device, fresh: Device) -> Device:
    """Keep what the driver told of a lock that stays configured: it tells only once."""
    return replace(
        fresh,
        capabilities=old.capabilities,
        seen_identity=old.seen_identity,
        identity=old.seen_identity,
        link=old.link,
        authority_lost_at=old.authority_lost_at,
    )


def replace_lock(context: Context, asked: OneDevice) -> DeviceReply:
    """Accept another lock behind the same address: nothing is known of its slots, every code is set anew.

    What somebody was allowed to do to a code, such as disabling it, goes on to count.
    """
    if not context.device(asked.device_id).replaced:
        raise DeviceRefused("the lock that answers is the one the hub knows", device_id=asked.device_id)

    def absorb(work: Work) -> None:
        for placement in list(work.placements.values()):
            work.close_all(placement.access_code_id, "the lock was replaced")
            outside = placement.outside
            work.placements[placement.access_code_id] = type(placement)(
                access_code_id=placement.access_code_id,
                outside=outside if outside is not None and outside.honoured else None,
            )
        for slot in list(work.slots):
            work.drop_slot(slot)
        work.set_device(
            identity=work.device.seen_identity,
            link=Link.ONLINE,
            failures=0,
            retry_at=None,
            probe=None,
            audit_at=work.now,
            audit_round=None,
            wiped_at=None,
            held_after_wipe=False,
            restored_from=None,
            wipe_suspected_at=None,
            reported_lengths=(),
            is_clock_right=None,
            clock_off_by=None,
            clock_unread=False,
            inventory_version=work.device.inventory_version + 1,
        )

    return _changed(context, asked.device_id, absorb)


def refill(context: Context, asked: OneDevice) -> DeviceReply:
    """Set the codes of a lock again that was found wiped and is held."""
    return _changed(context, asked.device_id, lambda work: work.set_device(held_after_wipe=False))


def confirm_restore(context: Context, _asked: Nothing) -> DeviceIdsReply:
    """Let the locks be written again after a backup was restored, all that open."""
    held = []
    for device_id in context.tx.device_ids():
        with spared(context.tx):
            if context.device(device_id).held_for_restore:
                context.change(device_id, begin_looks)
                held.append(device_id)
    return DeviceIdsReply(device_ids=held)


def _changed(context: Context, device_id: str, absorb: Callable[[Work], None]) -> DeviceReply:
    context.snapshot(device_id)
    context.change(device_id, absorb)
    return device_reply(context, device_id)


def device_reply(context: Context, device_id: str) -> DeviceReply:
    """Return the reply that shows a lock."""
    return DeviceReply(device=shown(context, device_id))


def shown(context: Context, device_id: str) -> wire.Device:
    """Return a lock as clients see it."""
    issues = context.tx.issues(device_id)
    snap = context.snapshot(device_id)
    return lock_views.device(snap, issues, context.t, context.rules.timing, context.radio)
