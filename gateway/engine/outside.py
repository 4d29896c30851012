"""What somebody else did to a code of ours: told, and put right or honoured. Works on a `Work`."""

import msgspec

from gateway.domain.credential import Credential, Evidence
from gateway.domain.placement import Confirmed, Outside, Placement
from gateway.domain.timing import CONTEST_FIRST, CONTEST_LASTS, CONTEST_MOST, CONTESTED
from gateway.engine.desire import granularity
from gateway.engine.holding import gone
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
    """Count what others change again and again: two controllers that fight drain the battery."""
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
    if owner.outside is not None and owner.outside.honoured and fields == ("enabled",) and seen.enabled:
        # Disabled by hand and honoured, now enabled again by hand: all is as it was asked for.
        again = msgspec.structs.replace(confirmed, credential=seen, evidence=Evidence.READ_BACK)
        work.set_placement(owner.access_code_id, outside=None, confirmed=again)
        return
    code = work.codes.get(owner.access_code_id)
    allowed = code is not None and code.is_external_modification_allowed and not _is_taken(work, owner, seen)
    known = owner.outside is not None and owner.outside.fields == fields and not owner.outside.honoured
    if not known and code is not None and code.deleted_at is None:
        work.tell(
            "access_code.modified_external_to_gateway",
            owner.access_code_id,
            change_type="modified",
            modified_fields=list(fields),
        )
    if not known:
        outside = Outside(change="modified", fields=fields, at=work.now, honoured=allowed)
        work.set_placement(owner.access_code_id, outside=outside)
        if not allowed:
            _contest(work, owner)
    if code is None or not allowed:
        return
    schedule = seen.schedule
    adopted = msgspec.structs.replace(
        code,
        pin=seen.pin,
        starts_at=schedule.starts_at if "schedule" in fields and schedule is not None else code.starts_at,
        ends_at=schedule.ends_at if "schedule" in fields and schedule is not None else code.ends_at,
        revision=code.revision + 1,
        updated_at=work.now,
    )
    work.set_code(adopted)
    work.set_placement(
        owner.access_code_id,
        confirmed=Confirmed(
            credential=seen, evidence=Evidence.READ_BACK, at=work.now, revision=adopted.revision
        ),
    )


def _is_taken(work: Work, owner: Placement, seen: Credential) -> bool:
    """Say whether another code of this lock has that PIN: then the change is not adopted (rule 4)."""
    return any(
        code.pin == seen.pin for code in work.codes.values() if code.access_code_id != owner.access_code_id
    ) or any(
        p.confirmed is not None and p.confirmed.credential.pin == seen.pin
        for p in work.placements.values()
        if p.access_code_id != owner.access_code_id
    )


def modified_unseen(work: Work, owner: Placement, confirmed: Confirmed, field: str) -> None:
    """Note a change that cannot be read (rule 3): one rewrite, unless the code allows such changes."""
    code = work.codes.get(owner.access_code_id)
    if code is None or code.deleted_at is not None:
        return
    allowed = code.is_external_modification_allowed
    work.set_placement(
        owner.access_code_id,
        confirmed=msgspec.structs.replace(confirmed, evidence=Evidence.SENT),
        outside=Outside(change="modified", fields=(field,), at=work.now, honoured=allowed),
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
