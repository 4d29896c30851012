"""What somebody else did to a code of ours: told, and put right or honoured. Works on a `Work`."""

from datetime import datetime

import msgspec

from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Evidence
from gateway.domain.pin import Pin
from gateway.domain.pins import clash
from gateway.domain.placement import Confirmed, Outside, Placement
from gateway.domain.timing import CONTEST_FIRST, CONTEST_LASTS, CONTEST_MOST, CONTESTED
from gateway.engine.backups import follow
from gateway.engine.desire import granularity, is_disabled_by_hand, is_past
from gateway.engine.holding import gone
from gateway.engine.pins import rules_of
from gateway.engine.setting import conflict
from gateway.engine.waiting import age
from gateway.engine.work import Work


def removed_by_somebody(work: Work, owner: Placement) -> None:
    """Note that somebody else removed the code, and tell it."""
    code = work.codes.get(owner.access_code_id)
    honoured = code is not None and code.is_external_modification_allowed and code.deleted_at is None
    confirmed = owner.confirmed
    gone(work, owner, by_us=False)
    if code is not None and confirmed is not None and confirmed.evidence <= Evidence.ACCEPTED:
        _never_held(work, owner)
        return
    if code is None or code.deleted_at is not None:
        work.set_placement(owner.access_code_id, slot=None)
        return
    work.set_placement(
        owner.access_code_id,
        slot=None if honoured or chooses_slots(work) else owner.slot,
        outside=Outside(change="removed", fields=("code",), at=work.now, honoured=honoured),
    )
    work.tell("access_code.deleted_external_to_gateway", owner.access_code_id, change_type="removed")
    if not honoured:
        _contest(work, owner)


def _never_held(work: Work, owner: Placement) -> None:
    """Note that the lock accepted the code and never showed it: it was not removed, it was not kept."""
    lost = owner.lost + 1
    retry_at = work.retry_after(lost)
    work.set_placement(owner.access_code_id, lost=lost, slot=None, retry_at=retry_at)


def _contest(work: Work, owner: Placement) -> None:
    """Count what others change again and again: two controllers that fight drain the battery.

    What is on its way out is not fought over. Each look that finds it changed would put off its removal.
    """
    if owner.removal_began is not None:
        return
    since = owner.contested_at
    count = owner.contested + 1 if since is not None and age(since, work.now) < CONTEST_LASTS else 1
    pause = min(CONTEST_FIRST * 2 ** min(count - CONTESTED, 10), CONTEST_MOST) if count >= CONTESTED else None
    work.set_placement(
        owner.access_code_id,
        contested=count,
        contested_at=work.now,
        retry_at=work.now + pause if pause is not None else None,
    )


def chooses_slots(work: Work) -> bool:
    """Say whether the lock assigns slots by itself."""
    capabilities = work.device.capabilities
    return capabilities is not None and capabilities.lock_chooses_slot


def modified(work: Work, owner: Placement, confirmed: Confirmed, seen: Credential) -> None:
    """Note that somebody changed the code: put right by the planner, or adopted where the code allows it."""
    fields = seen.differences(confirmed.credential, granularity(work.snapshot()))
    if is_disabled_by_hand(owner) and fields == ("enabled",) and seen.enabled:
        _enabled_again(work, owner, seen, Evidence.READ_BACK)
        return
    code = work.codes.get(owner.access_code_id)
    kept = _kept(work, owner, seen, fields)
    known = owner.outside is not None and owner.outside.fields == fields and not owner.outside.honoured
    if not known and code is not None and code.deleted_at is None:
        work.tell(
            "access_code.modified_external_to_gateway",
            owner.access_code_id,
            change_type="modified",
            modified_fields=list(fields),
        )
    if not known:
        outside = Outside(change="modified", fields=kept or fields, at=work.now, honoured=bool(kept))
        work.set_placement(owner.access_code_id, outside=outside)
        if not kept:
            _contest(work, owner)
    if code is None or not kept:
        return
    starts_at, ends_at = (
        _dates(code, confirmed, seen) if "schedule" in kept else (code.starts_at, code.ends_at)
    )
    adopted = msgspec.structs.replace(
        code,
        pin=seen.pin if "code" in kept else code.pin,
        # A code for one use that was used up stays so: it is about to go.
        first_used_at=None if "code" in kept and not code.is_used_up else code.first_used_at,
        starts_at=starts_at,
        ends_at=ends_at,
        revision=code.revision + 1,
        updated_at=work.now,
    )
    work.set_code(adopted)
    follow(work, adopted)
    work.set_placement(
        owner.access_code_id,
        confirmed=Confirmed(
            credential=seen, evidence=Evidence.READ_BACK, at=work.now, revision=adopted.revision
        ),
        pin_since=work.now if "code" in fields else owner.pin_since,
    )


