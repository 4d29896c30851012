"""The timeline of a code as people read it: in one call, in words, in the time of the house."""

from typing import Any

import pytest

from tests.cli.conftest import House, Pinsmith

FIRST = {"starts_at": "2026-11-20T14:00:00.000Z", "ends_at": "2026-11-22T10:00:00.000Z"}
MOVED = {"starts_at": "2026-11-20T15:00:00.000Z", "ends_at": "2026-11-22T10:00:00.000Z"}
BEFORE = "from 2026-11-20 15:00 CET until 2026-11-22 11:00 CET"
AFTER = "from 2026-11-20 16:00 CET until 2026-11-22 11:00 CET"
WEEKLY = {"cron": "0 9 * * 2", "minutes": 180, "time_zone": "Europe/Berlin"}
CREATED = "access_code.created [client]: a code was created"
UPDATED = "access_code.mutations_requested [client]: a command changed what is wanted"


def entry(kind: str, description: str, actor: str = "hub", **details: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return one entry, at three in the afternoon."""
    return {
        "at": "2026-11-20T14:04:00.000Z",
        "kind": kind,
        "description": description,
        "actor": actor,
        "details": details,
    }


def update(*mutations: str, **dates: dict[str, Any]) -> dict[str, Any]:
    """Return what a command asked for."""
    asked = [{"mutation_code": mutation} for mutation in mutations]
    kind, when = "access_code.mutations_requested", "a command changed what is wanted"
    return entry(kind, when, "client", requested_mutations=asked, **dates)


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (
            entry("access_code.created", "a code was created", "client", is_backup=False, **FIRST),
            f"{CREATED}: {BEFORE}",
        ),
        (
            entry("access_code.created", "a code was created", "client", starts_at=None, ends_at=None),
            f"{CREATED}: at once, without an end",
        ),
        (
            entry(
                "access_code.created",
                "a code was created",
                "client",
                **FIRST | {"starts_at": None},
                recurrence=WEEKLY,
            ),
            f"{CREATED}: at once until 2026-11-22 11:00 CET, for 180 min at each 0 9 * * 2 (Europe/Berlin)",
        ),
        (update("updating_code"), f"{UPDATED}: another PIN"),
        (update("updating_name"), f"{UPDATED}: another name"),
        (
            update("updating_time_frame", **{"from": FIRST, "to": MOVED}),
            f"{UPDATED}: other times: {AFTER}, before: {BEFORE}",
        ),
        (
            update("updating_code", "updating_time_frame", **{"from": FIRST, "to": MOVED}),
            f"{UPDATED}: another PIN, other times: {AFTER}, before: {BEFORE}",
        ),
        (update("updating_time_frame"), f"{UPDATED}: other times"),
        (update("deleting"), f"{UPDATED}: its deletion"),
        (update("newer_mutation"), f"{UPDATED}: newer_mutation"),
        (
            entry(
                "internal.access_code.programming_started",
                "clearing slot 20 began: its window has moved",
                slot="20",
                revision=2,
                why="its window has moved",
            ),
            "radio: clearing slot 20 began: its window has moved",
        ),
        (
            entry(
                "lock.access_denied",
                "the code is not allowed at this time",
                "somebody at the lock",
                reason={"reason_code": "outside_schedule", "message": "the code is not allowed at this time"},
            ),
            "lock.access_denied [somebody at the lock]: the code is not allowed at this time",
        ),
        (
            entry(
                "access_code.changed",
                "its `status` changed",
                changed_properties=[{"property": "status", "from": "set", "to": "removing"}],
            ),
            "access_code.changed: its `status` changed (status set to removing)",
        ),
    ],
)
def test_each_line_says_what_was_asked_for_or_done(
    house: House, pinsmith: Pinsmith, told: dict[str, Any], line: str
) -> None:
    """A guest whose start was moved to 16:00 finds it here at 15:04."""
    house.answers["access_codes/get_timeline"] = {"timeline_events": [told]}
    assert pinsmith("codes", "timeline", "c1").lines == [f"2026-11-20 15:04 CET {line}"]
