"""Access codes as clients see them, and what is retained on the broker."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from msgspec import UNSET
from msgspec.structs import asdict, replace

from gateway.domain.clock import TimeView
from gateway.domain.code import AccessCode
from gateway.domain.credential import Evidence
from gateway.domain.issues import Issue
from gateway.domain.placement import Placement, Snapshot
from gateway.domain.store import Tx
from gateway.domain.timing import Timing
from gateway.engine import lock_views, wire
from gateway.engine.backups import available, is_replaceable
from gateway.engine.desire import has_ended, is_over, is_scheduled, status
from gateway.engine.lock_views import RadioOf, error_entry, no_radio, warning_entry
from gateway.engine.mutations import instant, moment, pending_mutations, without_details, without_pin

_BY = {
    Evidence.SENT: "it was sent; the lock does not say whether it took it",
    Evidence.ACCEPTED: "the lock acknowledged it",
    Evidence.OCCUPIED: "the lock says that the slot is taken; it hides the digits",
    Evidence.READ_BACK: "the lock showed it when asked",
    Evidence.USED: "somebody opened the door with it",
}


class CodeViews:
    """The codes of one lock, with what they share worked out once."""

    def __init__(self, snap: Snapshot, issues: Sequence[Issue], t: TimeView, timing: Timing) -> None:
        """Show `snap` with these issues of the lock and its codes."""
        self._snap = snap
        self._t = t
        self._timing = timing
        self._of_lock: list[Issue] = []
        self._of_code: dict[str, list[Issue]] = {}
        for issue in issues:
            if issue.access_code_id is None:
                self._of_lock.append(issue)
            else:
                self._of_code.setdefault(issue.access_code_id, []).append(issue)

    def state(self, code: AccessCode) -> wire.AccessCodeState:
        """Return the code without its PIN, at any depth."""
        shown = asdict(self._shown(code))
        del shown["code"]
        shown["pending_mutations"] = [without_pin(mutation) for mutation in shown["pending_mutations"]]
        return wire.AccessCodeState(**shown)

    def access_code(self, code: AccessCode) -> wire.AccessCode:
        """Return the code with its PIN: only for the reply to the client that asked."""
        return self._shown(code)

    @cached_property
    def _has_backup(self) -> bool:
        return bool(available(self._snap, self._t, self._timing))

    def _shown(self, code: AccessCode) -> wire.AccessCode:
        snap, t, timing = self._snap, self._t, self._timing
        placement = snap.placement(code.access_code_id)
        own = self._of_code.get(code.access_code_id, [])
        state = status(code, snap, t, timing)
        scheduled = is_scheduled(code, snap, t, timing)
        return wire.AccessCode(
            access_code_id=code.access_code_id,
            device_id=code.device_id,
            name=code.name,
            appearance=_appearance(placement),
            code=code.pin.reveal(),
            type=code.type,
            starts_at=instant(code.starts_at),
            ends_at=instant(code.ends_at),
            recurrence=_recurrence(code),
            status=state,
            display_status=_label(code, snap, t, state, scheduled=scheduled),
            is_scheduled_on_device=scheduled,
            is_external_modification_allowed=code.is_external_modification_allowed,
            is_one_time_use=code.is_one_time_use,
            is_backup=code.backup is not None,
            is_backup_access_code_available=is_replaceable(code, snap, t) and self._has_backup,
            pulled_backup_access_code_id=code.pulled_backup_access_code_id,
            common_code_key=code.common_code_key,
            prefer_native_scheduling=code.prefer_native_scheduling,
            created_at=moment(code.created_at),
            first_used_at=instant(code.first_used_at),
            errors=[error_entry(issue) for issue in [*self._of_lock, *own] if issue.kind.level == "error"],
            warnings=[warning_entry(issue) for issue in own if issue.kind.level == "warning"],
            pending_mutations=pending_mutations(code, snap, t, timing),
            slot=placement.slot,
            **_evidence(placement),
        )


def _appearance(placement: Placement) -> wire.Appearance | None:
    name = placement.confirmed.credential.name if placement.confirmed is not None else None
    return wire.Appearance(name=name) if name is not None else None


def _recurrence(code: AccessCode) -> wire.RecurrenceView | None:
    it = code.recurrence
    return (
        None if it is None else wire.RecurrenceView(cron=it.cron, minutes=it.minutes, time_zone=it.time_zone)
    )


def _evidence(placement: Placement) -> dict[str, Any]:
    confirmed = placement.confirmed
    if confirmed is None:
        return {"evidence": None, "evidence_by": None, "confirmed_at": None}
    return {
        "evidence": confirmed.evidence.name.lower(),
        "evidence_by": _BY[confirmed.evidence],
        "confirmed_at": instant(confirmed.at),
    }


def _label(code: AccessCode, snap: Snapshot, t: TimeView, state: str, *, scheduled: bool) -> str:
    """Return the status in words for people; programs must not branch on it."""
    if state == "set":
        return "Active"
    if state == "setting":
        return "Issuing"
    if state == "removing":
        return "Removing"
    if state == "unknown":
        return "Unknown"
    if code.is_used_up:
        return "Used"
    if has_ended(code, t):
        return "Expired"
    if is_over(code, snap, t):
        return "Deleted"
    if scheduled:
        return "Scheduled on the lock"
    return "Waiting on the lock" if snap.may_hold(code.access_code_id) else "Scheduled"


_PRIVATE = ("name", "appearance", "starts_at", "ends_at", "recurrence", "first_used_at")


def retained_states(
    tx: Tx,
    device_id: str,
    t: TimeView,
    timing: Timing,
    *,
    publish_names: bool,
    radio: RadioOf = no_radio,
) -> dict[str, wire.Wire]:
    """Return the retained topics of a lock, below the root, with their content.

    Never a PIN; names and dates of guests only with `publish_names`.
    """
    snap = tx.snapshot(device_id)
    if snap is None:
        return {}
    issues = tx.issues(device_id)
    shown_lock = lock_views.device(snap, issues, t, timing, radio)
    states: dict[str, wire.Wire] = {f"lock/{device_id}/state": shown_lock}
    views = CodeViews(snap, issues, t, timing)
    for code in snap.codes.values():
        shown = views.state(code)
        states[f"access_code/{code.access_code_id}/state"] = shown if publish_names else _discreet(shown)
    return states


def _discreet(shown: wire.AccessCodeState) -> wire.AccessCodeState:
    """Leave out who and when."""
    hidden: dict[str, Any] = dict.fromkeys(_PRIVATE, UNSET)
    return replace(
        shown, **hidden, pending_mutations=[without_details(one) for one in shown.pending_mutations]
    )


def codes_of(
    snap: Snapshot, issues: Sequence[Issue], t: TimeView, timing: Timing
) -> Iterable[wire.AccessCode]:
    """Return every code of a lock with its PIN, backups that nobody pulled left out."""
    views = CodeViews(snap, issues, t, timing)
    return (views.access_code(code) for code in snap.codes.values() if code.backup != "waiting")
