"""What a reading means: desired, confirmed and observed are compared, and never mixed up (rules 2, 3, 4)."""

import pytest
from msgspec.structs import replace

from gateway.domain.credential import Credential, Empty, Evidence, Reading, Schedule, Unreadable
from gateway.domain.placement import Former, Intent, Outside, Placement
from gateway.engine.holding import confirm
from gateway.engine.readings import absorb_reading
from gateway.engine.work import Work
from tests.engine.build import (
    CAN_NATIVE,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
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
    view,
)
from tests.engine.working import later, outcomes, told, working

RESERVED = Placement(access_code_id="ana", slot="20")
YOUNG = NOON - 29 * SECOND
CHANGED = "access_code.modified_external_to_gateway"
REMOVED = "access_code.deleted_external_to_gateway"


def read(reading: Reading, *facts: Fact, name: str = "20") -> Work:
    """Take in a reading of slot 20 at noon."""
    work = working(*facts)
    absorb_reading(work, name, reading)
    return work


def evidence(work: Work) -> Evidence | None:
    """Return how well Ana's code is known to be there."""
    confirmed = work.placement("ana").confirmed
    return confirmed.evidence if confirmed is not None else None


class TestNewest:
    """The newest reading of a slot is kept, whoever it belongs to."""

    def test_it_is_noted_with_its_time_and_ends_the_look_that_was_due(self) -> None:
        """And the report that asked for it is answered."""
        work = read(known(), code(), held(), slot("20", known(), check_at=NOON, touched=True, read_at=None))
        assert work.slots["20"] == slot("20", known(), read_at=NOON)

    @pytest.mark.parametrize(("before", "rise"), [(known(), 0), (Empty(), 1), (known("8"), 1)])
    def test_a_difference_makes_refused_codes_worth_another_try(self, before: Reading, rise: int) -> None:
        """The inventory has changed; the first reading of a slot changes nothing."""
        assert read(known(), slot("20", before, unmanaged_id="u")).device.inventory_version == rise
        assert read(known()).device.inventory_version == 0


class TestOurOwn:
    """The slot shows what is wanted, or what was written."""

    @pytest.mark.parametrize("before", [Evidence.SENT, Evidence.ACCEPTED, Evidence.READ_BACK])
    def test_seeing_the_digits_is_proof(self, before: Evidence) -> None:
        """Whatever was known before."""
        assert evidence(read(known(), code(), held(evidence=before))) is Evidence.READ_BACK

    def test_an_audit_never_lowers_what_is_known(self) -> None:
        """Somebody opened the door with it: seeing the digits again is no less."""
        assert evidence(read(known(), code(), held(evidence=Evidence.USED))) is Evidence.USED

    def test_an_unanswered_write_turns_out_applied(self) -> None:
        """Its journal entry is closed and its failures are forgotten."""
        tried = replace(RESERVED, failures=2, failure="no answer", retry_at=NOON + MINUTE)
        work = read(known(), code(), tried, intent(), intent(intent_id="second"))
        placement = work.placement("ana")
        assert evidence(work) is Evidence.READ_BACK
        assert (placement.failures, placement.failure, placement.retry_at) == (0, None, None)
        assert placement.was_on_lock
        assert outcomes(work) == ["applied", "applied"]
        assert told(work) == []

    def test_a_code_already_there_under_nobody_s_name_is_adopted(self) -> None:
        """A crash lost the outcome; its slot was reserved."""
        assert evidence(read(known(), code(), RESERVED)) is Evidence.READ_BACK

    def test_a_write_that_had_no_effect_is_closed_and_the_old_content_stays(self) -> None:
        """The new PIN is still wanted; a young attempt is looked at once more."""
        rewrite = intent(target=credential("9999"), before=known())
        work = read(known(), code(pin="9999"), held(), rewrite)
        assert outcomes(work) == ["not applied"]
        assert work.slots["20"].check_at is None
        young = read(known(), code(pin="9999"), held(), replace(rewrite, opened_at=YOUNG))
        assert young.slots["20"].check_at == NOON + 30 * SECOND

    def test_the_value_before_a_first_write_closes_it_too(self) -> None:
        """A third value is somebody else's; the one before is not."""
        work = read(known("8"), code(), RESERVED, intent(before=known("8")))
        assert outcomes(work) == ["not applied"]

    @pytest.mark.parametrize(
        "before", [(), (held(content=credential("8")),)], ids=["first write", "another PIN"]
    )
    def test_the_pin_of_an_unanswered_write_is_ours_though_somebody_disabled_it(
        self, before: tuple[Fact, ...]
    ) -> None:
        """It arrived, and was changed by hand since: put right, not left behind as a stranger's."""
        facts = before or (RESERVED,)
        work = read(known(enabled=False), code(), *facts, intent(before=Empty()))
        assert outcomes(work) == ["applied"]
        assert work.placement("ana").confirmed is not None
        assert work.placement("ana").slot == "20"
        assert told(work)[-1] == CHANGED

    def test_seeing_it_again_ends_every_doubt(self) -> None:
        """One empty reading before, a change of others put right."""
        work = read(known(), code(), held(empty_since=NOON - MINUTE, outside=outside()))
        assert work.placement("ana").empty_since is None
        assert work.placement("ana").outside is None

    def test_a_code_that_leaves_is_still_there(self) -> None:
        """Nothing is wanted; what was written is seen."""
        leaving = code(deleted_at=NOON - MINUTE)
        work = read(known(), leaving, held(outside=outside(), evidence=Evidence.SENT), clearing())
        assert evidence(work) is Evidence.READ_BACK
        assert outcomes(work) == ["not applied"]
        assert work.placement("ana").outside is None

    def test_names_and_schedules_that_took_effect_are_told(self) -> None:
        """One event each, with neither PIN nor name nor date in it."""
        stay = code(starts_at=NOON - HOUR, ends_at=NOON + DAY)
        window = Schedule(starts_at=NOON - HOUR, ends_at=NOON + DAY)
        work = read(
            known("4711", schedule=window, name="Ana"),
            device(CAN_NATIVE),
            stay,
            held(content=credential("9999", name="Anna")),
            intent(target=credential("4711", schedule=window, name="Ana")),
        )
        assert told(work) == [
            "access_code.code_changed",
            "access_code.time_frame_changed",
            "access_code.name_changed",
        ]
        said = [event.payload["description"] for event in work._events]
        assert said == [f"the {what} asked for is on the lock now" for what in ("PIN", "time frame", "name")]


