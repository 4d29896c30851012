"""Getting a code onto its lock and keeping it there (rules 3, 4 and 11)."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from gateway.domain.credential import Credential, Evidence, Known, Reading, Unreadable
from gateway.domain.issues import Issue
from gateway.domain.lock import Capabilities, PinRules
from gateway.domain.pin import Pin
from gateway.domain.placement import Placement, Refusal, Rejection, Slot, Snapshot
from gateway.engine.desire import desired
from gateway.engine.plan import ReadAll, ReadSlot, Step, WriteCode
from gateway.engine.setting import plan_setting
from gateway.engine.waiting import Wake
from tests.engine.build import (
    CAN,
    CAN_BLIND,
    CAN_CHOOSE,
    CAN_NATIVE,
    CAN_TINY,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    TIMING,
    Fact,
    clearing,
    code,
    credential,
    device,
    held,
    intent,
    known,
    outside,
    slot,
    snapshot,
    view,
)


def setting(
    snap: Snapshot, code_id: str = "ana", *, trusted: bool = True
) -> tuple[list[Step], list[Issue], datetime | None]:
    """Plan for one code at noon."""
    wake, asked, t = Wake(NOON), snap.codes[code_id], view(trusted=trusted)
    want = desired(asked, snap, t, TIMING)
    assert want is not None
    return (*plan_setting(asked, want, snap, t, wake), wake.at)


def steps(snap: Snapshot, *, trusted: bool = True) -> list[Step]:
    """Return the steps alone; nothing may stand in the way."""
    found, issues, _ = setting(snap, trusted=trusted)
    assert issues == []
    return found


def write(why: str, where: str | None = "20", what: Credential | None = None) -> WriteCode:
    """Return the write of Ana's code."""
    return WriteCode(access_code_id="ana", slot=where, credential=what or credential(), why=why)


class TestFirst:
    """A code that was never on the lock."""

    def test_it_is_written_into_a_slot_just_read(self) -> None:
        """The slot was empty a minute ago."""
        assert steps(snapshot(code(), slot("20"))) == [write("the code is not on the lock yet")]

    def test_its_slot_is_read_before_its_first_use(self) -> None:
        """Rule 1."""
        assert steps(snapshot(code())) == [ReadSlot(slot="20", why="slot 20 is read before its first use")]

    def test_a_lock_that_chooses_is_told_no_slot(self) -> None:
        """Until it has given one; it is listed before."""
        snap = snapshot(device(CAN_CHOOSE, probed_at=NOON - 10 * MINUTE), code(pin="345678"))
        assert steps(snap) == [
            write("the code is not on the lock yet", None, credential("345678", name="Ana"))
        ]

    @pytest.mark.parametrize("listed", [None, NOON - 10 * MINUTE - SECOND])
    def test_a_lock_that_chooses_is_listed_shortly_before(self, listed: datetime | None) -> None:
        """Rule 1: somebody may have taken the PIN or the last place."""
        snap = snapshot(device(CAN_CHOOSE, probed_at=listed), code(pin="345678"))
        assert steps(snap) == [ReadAll(why="the lock is listed before a code is added")]

    @pytest.mark.parametrize("chooses", [True, False])
    def test_a_full_lock_is_told_and_left_alone(self, *, chooses: bool) -> None:
        """With the count of ours and of others'."""
        can = replace(CAN_CHOOSE if chooses else CAN_TINY, max_codes=2, pin_rules=PinRules())
        snap = snapshot(
            device(can, probed_at=NOON - DAY), code(), held("bo", "1", "9999"), slot("1", known("9999")),
            slot("2", known("8888"), unmanaged_id="u"),
        )  # fmt: skip
        found, [issue], _ = setting(snap)
        assert found == []
        assert issue.code == "no_space_for_access_code_on_device"
        assert issue.data == {"managed": 1, "unmanaged": 1}

    def test_a_slot_that_nobody_read_since_it_was_emptied_holds_no_code_of_others(self) -> None:
        """The lock said that it is full; what stands in one slot is known, and nothing of the other."""
        said = Rejection(reason=Refusal.FULL, at=NOON, revision=1, inventory_version=0)
        snap = snapshot(
            code(), Placement(access_code_id="ana", rejection=said, retry_at=NOON + HOUR),
            slot("19", known("8888"), unmanaged_id="u"), slot("20", None, read_at=None),
        )  # fmt: skip
        found, [issue], _ = setting(snap)
        assert (found, issue.data) == ([], {"managed": 0, "unmanaged": 1})

    def test_a_code_that_went_missing_is_set_again(self) -> None:
        """And the reason says so."""
        lost = replace(held(), confirmed=None)
        assert steps(snapshot(code(), lost, slot("20"))) == [write("the code went missing")]


