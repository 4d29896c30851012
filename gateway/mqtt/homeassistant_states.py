"""What Home Assistant shows of the hub and its locks, so that its templates need no logic. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from gateway.domain.clock import TimeView
from gateway.domain.events import EVENTS, StoredEvent
from gateway.domain.lock import Device
from gateway.engine import wire
from gateway.engine.mutations import instant

type OnOff = Literal["ON", "OFF"]

USES = frozenset({"lock.unlocked"})
ERRORS = frozenset(name for name, kind in EVENTS.items() if "error_code" in kind.fields)
"""Events that tell of an error, which may be over by now."""
_POOL = "empty_backup_access_code_pool"
"""The one error of a lock that keeps no guest's own code from it."""
_HOLDS_BACK = frozenset({"clock_untrusted", "device_paused", "held_after_restore"})
"""Warnings of a lock with which no code is put on."""


class LockState(wire.Wire, frozen=True, kw_only=True):
    """`lock/<device_id>/homeassistant`."""

    link: Literal["online", "offline"]
    problem: OnOff
    problem_details: dict[str, Any]
    in_sync: OnOff
    arrival_at_risk: OnOff
    arrival_details: dict[str, Any]
    battery: int | None
    """Percent."""
    slots_free: int
    codes_on_lock: int
    codes: dict[str, Any]
    last_used_at: wire.Time | None
    last_use: dict[str, Any]
    last_error: str | None
    last_error_details: dict[str, Any]


class HubState(wire.Wire, frozen=True, kw_only=True):
    """`bridge/homeassistant`. `links`: by driver, whether at least its server or adapter answers."""

    clock_trusted: OnOff
    codes_in_trouble: int
    links: dict[str, OnOff]


class LockNews(Struct, frozen=True, kw_only=True):
    """One lock at one moment. `look_again` is when time alone may make it another state."""

    shown: wire.Device
    state: LockState
    codes_in_trouble: int
    look_again: datetime | None


def lock_news(
    states: Iterable[wire.Wire],
    events: Sequence[StoredEvent],
    at: datetime,
    *,
    arrival_notice: timedelta,
    publish_names: bool,
) -> LockNews:
    """Work out what is shown of a lock.

    `states` are the lock and all its codes with names and dates; `events` its newest use and newest error.
    A code counts as an arrival from `arrival_notice` before its start. Names get out only with
    `publish_names`.
    """
    shown: wire.Device | None = None
    codes: list[wire.AccessCodeState] = []
    for one in states:
        if isinstance(one, wire.Device):
            shown = one
        elif isinstance(one, wire.AccessCodeState):
            codes.append(one)
    if shown is None:
        raise ValueError("the lock itself is not among the states")
    names = {code.access_code_id: code.name for code in codes if code.name} if publish_names else None
    errors = [*shown.errors, *(error for code in codes for error in _own(code))]
    use = next((one for one in events if one.event.event_type in USES), None)
    told = next((one for one in events if one.event.event_type in ERRORS), None)
    late = [code for code in codes if _is_at_risk(code, shown, at, arrival_notice)]
    last_error = _last_error(errors, told)
    soon = [begin for code in codes if (begin := _start(code)) is not None and begin - arrival_notice > at]
    return LockNews(
        shown=shown,
        state=LockState(
            link="online" if shown.properties.online else "offline",
            problem=_on(errors),
            problem_details={"errors": [_brief(error) for error in errors]},
            in_sync=_on(all(_is_in_sync(code) for code in codes)),
            arrival_at_risk=_on(late),
            arrival_details={
                "access_codes": [_who(code.access_code_id, names) for code in late],
                "access_code_ids": [code.access_code_id for code in late],
            },
            battery=_percent(shown.properties.battery),
            slots_free=_free(shown),
            codes_on_lock=shown.counts.on_lock,
            codes={} if names is None else {"names": names},
            last_used_at=instant(use.event.occurred_at) if use is not None else None,
            last_use=_use(use, names) if use is not None else {},
            last_error=last_error.pop("error_code", None),
            last_error_details=last_error,
        ),
        codes_in_trouble=sum(1 for code in codes if code.errors),
        look_again=min(soon) - arrival_notice if soon else None,
    )


