"""What several use cases share: finding, showing, paging, and the checks of PINs and windows."""

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from gateway.domain.attempts import ActionAttempt, ActionType
from gateway.domain.code import AccessCode
from gateway.domain.errors import DeviceRefused, DuplicateCode, InvalidInput, NotFound, UnsupportedDevice
from gateway.domain.lock import Link, Reach
from gateway.domain.pin import Pin
from gateway.domain.pins import broken_rule, clash
from gateway.domain.placement import Snapshot
from gateway.domain.recurrence import Recurrence, check, is_open, next_change
from gateway.engine import attempts, wire
from gateway.engine.backups import supports_pool
from gateway.engine.commands.context import Context
from gateway.engine.commands.params import RecurrenceParams
from gateway.engine.commands.requests import to_ms
from gateway.engine.desire import can_keep, is_over, is_past
from gateway.engine.lock_views import attempt_view
from gateway.engine.pins import choose_pin, rules_of
from gateway.engine.replies import CodeReply, Pagination
from gateway.engine.setting import waits_for_itself
from gateway.engine.views import CodeViews
from gateway.engine.work import Work


def found(
    context: Context, access_code_id: str, device_id: str | None = None, *, deleted_too: bool = False
) -> tuple[AccessCode, Snapshot]:
    """Return a code with the facts of its lock, or raise NotFound."""
    code = context.tx.code(access_code_id)
    if (
        code is None
        or device_id not in (None, code.device_id)
        or (code.deleted_at is not None and not deleted_too)
    ):
        raise NotFound("there is no managed access code with this id", access_code_id=access_code_id)
    return code, context.snapshot(code.device_id)


def shown(context: Context, access_code_id: str, snap: Snapshot) -> wire.AccessCode:
    """Return a code with its PIN, for the reply."""
    return _views(context, snap).access_code(snap.codes[access_code_id])


def _views(context: Context, snap: Snapshot) -> CodeViews:
    return CodeViews(snap, context.tx.issues(snap.device.device_id), context.t, context.rules.timing)


def reply(context: Context, access_code_id: str, snap: Snapshot, attempt_id: str | None = None) -> CodeReply:
    """Return the reply that shows a code, and what becomes of the command."""
    return CodeReply(
        access_code=shown(context, access_code_id, snap), action_attempt=attempt_of(context, attempt_id)
    )


def attempt_of(context: Context, attempt_id: str | None) -> wire.ActionAttempt | UnsetType:
    """Return an attempt as it stands now."""
    attempt = context.tx.attempt(attempt_id) if attempt_id is not None else None
    return attempt_with_code(context, attempt) if attempt is not None else UNSET


def attempt_with_code(context: Context, attempt: ActionAttempt) -> wire.ActionAttempt:
    """Return an attempt; after a success with its code as it is now, while that is not being deleted."""
    code = context.tx.code(attempt.access_code_id) if attempt.access_code_id is not None else None
    if attempt.status != "success" or code is None or code.deleted_at is not None:
        return attempt_view(attempt)
    snap = context.snapshot(code.device_id)
    return attempt_view(attempt, _views(context, snap).state(snap.codes[code.access_code_id]))


def attempted(
    context: Context,
    device_id: str,
    action: ActionType,
    code_id: str,
    revision: int,
    absorb: Callable[[Work], None],
) -> tuple[Snapshot, str]:
    """Change a lock's facts, with an attempt that ends when the lock follows; return facts and attempt id."""
    begun: list[str] = []

    def both(work: Work) -> None:
        absorb(work)
        attempt = attempts.begin(work, action, code_id, revision)
        context.tx.save_attempt(attempt)
        begun.append(attempt.action_attempt_id)

    return context.change(device_id, both), begun[0]


def snapshots(context: Context, device_id: str | None) -> Iterator[Snapshot]:
    """Return the facts of one lock or of all, one after the other: of all at once they are much."""
    known = [device_id] if device_id is not None else context.tx.device_ids()
    return (context.snapshot(one) for one in known)