class TestConverged:
    """Rule 10: what is as it should be is left alone."""

    @pytest.mark.parametrize("reading", [None, known(), Unreadable(), Unreadable(enabled=True)])
    @pytest.mark.parametrize("evidence", list(Evidence))
    def test_no_evidence_is_too_weak_to_be_left_alone(
        self, reading: Reading | None, evidence: Evidence
    ) -> None:
        """Rule 3: also where the digits are hidden."""
        state = replace(slot("20"), reading=reading)
        assert steps(snapshot(code(), held(evidence=evidence), state)) == []

    def test_an_honoured_removal_is_left_alone(self) -> None:
        """The code allows it."""
        gone = Placement(access_code_id="ana", outside=outside("removed", honoured=True))
        assert steps(snapshot(code(), gone, slot("20"))) == []

    def test_a_wiped_lock_may_wait_for_a_person(self) -> None:
        """Rule 14: `on_wipe = hold` holds what is missing, not what is there."""
        lock = device(wiped_at=NOON, held_after_wipe=True)
        missing = Placement(access_code_id="ana", was_on_lock=True)
        assert steps(snapshot(lock, code(), missing, slot("20"))) == []
        assert steps(snapshot(lock, code(pin="9999"), held(), slot("20", known()))) == [
            write("its PIN changed", what=credential("9999"))
        ]
        assert steps(snapshot(replace(lock, held_after_wipe=False), code(), missing, slot("20")))


class TestRewrite:
    """What differs is written again, into the same slot."""

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (credential("9999"), "its PIN changed"),
            (credential(enabled=False), "it is to open the door from now on"),
            (credential("9999", enabled=False), "its PIN changed and it is to open the door from now on"),
        ],
    )
    def test_a_changed_desire_is_written(self, content: Credential, why: str) -> None:
        """The reason says in words what differs."""
        assert steps(snapshot(code(), held(content=content))) == [write(why)]

    def test_a_changed_name_is_written_where_the_lock_stores_names(self) -> None:
        """And nowhere else."""
        snap = snapshot(
            device(CAN_CHOOSE), code(pin="345678"), held(content=credential("345678", name="Anna"))
        )
        assert [step.why for step in steps(snap)] == ["name changed"]
        assert steps(snapshot(code(), held(content=credential(name="Anna")))) == []

    @pytest.mark.parametrize(
        ("rewrite_due", "reading", "why"),
        [
            (True, Unreadable(), "the lock reported a change that cannot be read"),
            (False, known("9999"), "somebody changed the code"),
            (False, known(enabled=False), "somebody changed the code"),
            (False, Unreadable(enabled=False), "somebody disabled the code"),
        ],
    )
    def test_what_others_did_is_put_right(self, reading: Reading, why: str, *, rewrite_due: bool) -> None:
        """Once it was seen, or once a report could not be read."""
        assert steps(snapshot(code(), held(rewrite_due=rewrite_due), slot("20", reading))) == [write(why)]

    def test_after_a_failure_it_waits(self) -> None:
        """And says until when."""
        snap = snapshot(code(), Placement(access_code_id="ana", retry_at=NOON + MINUTE), slot("20"))
        assert setting(snap) == ([], [], NOON + MINUTE)


class TestUnanswered:
    """A write whose answer got lost."""

    WHY = "the answer to the last attempt got lost"
    RESERVED = Placement(access_code_id="ana", slot="20")

    def test_its_slot_is_read_before_anything_is_written_again(self) -> None:
        """Where readings tell anything."""
        forgotten = Slot(slot="20")
        assert steps(snapshot(code(), self.RESERVED, intent(), forgotten)) == [
            ReadSlot(slot="20", why=self.WHY)
        ]

    def test_a_lock_that_chooses_is_listed_before_any_second_add(self) -> None:
        """Otherwise the code would be there twice."""
        snap = snapshot(device(CAN_CHOOSE), code(pin="345678"), intent(name=None))
        assert steps(snap) == [ReadAll(why=self.WHY)]

    def test_a_write_only_lock_gets_the_same_pin_into_the_same_slot(self) -> None:
        """Repeating it there is no double effect (rule 12)."""
        snap = snapshot(device(CAN_BLIND), code(), self.RESERVED, intent())
        assert steps(snap) == [write(self.WHY)]

    @pytest.mark.parametrize("state", [None, slot("20", Unreadable())])
    def test_a_look_that_could_not_tell_is_followed_by_the_same_write(self, state: Slot | None) -> None:
        """The same PIN into the same slot."""
        facts: list[Fact] = [code(), self.RESERVED, intent(), *([state] if state is not None else [])]
        assert steps(snapshot(*facts)) == [write(self.WHY)]