class TestHiddenDigits:
    """The slot is taken and shows nothing (rule 3)."""

    def test_a_slot_that_was_empty_before_our_write_holds_it_now(self) -> None:
        """Occupied: nobody else is likely to have filled it in between."""
        work = read(Unreadable(), code(), RESERVED, intent())
        assert evidence(work) is Evidence.OCCUPIED
        assert outcomes(work) == ["applied"]

    @pytest.mark.parametrize(
        "tried",
        [
            [intent(before=Unreadable())],
            [intent(), intent(target=credential("9999"))],
            [intent(target=credential(enabled=False))],
        ],
    )
    def test_otherwise_it_cannot_tell_and_nothing_is_closed(self, tried: list[Intent]) -> None:
        """It was taken before, two PINs were sent, or its status is another."""
        work = read(Unreadable(enabled=True), code(), RESERVED, *tried)
        assert evidence(work) is None
        assert outcomes(work) == []

    def test_a_clear_beside_a_write_had_no_effect_either(self) -> None:
        """The clear is settled, so that the plan does not go in circles; the write is not."""
        work = read(Unreadable(enabled=True), code(), RESERVED, intent(), clearing(intent_id="clear"))
        assert evidence(work) is None
        assert outcomes(work) == ["not applied"]
        assert len(work.intents) == 1

    def test_a_clear_alone_had_no_effect(self) -> None:
        """It is sent again."""
        assert outcomes(read(Unreadable(), code(deleted_at=NOON), held(), clearing())) == ["not applied"]

    def test_a_slot_of_ours_that_is_taken_is_not_doubted(self) -> None:
        """Nobody reported a change."""
        work = read(Unreadable(), code(), held(evidence=Evidence.SENT))
        assert evidence(work) is Evidence.OCCUPIED
        assert told(work) == []
        assert evidence(read(Unreadable(), code(), held(evidence=Evidence.USED))) is Evidence.USED

    def test_a_reported_change_lowers_what_is_known_and_allows_one_rewrite(self) -> None:
        """And is told."""
        work = read(Unreadable(), code(), held(), slot("20", Unreadable(), touched=True))
        assert evidence(work) is Evidence.SENT
        assert work.placement("ana").rewrite_due
        assert told(work) == [CHANGED]
        again = later(work, view(NOON + MINUTE))
        absorb_reading(again, "20", Unreadable())
        assert evidence(again) is Evidence.SENT
        assert told(again) == []

    def test_a_code_that_allows_changes_is_not_rewritten(self) -> None:
        """The change is honoured and told."""
        free = code(is_external_modification_allowed=True)
        work = read(Unreadable(), free, held(), slot("20", Unreadable(), touched=True))
        placement = work.placement("ana")
        assert not placement.rewrite_due
        assert placement.outside == Outside(change="modified", fields=("code",), at=NOON, honoured=True)

    def test_a_code_found_disabled_is_a_change_without_any_report(self) -> None:
        """The status shows although the digits do not."""
        work = read(Unreadable(enabled=False), code(), held())
        assert work.placement("ana").outside == Outside(change="modified", fields=("enabled",), at=NOON)

    def test_of_a_code_that_leaves_nothing_is_told(self) -> None:
        """It goes anyway."""
        work = read(Unreadable(enabled=False), code(deleted_at=NOON), held())
        assert told(work) == []
        assert evidence(work) is Evidence.READ_BACK

    def test_a_slot_seen_empty_twice_that_is_taken_again_is_somebody_s(self) -> None:
        """While a wipe is looked into, somebody may fill it: it is not cleared as ours."""
        facts = working(code(), held(empty_since=NOON - HOUR, empty_twice=True), slot("20"))
        absorb_reading(facts, "20", Unreadable(enabled=True))
        assert not facts.snapshot().may_hold("ana")
        assert facts.placements["ana"].slot is None
        assert facts.slots["20"].unmanaged_id is not None

    def test_a_reserved_slot_that_somebody_filled_is_given_up(self) -> None:
        """It is theirs from now on."""
        work = read(Unreadable(), code(), RESERVED)
        assert work.placement("ana").slot is None
        assert work.slots["20"].unmanaged_id == "new-1"