def page[T](
    items: Sequence[T], key: Callable[[T], str], limit: int, cursor: str | None
) -> tuple[list[T], Pagination]:
    """Return the items after `cursor`, at most `limit`, in the order of `key`."""
    ordered = sorted(items, key=key)
    if cursor is not None:
        after = _opened(cursor)
        ordered = [item for item in ordered if key(item) > after]
    shown_items = ordered[:limit]
    more = len(ordered) > limit
    following = base64.urlsafe_b64encode(key(shown_items[-1]).encode()).decode() if more else None
    return shown_items, Pagination(has_next_page=more, next_page_cursor=following)


def _opened(cursor: str) -> str:
    try:
        return base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise InvalidInput(
            "page_cursor: the next_page_cursor of the page before", field="page_cursor"
        ) from None


def given[T](asked: T | UnsetType, before: T) -> T:
    """Return what was asked for, or what was before where the field was left out."""
    return before if isinstance(asked, UnsetType) else asked


def agreed(*flags: bool | UnsetType | None, otherwise: bool) -> bool:
    """Return the flag that has two names."""
    said = {flag for flag in flags if isinstance(flag, bool)}
    if len(said) > 1:
        raise InvalidInput(
            "is_external_modification_allowed and allow_external_modification contradict each other",
            field="is_external_modification_allowed",
        )
    return said.pop() if said else otherwise


