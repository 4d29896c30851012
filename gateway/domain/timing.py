"""The timing table of the house; every value is a setting."""

from datetime import timedelta

from msgspec import Struct


class Timing(Struct, frozen=True, kw_only=True):
    """Delays and leads.

    Defaults as in the access-code seeds and the field notes; see docs/configuration.md.
    """

    lead: timedelta = timedelta(minutes=30)
    """Just-in-time programming before `starts_at`."""
    native_preload: timedelta = timedelta(hours=72)
    """Programming before `starts_at` on locks that keep the window themselves."""
    rehearsal: timedelta = timedelta(days=9)
    """Before `starts_at`: what would stand in the way is looked into without writing."""
    setting_delay: timedelta = timedelta(minutes=15)
    """After it was asked for, and not before its start, a missing code gets `delay_in_setting_on_device`."""
    removing_delay: timedelta = timedelta(minutes=15)
    """A removal that takes longer gets `delay_in_removing_from_device`."""
    expiry_alarm: timedelta = timedelta(minutes=2)
    """A code still on the lock this long after its end is an alarm (rule 6)."""
    second_check: timedelta = timedelta(minutes=5)
    """A write that was only acknowledged, and a removal, are looked at once more after this."""
    back_off_first: timedelta = timedelta(seconds=60)
    back_off_most: timedelta = timedelta(minutes=30)
    reads_per_hour: int = 60
    """Budget for inventory and audits, per lock."""
    command_retention: timedelta = timedelta(days=7)
    event_retention: timedelta = timedelta(days=90)
    code_retention: timedelta = timedelta(days=90)
    """A code that ended this long ago and is on no lock is dropped."""


LONGEST_PAUSE = timedelta(hours=24)
"""No pause between two tries or looks is longer: one that seems to be was noted by a clock that was ahead."""
EMPTY_TWICE = timedelta(seconds=30)
"""Rule 2: time between the two empty readings that make "removed by somebody"."""
ECHO = timedelta(seconds=10)
"""Rule 3: reports this soon after an own operation are its echo."""
WIPE_SHOWS = timedelta(minutes=10)
"""A suspected wipe that is not proven by then was none."""
RECENT_READING = timedelta(minutes=10)
"""Rule 1: how fresh the reading must be before a slot is used for the first time."""
LOOKS_THAT_MAY_FAIL = 3
"""So many unanswered looks in a row mean that the lock is silent, and not just a slot."""
LOOKS_AFTER_RESTORE = 5
"""So many looks in vain at a slot that may hold a code newer than the backup; then nothing waits for it."""
LOOKS_LAST = timedelta(days=1)
"""For so long each sign of life gives silent slots five more looks; then all of them count."""
CLEARS_REFUSED = 5
"""So often a lock may refuse to delete a code of others: asking for ever would drain it, and help nobody."""
SETTLE = timedelta(seconds=30)
"""An unanswered operation may still take effect this long after it was sent."""
ENABLING = timedelta(minutes=1)
"""A code that waited on its lock, disabled, is enabled at its start: it is late after this."""
REJECTION_STANDS = timedelta(hours=24)
"""Rule 11."""
AUTHORITY_LOST = timedelta(minutes=2)
"""After this long without server or adapter, what the locks hold is `unknown`."""
FORMER_IS_OURS = timedelta(hours=24)
"""A PIN that we removed and that shows up again in the same slot within this time is ours."""
CONTESTED = 3
"""So many changes by others, each within `CONTEST_LASTS` of the one before, mean a second controller."""
CONTEST_LASTS = timedelta(hours=24)
CONTEST_FIRST = timedelta(minutes=30)
"""Pause before a contested code is put right again; it doubles up to `CONTEST_MOST`."""
CONTEST_MOST = timedelta(hours=6)
FLAKY = 3
"""So many returns out of a silence, each lost within `FLAKY_LASTS` of the one before, are no accident."""
FLAKY_LASTS = timedelta(hours=1)
OLDEST_RECORD = timedelta(days=400)
"""A record of a lock that seems older was noted by a clock that began anew."""
CLOCK_TOLERANCE = timedelta(minutes=2)
"""A lock whose clock is further off keeps no windows for us (zwave.md, section 3.5)."""
