"""What the log says of events and of errors and warnings, and how much it matters.

A line is noted while a unit runs and written once the unit is durable: what was rolled back did not happen.
"""

import logging
from datetime import datetime
from typing import Any

from msgspec import Struct

from gateway.domain.catalogue import CATALOGUE
from gateway.domain.events import EVENTS, Event
from gateway.domain.issues import Issue
from gateway.domain.trouble import about, lasted

_ALARMS = frozenset(
    {"clock_step_held", "delay_in_setting_on_device", "device_replaced", "device_wiped", "failed_to_expire"}
)
"""Issues that should wake a person: somebody stands before the door, or may come in who should not."""
_EXPECTED = frozenset(
    {
        "being_deleted",
        "device_not_managed",
        "device_paused",
        "external_modification_in_effect",
        "unable_to_confirm_code",
        "unable_to_confirm_deletion",
        "using_backup_access_code",
        "waiting_for_touch",
    }
)
"""Issues that somebody asked for, or that belong to the lock."""
_OF_THE_HUB = frozenset({"clock_untrusted", "hub_disconnected"})
"""Issues of every lock at once; the trouble behind them has a line of its own."""
_NOTABLE = frozenset(
    {
        "device.pairing_failed",
        "device.tampered",
        "gateway.backup_failed",
        "gateway.gap",
        "gateway.retained_command",
    }
)
"""Events that a person should read of, without hurry."""
_TOLD_BY_ISSUES = (
    {"device.connected"}
    | {kind.over for kind in CATALOGUE.values()}
    | {kind.event_type for kind in EVENTS.values() if {"error_code", "warning_code"} & set(kind.fields)}
)
"""Events that say in other words that an issue began or ended: that line is enough."""
_SAID = ("message", "what", "events_dropped", "verb")
"""Fields of an event that its line repeats: words and numbers of ours."""


class Line(Struct, frozen=True):
    """One line of the log; `fields` are those of `gateway.domain.trouble.FIELDS`."""

    level: int
    words: str
    fields: dict[str, Any]


def of_event(event: Event, seq: int) -> Line:
    """Say that something happened."""
    said = "; ".join(str(event.payload[name]) for name in _SAID if name in event.payload)
    for change in event.payload.get("changed_properties", ()):
        said = f"{change['from']} -> {change['to']}"
    words = f"Event {seq}: {event.event_type} {event.device_id} {event.access_code_id or ''}".rstrip()
    fields = about(lock=event.device_id, code=event.access_code_id, event=event.event_type, seq=seq)
    return Line(_of_event(event.event_type), f"{words}: {said}" if said else words, fields)


def of_beginning(device_id: str, issue: Issue, attempts: int) -> Line:
    """Say that an error or a warning began."""
    words = f"{_about(device_id, issue)}: {issue.message}"
    return Line(_of_issue(issue.code), words, _fields(device_id, issue, attempts, state="begins"))


def of_miss(device_id: str, issue: Issue) -> Line:
    """Say that something did not happen and never will: it has no end."""
    return Line(
        _of_issue(issue.code), f"{_about(device_id, issue)}: {issue.message}", _fields(device_id, issue, 0)
    )


def of_end(device_id: str, issue: Issue, attempts: int, now: datetime) -> Line:
    """Say that an error or a warning is over, and how long it was there; `attempts` failed before."""
    seconds = (now - issue.created_at).total_seconds() if issue.created_at is not None else 0.0
    tried = f" and {attempts} failed attempt{'' if attempts == 1 else 's'}" if attempts else ""
    words = f"{_about(device_id, issue)}: over after {lasted(seconds)}{tried}"
    level = min(_of_issue(issue.code), logging.INFO)
    fields = _fields(device_id, issue, attempts, state="ends", lasted_s=max(round(seconds), 0))
    return Line(level, words, fields)


def _about(device_id: str, issue: Issue) -> str:
    of = f" {issue.access_code_id}" if issue.access_code_id is not None else ""
    return f"{device_id}{of}: {issue.code}"


def _fields(device_id: str, issue: Issue, attempts: int, **more: object) -> dict[str, Any]:
    return about(
        lock=device_id, code=issue.access_code_id, trouble=issue.code, attempt=attempts or None, **more
    )


def _of_event(event_type: str) -> int:
    if event_type in _TOLD_BY_ISSUES:
        return logging.DEBUG
    return logging.WARNING if event_type in _NOTABLE else logging.INFO


def _of_issue(code: str) -> int:
    if code in _OF_THE_HUB:
        return logging.DEBUG
    if code in _ALARMS:
        return logging.ERROR
    return logging.INFO if code in _EXPECTED else logging.WARNING