class TestUnansweredWithoutTime:
    """A write of unknown effect while the clock is not trusted (rule 5)."""

    @pytest.mark.parametrize("can", [CAN, CAN_BLIND])
    def test_a_window_is_not_opened_by_trying_again(self, can: Capabilities) -> None:
        """Its code may be on the lock or not; it stays as it is."""
        stay = code(starts_at=NOON - HOUR, ends_at=NOON + DAY)
        state = slot("20", Unreadable())
        snap = snapshot(device(can), stay, Placement(access_code_id="ana", slot="20"), intent(), state)
        assert steps(snap, trusted=False) == []
        assert len(steps(snap)) == 1

    def test_a_code_that_was_cleared_once_is_not_written_anew(self) -> None:
        """Where nothing proves a removal the first of two clears may have worked, and the clock was lost."""
        stay = code(starts_at=NOON - HOUR, ends_at=NOON + DAY)
        cleared = replace(held(evidence=Evidence.SENT), rewrite_due=True, cleared_at=NOON - MINUTE)
        snap = snapshot(device(CAN_BLIND), stay, cleared, slot("20"))
        assert steps(snap, trusted=False) == []
        assert len(steps(snap)) == 1


class TestConflicts:
    """Rule 4: no two codes on one lock share a PIN."""

    @pytest.mark.parametrize(
        "other",
        [
            [held("bo", "3")],
            [Placement(access_code_id="bo", slot="3"), intent("bo", "3")],
            [held("bo", "3", "9999"), slot("3", known())],
        ],
    )
    def test_another_code_of_ours_may_have_the_pin(self, other: list[Fact]) -> None:
        """Confirmed, sent, or read in its slot."""
        found, [issue], _ = setting(snapshot(code(), slot("20"), *other))
        assert found == []
        assert issue.code == "duplicate_code_on_device"
        assert issue.data == {"managed_access_code_id": "bo"}

    def test_a_code_of_others_has_the_pin(self) -> None:
        """It is named, not removed."""
        taken = slot("5", known(), unmanaged_id="u")
        found, [issue], _ = setting(snapshot(code(), slot("20"), taken))
        assert found == []
        assert issue.data == {"unmanaged_access_code_id": "u"}

    @pytest.mark.parametrize(("digits", "told"), [("47112", True), ("471", True), ("4712", False)])
    @pytest.mark.parametrize("prefix_free", [False, True])
    def test_where_a_keypad_takes_the_shorter_one_no_two_may_begin_alike(
        self, digits: str, *, told: bool, prefix_free: bool
    ) -> None:
        """Ours and others'. On other locks such codes are two like any others."""
        can = replace(CAN_TINY, pin_rules=PinRules(prefix_free=prefix_free))
        for fact in (held("bo", "3", digits), slot("5", known(digits), unmanaged_id="u")):
            found, issues, _ = setting(snapshot(device(can), code(), slot("20"), fact))
            assert [issue.code for issue in issues] == ["duplicate_code_on_device"] * (told and prefix_free)
            assert bool(found) is not (told and prefix_free)

    def test_what_certainly_has_another_pin_is_no_conflict(self) -> None:
        """Others' codes, hidden codes, a ghost of ours, a clear under way."""
        snap = snapshot(
            code(), slot("20"), held("bo", "3", "9999"), slot("5", known("8888"), unmanaged_id="u"),
            slot("6", Unreadable(), unmanaged_id="v"), slot("7", known(), ghost=True),
            replace(intent("cy", "8"), target=None),
        )  # fmt: skip
        assert steps(snap) == [write("the code is not on the lock yet")]


