"""Use cases on locks."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from gateway.domain.errors import DeviceRefused
from gateway.domain.events import Event
from gateway.domain.lock import Device, Link
from gateway.engine import views
from gateway.engine.commands.context import Context
from gateway.engine.commands.requests import Nothing, OneDevice, Pause
from gateway.engine.work import Work


def list_devices(context: Context, _asked: Nothing) -> dict[str, Any]:
    """Return all locks."""
    return {"devices": [_shown(context, device.device_id) for device in context.tx.devices()]}


def get(context: Context, asked: OneDevice) -> dict[str, Any]:
    """Return one lock."""
    return {"device": _shown(context, asked.device_id)}


def sync(context: Context, asked: OneDevice) -> dict[str, Any]:
    """Look at the lock now instead of at its next audit; an hour's budget of reads is granted anew."""

    def absorb(work: Work) -> None:
        work.set_device(audit_at=work.now, audit_round=None, probe=None, retry_at=None, read_budget=None)

    return _changed(context, asked.device_id, absorb)


def pause(context: Context, asked: Pause) -> dict[str, Any]:
    """Do nothing on this lock for a while: somebody is at work on the door."""
    until = context.t.now + timedelta(minutes=asked.minutes)
    return _changed(context, asked.device_id, lambda work: work.set_device(paused_until=until))


def resume(context: Context, asked: OneDevice) -> dict[str, Any]:
    """End a pause."""
    return _changed(context, asked.device_id, lambda work: work.set_device(paused_until=None))


def retire(context: Context, asked: OneDevice) -> dict[str, Any]:
    """Delete every managed code of the lock and take no new ones; then it can leave the configuration."""
    context.configured(asked.device_id)

    def absorb(work: Work) -> None:
        work.set_device(retiring=True)
        for code in list(work.codes.values()):
            if code.deleted_at is None:
                work.set_code(replace(code, deleted_at=work.now, revision=code.revision + 1))

    return _changed(context, asked.device_id, absorb)


def forget(context: Context, asked: OneDevice) -> dict[str, Any]:
    """Forget the lock and its codes without touching it; the reply says what it may still hold."""
    snap = context.snapshot(asked.device_id)
    left = [
        {"access_code_id": code_id, "slot": placement.slot}
        for code_id, placement in snap.placements.items()
        if snap.may_hold(code_id)
    ]
    for code_id in snap.codes:
        context.tx.add_tombstone(f"access_code/{code_id}/state")
    policy = snap.device.policy
    context.tx.forget_device(asked.device_id)
    if policy is None:
        context.tx.add_tombstone(f"lock/{asked.device_id}/state")
    else:
        now = context.t.now
        fresh = Device(device_id=asked.device_id, policy=policy, authority_lost_at=now)
        context.tx.save_device(_as_seen(snap.device, fresh))
    context.tx.emit(
        Event(
            event_id=context.chance.new_id(),
            event_type="device.removed",
            device_id=asked.device_id,
            occurred_at=context.t.now,
            created_at=context.t.now,
            payload={"left_behind": left},
        )
    )
    context.touched.append(asked.device_id)
    return {"device_id": asked.device_id, "left_behind": left}


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


def replace_lock(context: Context, asked: OneDevice) -> dict[str, Any]:
    """Accept another lock behind the same address: nothing is known of its slots, every code is set anew."""
    if not context.device(asked.device_id).replaced:
        raise DeviceRefused("the lock that answers is the one the hub knows", device_id=asked.device_id)

    def absorb(work: Work) -> None:
        for placement in list(work.placements.values()):
            work.close_all(placement.access_code_id, "the lock was replaced")
            work.placements[placement.access_code_id] = type(placement)(
                access_code_id=placement.access_code_id
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
            wipe_suspected_at=None,
            inventory_version=work.device.inventory_version + 1,
        )

    return _changed(context, asked.device_id, absorb)


def refill(context: Context, asked: OneDevice) -> dict[str, Any]:
    """Set the codes of a lock again that was found wiped and is held."""
    return _changed(context, asked.device_id, lambda work: work.set_device(held_after_wipe=False))


def _confirm_restore(work: Work) -> None:
    """Believe no reading of the time before: others may have changed the lock since the backup was made."""
    work.set_device(held_for_restore=False, audit_at=work.now, audit_round=None, probe=None)
    for slot in list(work.slots):
        work.set_slot(slot, reading=None, read_at=None, check_at=work.now)


def confirm_restore(context: Context, _asked: Nothing) -> dict[str, Any]:
    """Let the locks be written again after a backup was restored."""
    held = [device.device_id for device in context.tx.devices() if device.held_for_restore]
    for device_id in held:
        context.change(device_id, _confirm_restore)
    return {"device_ids": held}


def _changed(context: Context, device_id: str, absorb: Any) -> dict[str, Any]:  # noqa: ANN401 - see Context.change
    context.snapshot(device_id)
    context.change(device_id, absorb)
    return {"device": _shown(context, device_id)}


def _shown(context: Context, device_id: str) -> dict[str, Any]:
    return views.device(context.snapshot(device_id), context.tx.issues(device_id))
