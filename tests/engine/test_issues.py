"""Errors and warnings appear with the facts and clear with them."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from gateway.domain.clock import TimeView
from gateway.domain.credential import Evidence
from gateway.domain.lock import Link
from gateway.domain.placement import Placement, Snapshot
from gateway.domain.recurrence import Recurrence
from gateway.engine.planner import plan
from tests.engine.build import (
    CAN_BLIND,
    CAN_NATIVE,
    DAY,
    HOUR,
    IDENTITY,
    MINUTE,
    NOON,
    SECOND,
    TIMING,
    code,
    credential,
    device,
    held,
    outside,
    slot,
    snapshot,
    view,
)

FRESH = code(updated_at=NOON)
GONE = code(deleted_at=NOON)
ENDED = code(ends_at=NOON - SECOND)
TABLE: list[tuple[str, Snapshot, TimeView, set[str]]] = [
    # of the lock
    ("all is well", snapshot(code(), held()), view(), set()),
    (
        "not configured: nothing else matters",
        snapshot(device(None, policy=None)),
        view(),
        {"removed_from_configuration"},
    ),
    (
        "not configured: nobody knows of room for what is to come",
        snapshot(device(policy=None), code(starts_at=NOON + 8 * DAY)),
        view(),
        {"removed_from_configuration"},
    ),
    (
        "not configured: what should be there by now is late, for no other reason",
        snapshot(device(policy=None), code()),
        view(),
        {"removed_from_configuration", "delay_in_setting_on_device"},
    ),
    (
        "another lock",
        snapshot(device(seen_identity=replace(IDENTITY, serial="18"))),
        view(),
        {"device_replaced"},
    ),
    ("never seen", snapshot(device(None)), view(), {"device_not_found"}),
    (
        "not seen since the server came back",
        snapshot(device(unseen_since=NOON - 2 * MINUTE)),
        view(),
        {"device_not_found"},
    ),
    ("not seen yet", snapshot(device(unseen_since=NOON - MINUTE)), view(), set()),
    (
        "server away for long",
        snapshot(device(authority_lost_at=NOON - 2 * MINUTE)),
        view(),
        {"hub_disconnected"},
    ),
    ("server away just now", snapshot(device(authority_lost_at=NOON - MINUTE)), view(), set()),
    (
        "server away, never seen",
        snapshot(device(None, authority_lost_at=NOON - HOUR)),
        view(),
        {"hub_disconnected"},
    ),
    ("no answer", snapshot(device(link=Link.UNREACHABLE)), view(), {"device_disconnected"}),
    ("wiped", snapshot(device(wiped_at=NOON)), view(), {"device_wiped"}),
    ("paused", snapshot(device(paused_until=NOON + HOUR)), view(), {"device_paused"}),
    ("pause over", snapshot(device(paused_until=NOON)), view(), set()),
    ("restored", snapshot(device(held_for_restore=True)), view(), {"held_after_restore"}),
    ("time unknown", snapshot(code(ends_at=NOON + DAY), held()), view(trusted=False), {"clock_untrusted"}),
    ("time unknown, nothing depends on it", snapshot(code(), held()), view(trusted=False), set()),
    # of a code that should be there
    ("just asked for", snapshot(FRESH, slot("20")), view(), set()),
    ("late", snapshot(FRESH, slot("20")), view(NOON + 15 * MINUTE), {"delay_in_setting_on_device"}),
    ("not late yet", snapshot(FRESH, slot("20")), view(NOON + 14 * MINUTE), set()),
    (
        "late from its start on",
        snapshot(code(starts_at=NOON), slot("20")),
        view(),
        {"delay_in_setting_on_device"},
    ),
    (
        "staged, enabled in a moment",
        snapshot(code(starts_at=NOON), held(content=credential(enabled=False))),
        view(NOON + 59 * SECOND),
        set(),
    ),
    (
        "staged, not enabled a minute later",
        snapshot(code(starts_at=NOON), held(content=credential(enabled=False))),
        view(NOON + MINUTE),
        {"delay_in_setting_on_device"},
    ),
    (
        "staged with another PIN",
        snapshot(code(starts_at=NOON), held(content=credential("9", enabled=False))),
        view(),
        {"delay_in_setting_on_device"},
    ),
    (
        "staged, and enabling it failed",
        snapshot(code(starts_at=NOON), held(content=credential(enabled=False), failures=1)),
        view(),
        {"delay_in_setting_on_device", "failed_to_set_on_device"},
    ),
    (
        "staged, as far as one can know",
        snapshot(code(starts_at=NOON), held(content=credential(enabled=False), evidence=Evidence.SENT)),
        view(),
        {"delay_in_setting_on_device", "unable_to_confirm_code"},
    ),
    ("staged in time", snapshot(code(starts_at=NOON + MINUTE), slot("20")), view(), set()),
    (
        "asked for after its start",
        snapshot(code(starts_at=NOON - HOUR, updated_at=NOON - 14 * MINUTE), slot("20")),
        view(),
        set(),
    ),
    (
        "failed",
        snapshot(FRESH, Placement(access_code_id="ana", failures=1)),
        view(),
        {"failed_to_set_on_device"},
    ),
    ("failed once, on the lock now", snapshot(code(), held(failures=1)), view(), set()),
    (
        "sent, nothing came back",
        snapshot(device(CAN_BLIND), FRESH, held(evidence=Evidence.SENT)),
        view(),
        {"unable_to_confirm_code"},
    ),
    (
        "sent and failed",
        snapshot(device(CAN_BLIND), FRESH, held(evidence=Evidence.SENT, failures=2)),
        view(),
        {"failed_to_set_on_device"},
    ),
    (
        "changed outside",
        snapshot(FRESH, held(content=credential("9"), outside=outside())),
        view(),
        {"code_modified_external_to_gateway"},
    ),
    (
        "change honoured",
        snapshot(code(), held(outside=outside(honoured=True))),
        view(),
        {"external_modification_in_effect"},
    ),
    (
        "removal honoured: neither late nor failed",
        snapshot(
            code(), Placement(access_code_id="ana", failures=1, outside=outside("removed", honoured=True))
        ),
        view(),
        {"external_modification_in_effect"},
    ),
    # of a code that should be gone
    ("being removed", snapshot(GONE, held()), view(), {"being_deleted"}),
    ("removed", snapshot(GONE, Placement(access_code_id="ana", failures=3)), view(), set()),
    (
        "removal failed",
        snapshot(GONE, held(failures=1)),
        view(),
        {"failed_to_remove_from_device", "being_deleted"},
    ),
    (
        "removal takes long",
        snapshot(GONE, held(removal_began=NOON - 15 * MINUTE)),
        view(),
        {"delay_in_removing_from_device", "being_deleted"},
    ),
    (
        "removal takes no time",
        snapshot(GONE, held(removal_began=NOON - 14 * MINUTE)),
        view(),
        {"being_deleted"},
    ),
    ("ended just now", snapshot(ENDED, held()), view(), set()),
    (
        "still there two minutes after its end",
        snapshot(ENDED, held()),
        view(NOON + 2 * MINUTE),
        {"failed_to_expire"},
    ),
    ("gone two minutes after its end", snapshot(ENDED), view(NOON + 2 * MINUTE), set()),
    (
        "an outside change of a code that is leaving matters to nobody",
        snapshot(GONE, held(outside=outside())),
        view(),
        {"being_deleted"},
    ),
]


@pytest.mark.parametrize(("snap", "t", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_issues_follow_from_the_facts(snap: Snapshot, t: TimeView, expected: set[str]) -> None:
    """One line per case; nothing is remembered, so what is put right is no longer told."""
    assert {issue.code for issue in plan(snap, t, TIMING).issues} == expected


class TestWording:
    """What a person reads."""

    def test_the_lock_s_own_words_are_passed_on(self) -> None:
        """Why the last attempt failed; a plain sentence where nobody said."""
        said = snapshot(FRESH, Placement(access_code_id="ana", failures=1, failure="the keypad is locked"))
        unsaid = snapshot(GONE, held(failures=1))
        assert [issue.message for issue in plan(said, view(), TIMING).issues] == ["the keypad is locked"]
        assert [issue.message for issue in plan(unsaid, view(), TIMING).issues] == [
            "the code was deleted and is being removed from the lock",
            "the lock did not remove the code",
        ]

    def test_an_outside_change_names_its_fields_and_no_value(self) -> None:
        """Which fields, by whom is not known, and nothing of the new PIN."""
        snap = snapshot(code(), held(outside=outside(fields=("code", "enabled"))))
        [issue] = [i for i in plan(snap, view(), TIMING).issues if i.access_code_id == "ana" and i.data]
        assert issue.message == "somebody changed (code, enabled) this code on the lock"
        assert issue.data == {"change_type": "modified", "modified_fields": ["code", "enabled"]}

    @pytest.mark.parametrize(("hold", "words"), [(True, "until you decide"), (False, "fills it again")])
    def test_a_wiped_lock_says_what_happens_now(self, *, hold: bool, words: str) -> None:
        """By its policy."""
        [issue] = plan(snapshot(device(wiped_at=NOON, held_after_wipe=hold)), view(), TIMING).issues
        assert words in issue.message


ALWAYS = Recurrence(cron="* * * * *", minutes=1, time_zone="UTC")


class TestNextLook:
    """The hub wakes at every moment at which time alone changes something."""

    @pytest.mark.parametrize(
        ("snap", "wake"),
        [
            (snapshot(code(), held()), NOON + DAY),
            (snapshot(device(authority_lost_at=NOON - MINUTE)), NOON + MINUTE),
            (snapshot(FRESH, held()), NOON + 15 * MINUTE),
            (snapshot(code(starts_at=NOON + HOUR)), NOON + 30 * MINUTE),
            (snapshot(code(starts_at=NOON + 10 * MINUTE), held()), NOON + 10 * MINUTE),
            (snapshot(code(ends_at=NOON + MINUTE), held()), NOON + MINUTE),
            # Always open: no moment of its own, so the next is the audit.
            (snapshot(code(recurrence=ALWAYS), held()), NOON + DAY),
            (snapshot(ENDED, held()), NOON - SECOND + 2 * MINUTE),
            (snapshot(ENDED), NOON + DAY),
            (snapshot(GONE, held(removal_began=NOON)), NOON + 15 * MINUTE),
            (
                snapshot(device(CAN_NATIVE), code(starts_at=NOON + 80 * HOUR, ends_at=NOON + 99 * HOUR)),
                NOON + 8 * HOUR,
            ),
        ],
    )
    def test_the_next_moment_is_named(self, snap: Snapshot, wake: datetime) -> None:
        """Start, lead, preload, end, alarm, delay, audit."""
        assert plan(snap, view(), TIMING).next_wake == wake

    def test_by_an_untrusted_clock_windows_are_counted_from_the_lower_bound(self) -> None:
        """The wall clock is a day ahead; the code ends one minute after the lower bound."""
        snap = snapshot(code(ends_at=NOON + MINUTE), held())
        found = plan(snap, view(NOON + DAY, trusted=False, floor=NOON), TIMING)
        assert found.next_wake == NOON + DAY + MINUTE