def window(
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


def demand_span(begin: datetime | None, end: datetime | None, *, field: str) -> None:
    """Refuse to look back at a time that ends before it begins."""
    if begin is not None and end is not None and end <= begin:
        raise InvalidInput("the end must lie after the beginning", field=field)


def recurrence(
    context: Context, asked: RecurrenceParams | None, starts_at: datetime | None, ends_at: datetime | None
) -> Recurrence | None:
    """Check windows that come back; at least one must open between start and end."""
    if asked is None:
        return None
    it = Recurrence(
        cron=" ".join(asked.cron.split()),
        minutes=asked.minutes,
        time_zone=asked.time_zone or context.rules.time_zone,
    )
    check(it)
    if not _ever_opens(context, it, starts_at, ends_at):
        raise InvalidInput("recurrence: no window opens before ends_at", field="cron")
    return it


def demand_a_window(context: Context, code: AccessCode) -> None:
    """Refuse start and end of a code if none of its windows opens between them."""
    if code.recurrence is not None and not _ever_opens(
        context, code.recurrence, code.starts_at, code.ends_at
    ):
        raise InvalidInput(
            "no window of the code opens between starts_at and ends_at; to end it for good, delete it",
            field="ends_at",
        )


def _ever_opens(
    context: Context, it: Recurrence, starts_at: datetime | None, ends_at: datetime | None
) -> bool:
    begin = max(starts_at, context.t.at) if starts_at is not None else context.t.at
    change = next_change(it, begin)
    return ends_at is None or change is None or change < ends_at or is_open(it, begin)


def pin_for(
    context: Context,
    snap: Snapshot,
    digits: str | None,
    length: int | None = None,
    *,
    besides: str | None = None,
) -> Pin:
    """Check the PIN asked for, or choose one."""
    if digits is None:
        return choose_pin(snap, context.chance.randbelow, length)
    pin = Pin(digits)
    rules = rules_of(snap)
    broken = broken_rule(pin, rules)
    if broken is not None:
        raise InvalidInput(broken, field="code")
    for code in snap.codes.values():
        if (
            clash(code.pin, pin, rules)
            and code.access_code_id != besides
            and not is_past(code, snap, context.t)
        ):
            raise DuplicateCode(
                "another access code on this lock has this PIN"
                if code.pin == pin
                else "another access code has a PIN that begins alike: the keypad cannot tell them apart",
                access_code_id=code.access_code_id,
            )
    if besides is not None and (holder := waits_for_itself(besides, pin, snap)) is not None:
        raise DuplicateCode(
            "the lock still has this PIN for another access code, which waits for the one that this code has "
            "there: ask again once the lock has taken the changes asked for before",
            access_code_id=holder,
        )
    return pin


def demand_own_pin(context: Context, snap: Snapshot, before: AccessCode, after: AccessCode) -> None:
    """Refuse to revive a code that has ended with a PIN that went to another one, or suits no longer."""
    if is_past(before, snap, context.t) and not is_over(after, snap, context.t):
        pin_for(context, snap, after.pin.reveal(), besides=after.access_code_id)


def demand_reachable(snap: Snapshot, *, attempt_for_offline_device: bool) -> None:
    """Refuse at once, where asked to, what an offline lock would get only later."""
    device = snap.device
    if not attempt_for_offline_device and device.asleep_since is not None:
        raise DeviceRefused(
            "the lock listens only after somebody touches it, and it was asked not to wait",
            device_id=device.device_id,
        )
    online = device.link is Link.ONLINE and device.authority_lost_at is None
    if not attempt_for_offline_device and not online:
        raise DeviceRefused("the lock is offline, and it was asked not to wait", device_id=device.device_id)


def demand_shut(snap: Snapshot, code: AccessCode) -> None:
    """Refuse windows that come back on a lock that would open between them until somebody touches it."""
    can = snap.device.capabilities
    if code.recurrence is None or can is None or can.reach is not Reach.ON_TOUCH:
        return
    if not can.disabled_status and not can_keep(code, can):
        raise UnsupportedDevice(
            "this lock listens only after somebody touches it and keeps no such windows itself, so the code "
            "would open between them: give it starts_at and ends_at, or leave recurrence out",
            device_id=snap.device.device_id,
        )


def demand_pool(snap: Snapshot) -> None:
    """Refuse backups on a lock that is too small for them, unless a person turned its pool on."""
    can, device = snap.device.capabilities, snap.device
    if can is not None and not supports_pool(can) and not device.backup_pool_size:
        raise UnsupportedDevice(
            "this lock has few slots, and backups would take the places of guests: leave out "
            "use_backup_access_code_pool, or turn the pool on with devices/update",
            device_id=device.device_id,
        )


def demand_backup_fits(context: Context, snap: Snapshot, before: AccessCode, after: AccessCode) -> None:
    """Refuse to keep a code to times that its pulled backup, which opens from now on, is not kept to."""
    backup = snap.codes.get(before.pulled_backup_access_code_id or "")
    if backup is None or is_over(backup, snap, context.t):
        return
    told = "a backup was pulled for this code, and it opens at any time: delete the backup first"
    if after.recurrence is not None and after.recurrence != before.recurrence:
        raise InvalidInput(told, field="recurrence")
    soonest = max(before.starts_at or context.t.at, context.t.at)
    if after.starts_at is not None and after.starts_at > soonest:
        raise InvalidInput(told, field="starts_at")


def demand_able(snap: Snapshot, *, one_time: bool, offline: bool) -> None:
    """Refuse what this lock cannot do, and say why."""
    can, device_id = snap.device.capabilities, snap.device.device_id
    if offline:
        raise UnsupportedDevice(
            "this lock has no offline codes: it computes none, every code is set by radio",
            device_id=device_id,
        )
    if one_time and can is None:
        raise UnsupportedDevice("it is not known yet whether this lock reports use", device_id=device_id)
    if one_time and can is not None and not can.reports_use:
        raise UnsupportedDevice(
            "this lock does not report which code was used, so one for a single use cannot be ended",
            device_id=device_id,
        )


def mark_deleted(work: Work, code: AccessCode) -> AccessCode:
    """Have a code removed, because a client says so. What held back a write does not hold this back."""
    gone = replace(code, deleted_at=work.now, revision=code.revision + 1, updated_at=work.now)
    work.set_code(gone)
    work.set_placement(code.access_code_id, failures=0, failure=None, retry_at=None)
    tell_asked(work, code.access_code_id, ["deleting"])
    return gone


def tell_asked(
    work: Work, access_code_id: str, mutations: Iterable[str], times: Mapping[str, Any] | None = None
) -> None:
    """Tell what a client asked for of a code; `times`, where they move, are for its timeline alone."""
    requested = [{"mutation_code": mutation} for mutation in mutations]
    work.tell("access_code.mutations_requested", access_code_id, asked=times, requested_mutations=requested)
