"""Two empty readings count only in a row: one that shows the slot taken begins the count anew (rule 2)."""

import pytest
from msgspec.structs import replace

from gateway.domain.credential import Empty, Reading, Unreadable
from gateway.engine.readings import absorb_reading
from tests.engine.build import MINUTE, NOON, SECOND, Fact, clearing, code, held, intent, known, outside, view
from tests.engine.working import later, told, working

ONCE = held(empty_since=NOON - 10 * MINUTE)


@pytest.mark.parametrize(
    ("reading", "facts"),
    [
        (known(), [ONCE]),
        (known("9999"), [ONCE]),
        (known("9999"), [replace(ONCE, outside=outside())]),
        (known("8"), [ONCE, intent(before=known("8"))]),
        (Unreadable(), [ONCE]),
        (Unreadable(), [replace(ONCE, rewrite_due=True)]),
        (Unreadable(), [ONCE, clearing()]),
        (Unreadable(), [ONCE, intent(before=known("8"))]),
    ],
    ids=[
        "ours",
        "changed by somebody",
        "the change was told and waits to be put right",
        "what was there before an unanswered write",
        "digits hidden",
        "digits hidden, to be written again",
        "digits hidden, a clear without effect",
        "digits hidden, an unanswered write",
    ],
)
def test_a_taken_slot_begins_the_count_anew(reading: Reading, facts: list[Fact]) -> None:
    """Whatever it holds: the empty reading before it was wrong, or somebody filled the slot since."""
    work = working(code(), *facts)
    absorb_reading(work, "20", reading)
    assert work.placement("ana").empty_since is None


def test_one_empty_reading_after_a_change_that_waits_is_not_two() -> None:
    """An empty reading of ten minutes ago does not count with it."""
    work = working(code(), replace(ONCE, outside=outside()))
    absorb_reading(work, "20", known("9999"))
    again = later(work, view(NOON + 10 * MINUTE))
    absorb_reading(again, "20", Empty())
    assert told(again) == []
    assert again.slots["20"].check_at == NOON + 10 * MINUTE + 30 * SECOND