class TestEmpty:
    """Empty is concluded only from an explicit reading; removed by somebody only from two (rule 2)."""

    def test_the_first_empty_reading_asks_for_a_second(self) -> None:
        """Half a minute later; until then nothing is concluded."""
        work = read(Empty(), code(), held(), slot("20", known()))
        assert work.placement("ana").empty_since == NOON
        assert work.slots["20"].check_at == NOON + 30 * SECOND
        assert work.snapshot().may_hold("ana")

    def test_a_second_one_too_soon_does_not_count(self) -> None:
        """It asks for another."""
        work = read(Empty(), code(), held(empty_since=NOON - 29 * SECOND))
        assert work.slots["20"].check_at == NOON + SECOND
        assert work.snapshot().may_hold("ana")

    def test_the_second_one_says_that_somebody_removed_it(self) -> None:
        """It is told, and set again in the same slot."""
        work = read(Empty(), code(), held(empty_since=NOON - 30 * SECOND))
        placement = work.placement("ana")
        assert told(work) == [REMOVED]
        assert (placement.confirmed, placement.slot) == (None, "20")
        assert placement.outside == Outside(change="removed", fields=("code",), at=NOON)

    def test_where_the_code_allows_it_the_removal_is_honoured(self) -> None:
        """It stays away, and its slot is free."""
        free = code(is_external_modification_allowed=True)
        work = read(Empty(), free, held(empty_since=NOON - MINUTE))
        placement = work.placement("ana")
        assert placement.outside == Outside(change="removed", fields=("code",), at=NOON, honoured=True)
        assert placement.slot is None

    def test_a_code_that_leaves_is_gone(self) -> None:
        """By somebody's hand, and nobody needs to hear of it."""
        work = read(Empty(), code(deleted_at=NOON), held(empty_since=NOON - MINUTE))
        assert told(work) == []
        assert work.placement("ana") == Placement(access_code_id="ana", was_on_lock=True)

    def test_after_our_clear_one_is_enough(self) -> None:
        """What was removed is remembered for a day, should it come back."""
        work = read(Empty(), code(deleted_at=NOON), held(), clearing())
        assert not work.snapshot().may_hold("ana")
        assert work.slots["20"].former == Former(pin=credential().pin, removed_at=NOON)
        assert outcomes(work) == ["gone"]

    def test_a_young_write_may_still_arrive(self) -> None:
        """The reading counts for nothing; the next is taken when it must have arrived."""
        work = read(Empty(), code(), RESERVED, intent(opened_at=YOUNG))
        assert outcomes(work) == []
        assert work.placement("ana").retry_at == YOUNG + 30 * SECOND

    def test_an_old_write_did_not_arrive(self) -> None:
        """It is written again."""
        work = read(Empty(), code(), RESERVED, intent())
        assert outcomes(work) == ["not applied"]
        assert not work.snapshot().may_hold("ana")