def hub_state(devices: Iterable[Device], news: Mapping[str, LockNews], t: TimeView) -> HubState:
    """Work out what is shown of the hub. A driver with no configured lock is not shown."""
    links: dict[str, OnOff] = {}
    for device in devices:
        if device.policy is not None:
            known = links.get(device.policy.driver) == "ON"
            links[device.policy.driver] = _on(known or device.authority_lost_at is None)
    return HubState(
        clock_trusted=_on(t.trusted),
        codes_in_trouble=sum(one.codes_in_trouble for one in news.values()),
        links=dict(sorted(links.items())),
    )


def _on(condition: object) -> OnOff:
    return "ON" if condition else "OFF"


def _own(code: wire.AccessCodeState) -> list[wire.ErrorEntry]:
    """Return the errors of the code itself: those of the lock are on each of its codes too."""
    return [error for error in code.errors if error.is_access_code_error is True]


def _is_in_sync(code: wire.AccessCodeState) -> bool:
    return _waits_on_lock(code) or (code.status in {"set", "unset"} and _only_waits(code))


def _waits_on_lock(code: wire.AccessCodeState) -> bool:
    """Say whether a code is on the lock as it should be until its start, and "setting" for that alone."""
    return code.status == "setting" and code.evidence is not None and _only_waits(code)


def _only_waits(code: wire.AccessCodeState) -> bool:
    return all(one.mutation_code == "deferring_creation" for one in code.pending_mutations)


def _is_at_risk(code: wire.AccessCodeState, lock: wire.Device, at: datetime, notice: timedelta) -> bool:
    """Say whether somebody arrives soon, or has arrived, whose code is not on the lock as it should be."""
    begin, end = _start(code), _time(code.ends_at)
    if begin is None or begin - notice > at or (end is not None and end <= at):
        return False
    is_moved = any(one.mutation_code == "updating_time_frame" for one in code.pending_mutations)
    is_missing = code.status in {"unset", "setting", "unknown"} or (code.status == "removing" and is_moved)
    if code.is_scheduled_on_device or not is_missing:
        return False
    if code.status != "unset" and not _waits_on_lock(code):
        return True
    is_used = code.is_one_time_use and bool(code.first_used_at)
    is_held_back = any(warning.warning_code in _HOLDS_BACK for warning in lock.warnings)
    in_trouble = is_held_back or any(error.error_code != _POOL for error in code.errors)
    return in_trouble and not is_used


def _start(code: wire.AccessCodeState) -> datetime | None:
    """Return when somebody arrives; None for codes without a start, and for windows that come back."""
    return None if code.recurrence else _time(code.starts_at)


def _time(text: str | UnsetType | None) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _percent(battery: wire.Battery | UnsetType) -> int | None:
    return None if battery is UNSET else round(battery.level * 100)


def _free(shown: wire.Device) -> int:
    """Return how many codes still fit. A lock that chooses its slots has none that the hub could count."""
    counts, most = shown.counts, shown.properties.max_active_codes_supported
    if counts.managed_slots or most is UNSET:
        return counts.slots_free
    return max(most - counts.on_lock - counts.unmanaged, 0)


def _brief(error: wire.ErrorEntry) -> dict[str, Any]:
    return {"error_code": error.error_code, "message": error.message, "remedy": error.remedy}


def _last_error(errors: Sequence[wire.ErrorEntry], told: StoredEvent | None) -> dict[str, Any]:
    """Return the newest error, whether it still holds or not; empty if there never was one."""
    found = [{"at": error.created_at or "", **_brief(error)} for error in errors]
    if told is not None:
        event = told.event
        found.append(
            {
                "at": instant(event.occurred_at) or "",
                "error_code": str(event.payload.get("error_code")),
                "message": str(event.payload.get("message")),
                "access_code_id": event.access_code_id,
            }
        )
    return max(found, key=lambda one: str(one["at"]), default={})


def _use(told: StoredEvent, names: Mapping[str, str] | None) -> dict[str, Any]:
    event = told.event
    fields = ("method", "slot", "access_code_is_managed")
    return {
        "who": _who(event.access_code_id, names),
        "access_code_id": event.access_code_id,
        **{name: event.payload.get(name) for name in fields},
    }


def _who(access_code_id: str | None, names: Mapping[str, str] | None) -> str | None:
    return (
        access_code_id
        if names is None or access_code_id is None
        else names.get(access_code_id, access_code_id)
    )