class TestRefused:
    """Rule 11: a code the lock rejects for good is not tried again until something changes."""

    HELD = credential("4070", enabled=False)
    REJECTION = Rejection(reason=Refusal.DUPLICATE, at=NOON - HOUR, revision=1, inventory_version=0)

    @pytest.mark.parametrize(
        ("reason", "told"),
        [(Refusal.DUPLICATE, "duplicate_code_on_device"), (Refusal.FORMAT, "code_constraints_violated")],
    )
    def test_it_stands(self, reason: Refusal, told: str) -> None:
        """With an error on the code, for 24 h."""
        rejected = Placement(access_code_id="ana", rejection=replace(self.REJECTION, reason=reason))
        found, [issue], wake = setting(snapshot(code(), rejected, slot("20")))
        assert (found, issue.code, wake) == ([], told, NOON - HOUR + DAY)

    @pytest.mark.parametrize(
        ("revision", "inventory", "asked"),
        [(2, 0, NOON - HOUR), (1, 1, NOON - HOUR), (1, 0, NOON - DAY), (1, 0, NOON + HOUR)],
    )
    def test_a_change_or_a_day_ends_it(self, revision: int, inventory: int, asked: datetime) -> None:
        """The code, what else is on the lock, or time."""
        rejected = Placement(access_code_id="ana", rejection=replace(self.REJECTION, at=asked))
        lock = device(inventory_version=inventory)
        assert steps(snapshot(lock, code(revision=revision), rejected, slot("20")))

    def test_one_that_a_known_duplicate_explains_lasts_as_long_as_that(self) -> None:
        """And the error names it: here a neighbour's slot that shows the PIN of before, being put right."""
        waits = held(content=credential(enabled=False), rejection=replace(self.REJECTION, explained=True))
        right = held("bo", "3", "9999")
        repair = intent("bo", "3", credential("9999"), before=known())
        found, [issue], wake = setting(snapshot(code(), waits, right, repair))
        assert (found, issue.data, wake) == ([], {"managed_access_code_id": "bo"}, NOON - HOUR + DAY)
        assert steps(snapshot(code(), waits, right)) == [write("it is to open the door from now on")]

    @pytest.mark.parametrize("can", [CAN, CAN_NATIVE])
    def test_a_pin_that_breaks_a_rule_of_the_lock_is_not_tried_at_all(self, can: Capabilities) -> None:
        """The lock's rules may be known only after the code was created."""
        strict = replace(can, pin_rules=PinRules(constraints=("no_zeros",)))
        found, [issue], _ = setting(snapshot(device(strict), code(pin="4070"), slot("20")))
        assert found == []
        assert issue.code == "code_constraints_violated"
        assert "4070" not in issue.message

    @pytest.mark.parametrize(
        "facts",
        [
            (held(content=HELD, rewrite_due=True),),
            (held(content=HELD, evidence=Evidence.SENT, cleared_at=NOON - MINUTE),),
            (held(content=HELD), slot("20")),
            (held(content=HELD), slot("20", known("9999"))),
            (held(content=HELD), intent(target=credential("9999"))),
            (held(content=HELD), clearing()),
        ],
    )
    def test_a_slot_that_may_not_hold_the_pin_any_more_gets_it_like_a_new_one(
        self, facts: tuple[Fact, ...]
    ) -> None:
        """Only where the PIN is there for certain, what forbids a new one does not count."""
        strict = device(replace(CAN, pin_rules=PinRules(constraints=("no_zeros",))))
        there = snapshot(strict, code(pin="4070"), held(content=self.HELD), slot("20", Known(self.HELD)))
        assert steps(there) == [write("it is to open the door from now on", what=credential("4070"))]
        found, [issue], _ = setting(snapshot(strict, code(pin="4070"), *facts))
        assert (found, issue.code) == ([], "code_constraints_violated")

    def test_the_error_appears_only_where_something_is_to_be_written(self) -> None:
        """A code that is on the lock already is not told that it cannot be set."""
        settled = replace(held(), rejection=self.REJECTION)
        assert setting(snapshot(code(), settled, slot("20", known()))) == ([], [], None)


def test_nothing_is_said_of_a_lock_that_nobody_saw() -> None:
    """`plan` does not ask, and asking is harmless."""
    wake = Wake(NOON)
    want = Credential(pin=Pin("4711"))
    assert plan_setting(code(), want, snapshot(device(None), code()), view(), wake) == ([], [])