class TestSomebodyElse:
    """A third value: neither ours before nor ours now."""

    def test_a_changed_pin_is_told_and_put_right(self) -> None:
        """Once, with the names of the fields and no value."""
        work = read(known("9999"), code(), held())
        assert told(work) == [CHANGED]
        assert work._events[0].payload == {"change_type": "modified", "modified_fields": ["code"]}
        assert work.placement("ana").outside == outside()
        again = later(work, view(NOON + MINUTE))
        absorb_reading(again, "20", known("9999"))
        assert told(again) == []

    def test_where_the_code_allows_it_the_new_pin_becomes_the_code_s(self) -> None:
        """So that the guest's own PIN goes on working."""
        free = code(is_external_modification_allowed=True)
        work = read(known("9999"), free, held())
        adopted = work.codes["ana"]
        assert (adopted.pin.reveal(), adopted.revision) == ("9999", 2)
        assert evidence(work) is Evidence.READ_BACK
        assert work.placement("ana").outside == outside(honoured=True)

    @pytest.mark.parametrize("changed", ["start", "end"])
    def test_of_a_fence_only_what_somebody_changed_is_adopted(self, changed: str) -> None:
        """It is wider than the stay: the other end of it is none of the code's dates."""
        fence = Schedule(starts_at=None, ends_at=NOON + 2 * DAY)
        stay = code(starts_at=NOON + HOUR, ends_at=NOON + DAY, is_external_modification_allowed=True)
        seen = (
            replace(fence, starts_at=NOON) if changed == "start" else replace(fence, ends_at=NOON + 3 * DAY)
        )
        work = read(known(schedule=seen), device(CAN_NATIVE), stay, held(content=credential(schedule=fence)))
        adopted = work.codes["ana"]
        assert (adopted.starts_at, adopted.ends_at) == (
            (NOON, NOON + DAY) if changed == "start" else (NOON + HOUR, NOON + 3 * DAY)
        )

    def test_a_new_window_is_adopted_with_it(self) -> None:
        """Where the lock keeps windows."""
        free = code(is_external_modification_allowed=True, starts_at=NOON - HOUR, ends_at=NOON + HOUR)
        before = credential(schedule=Schedule(starts_at=NOON - HOUR, ends_at=NOON + HOUR))
        after = replace(before, schedule=Schedule(starts_at=NOON - HOUR, ends_at=NOON + DAY))
        work = working(device(CAN_NATIVE), free, held(content=before))
        absorb_reading(work, "20", known("4711", schedule=after.schedule))
        assert work.codes["ana"].ends_at == NOON + DAY

    @pytest.mark.parametrize("other", [code("bo", "9999"), held("bo", "3", "9999")])
    def test_a_pin_that_another_code_has_is_not_adopted(self, other: Fact) -> None:
        """Rule 4."""
        free = code(is_external_modification_allowed=True)
        work = read(known("9999"), free, held(), other)
        assert work.codes["ana"] == free
        assert work.placement("ana").outside == outside()

    def test_a_change_of_a_code_that_leaves_is_not_told(self) -> None:
        """It is noted, and the slot is cleared."""
        work = read(known("9999"), code(deleted_at=NOON), held())
        assert told(work) == []
        assert work.snapshot().may_hold("ana")

    @pytest.mark.parametrize(
        "facts",
        [[code(), RESERVED], [code(deleted_at=NOON), held(), clearing()], [code(), RESERVED, intent()]],
    )
    def test_a_slot_that_somebody_filled_while_it_was_not_ours_to_hold_is_theirs(
        self, facts: list[Fact]
    ) -> None:
        """Reserved only, cleared by us, or never reached: their code is not touched."""
        work = read(known("9999"), *facts)
        assert work.placement("ana").slot is None
        assert not work.snapshot().may_hold("ana")
        assert work.slots["20"].unmanaged_id is not None
        assert told(work) == ["access_code.unmanaged.created"]

    def test_a_code_that_leaves_and_was_disabled_by_somebody_is_still_ours(self) -> None:
        """The PIN is the one we wrote; it is cleared again."""
        work = read(known(enabled=False), code(deleted_at=NOON), held(), clearing())
        assert work.snapshot().may_hold("ana")
        assert outcomes(work) == ["not applied"]


class TestConfirming:
    """What a confirmed write settles."""

    def test_it_clears_every_trouble_of_the_placement(self) -> None:
        """And an outside change that was put right; an honoured one stays."""
        troubled = held(
            content="9999", empty_since=NOON, rewrite_due=True, failures=3, failure="x", retry_at=NOON,
            cleared_at=NOON, outside=outside(),
        )  # fmt: skip
        work = working(code(), troubled)
        confirm(work, "ana", "20", credential(), Evidence.ACCEPTED)
        placement = work.placement("ana")
        assert replace(placement, confirmed=None) == Placement(
            access_code_id="ana", slot="20", was_on_lock=True, pin_since=NOON
        )
        assert told(work) == ["access_code.code_changed"]
        honoured = working(code(), held(outside=outside(honoured=True)))
        confirm(honoured, "ana", "20", credential(), Evidence.ACCEPTED)
        assert honoured.placement("ana").outside is not None

    def test_sent_is_not_on_the_lock(self) -> None:
        """Its removal would not be worth telling."""
        work = working(code())
        confirm(work, "ana", "20", credential(), Evidence.SENT)
        assert not work.placement("ana").was_on_lock

    def test_a_code_that_is_gone_from_memory_tells_nothing(self) -> None:
        """Only its placement is left."""
        work = working(held(content="9999"))
        confirm(work, "ana", "20", Credential(pin=credential().pin), Evidence.ACCEPTED)
        assert told(work) == []