def _dates(
    code: AccessCode, confirmed: Confirmed, seen: Credential
) -> tuple[datetime | None, datetime | None]:
    """Return start and end as somebody set them; what is as we wrote it stays that of the code.

    What we wrote may be no more than a fence around the code's own dates.
    """
    now, before = seen.schedule, confirmed.credential.schedule
    if now is None:
        return code.starts_at, code.ends_at
    return (
        code.starts_at if before is not None and now.starts_at == before.starts_at else now.starts_at,
        code.ends_at if before is not None and now.ends_at == before.ends_at else now.ends_at,
    )


def _enabled_again(work: Work, owner: Placement, content: Credential, evidence: Evidence) -> None:
    """Note that a code is as it was asked for: somebody had disabled it, allowed to, and enabled it now."""
    revision = owner.confirmed.revision if owner.confirmed is not None else 0
    confirmed = Confirmed(credential=content, evidence=evidence, at=work.now, revision=revision)
    work.set_placement(owner.access_code_id, outside=None, confirmed=confirmed)


def _kept(work: Work, owner: Placement, seen: Credential, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return which of the changed fields stay as somebody made them: what the code allows and can take on.

    Weekdays cannot be told in the terms of a code, and the dates beside them are not those of the code. What
    somebody disabled stays so until somebody enables it; when a code is enabled, its windows say.
    """
    code = work.codes.get(owner.access_code_id)
    if code is None or not code.is_external_modification_allowed:
        return ()
    if "code" in fields and _is_taken(work, code, seen.pin):
        return ()
    dates = seen.schedule is not None and not seen.schedule.weekly and code.recurrence is None
    stays = {"code": code.common_code_key is None, "enabled": not seen.enabled, "schedule": dates}
    made = {*fields, "enabled"} if is_disabled_by_hand(owner) else fields
    return tuple(field for field in stays if field in made and stays[field])


def _is_taken(work: Work, code: AccessCode, pin: Pin) -> bool:
    """Say whether the lock could not tell that PIN from another: then the change is not adopted (rule 4)."""
    snap = work.snapshot()
    return conflict(code, pin, snap) is not None or any(
        clash(other.pin, pin, rules_of(snap)) and not is_past(other, snap, work.t)
        for other in work.codes.values()
        if other.access_code_id != code.access_code_id
    )


def modified_unseen(work: Work, owner: Placement, confirmed: Confirmed, field: str) -> None:
    """Note a change that cannot be read (rule 3): one rewrite, unless the code allows such changes."""
    code = work.codes.get(owner.access_code_id)
    if code is None or code.deleted_at is not None:
        return
    is_enabling = field == "enabled" and not confirmed.credential.enabled
    if is_enabling and is_disabled_by_hand(owner):
        _enabled_again(
            work, owner, msgspec.structs.replace(confirmed.credential, enabled=True), Evidence.OCCUPIED
        )
        return
    shared = field == "code" and code.common_code_key is not None
    allowed = code.is_external_modification_allowed and not shared and not is_enabling
    work.set_placement(
        owner.access_code_id,
        confirmed=msgspec.structs.replace(confirmed, evidence=Evidence.SENT, at=work.now),
        outside=Outside(change="modified", fields=(field,), at=work.now, honoured=allowed),
        pin_since=work.now if allowed and field == "code" else owner.pin_since,
        rewrite_due=not allowed,
        empty_since=None,
        empty_twice=False,
    )
    work.tell(
        "access_code.modified_external_to_gateway",
        owner.access_code_id,
        change_type="modified",
        modified_fields=[field],
    )
    if not allowed:
        _contest(work, owner)


def touched_unseen(work: Work, owner: Placement) -> None:
    """Take in a report of a change on a lock that cannot be read at all."""
    if owner.confirmed is not None:
        modified_unseen(work, owner, owner.confirmed, "code")
