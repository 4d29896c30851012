"""What became of a write or a removal that was answered (rules 11, 12, 13)."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from gateway.domain.credential import Empty, Evidence, Reading, Unreadable
from gateway.domain.driver import (
    Written,
)
from gateway.domain.placement import Former
from gateway.engine.outcomes import (
    absorb_cleared,
)
from tests.engine.answers import CLEAR, LEAVING, NEW, RESERVED, cleared, written, wrote
from tests.engine.build import (
    CAN_BLIND,
    CAN_MASKED,
    MINUTE,
    NOON,
    SECOND,
    code,
    credential,
    device,
    held,
    known,
    slot,
    view,
)
from tests.engine.working import later, outcomes


class TestWritten:
    """A write went out."""

    @pytest.mark.parametrize(
        ("outcome", "evidence", "look"),
        [
            (written(evidence=Evidence.ACCEPTED), Evidence.ACCEPTED, NOON + 5 * MINUTE),
            (written(evidence=Evidence.READ_BACK), Evidence.READ_BACK, None),
            (written(known()), Evidence.READ_BACK, None),
            (written(Unreadable()), Evidence.OCCUPIED, None),
            (written(Unreadable(enabled=True)), Evidence.OCCUPIED, None),
        ],
    )
    def test_its_effect_is_known_as_well_as_the_driver_says(
        self, outcome: Written, evidence: Evidence, look: datetime | None
    ) -> None:
        """An acknowledgement alone is looked at once more, five minutes later."""
        work = wrote(outcome, code(), RESERVED)
        confirmed = work.placement("ana").confirmed
        assert confirmed is not None
        assert (confirmed.evidence, confirmed.credential.pin) == (evidence, credential().pin)
        assert work.slots["20"].check_at == look
        assert work.slots["20"].own_write_at == NOON
        assert outcomes(work) == ["applied"]

    def test_the_slot_is_ours_from_now_on(self) -> None:
        """Its past and the old checksum are of no use; it has no unmanaged id."""
        before = slot(
            "20", former=Former(pin=credential().pin, removed_at=NOON), touched=True, empty_since=NOON
        )
        work = wrote(written(evidence=Evidence.ACCEPTED), device(probe="abcd"), code(), RESERVED, before)
        state = work.slots["20"]
        assert (state.former, state.touched, state.empty_since, state.unmanaged_id) == (
            None,
            False,
            None,
            None,
        )
        assert work.device.probe is None

    def test_on_a_write_only_lock_it_is_sent_and_never_looked_at(self) -> None:
        """A look proves nothing there."""
        work = wrote(written(), device(CAN_BLIND), code(), RESERVED)
        assert work.slots["20"].check_at is None
        assert work.placement("ana").confirmed is not None

    @pytest.mark.parametrize("shown", [Empty(), Unreadable(enabled=False), known("8888")])
    def test_a_look_that_does_not_show_it_is_repeated_soon(self, shown: Reading) -> None:
        """Before the code is written again; the failure is told in plain words."""
        work = wrote(written(shown), device(CAN_MASKED), code(), RESERVED, replace(NEW, before=Empty()))
        assert work.slots["20"].check_at == NOON + 15 * SECOND
        placement = work.placement("ana")
        assert placement.confirmed is None
        assert (placement.failures, placement.retry_at) == (1, NOON + MINUTE)
        assert placement.failure == "the lock took the command and does not show its effect"

    def test_a_write_of_a_code_that_is_gone_only_marks_the_slot(self) -> None:
        """There is nobody to confirm it for."""
        nobody = replace(NEW, access_code_id=None)
        work = wrote(written(evidence=Evidence.ACCEPTED), nobody)
        assert work.placements == {}
        assert work.slots["20"].own_write_at == NOON


class TestCleared:
    """A clear went out."""

    def test_an_acknowledged_one_is_believed_and_looked_at_once_more(self) -> None:
        """The PIN is remembered, should it come back."""
        work = cleared(written(evidence=Evidence.ACCEPTED), LEAVING, held())
        assert not work.snapshot().may_hold("ana")
        assert work.slots["20"].former == Former(pin=credential().pin, removed_at=NOON)
        assert work.slots["20"].check_at == NOON + 5 * MINUTE
        assert outcomes(work) == ["gone"]

    def test_a_look_that_shows_it_empty_is_proof(self) -> None:
        """One is enough after our own clear."""
        work = cleared(written(Empty()), LEAVING, held())
        assert not work.snapshot().may_hold("ana")
        assert work.slots["20"].check_at == NOON + 5 * MINUTE

    def test_a_look_that_shows_it_there_is_a_failure(self) -> None:
        """The clear is sent again, later and later."""
        work = cleared(written(known()), LEAVING, held(failures=1))
        placement = work.placement("ana")
        assert work.snapshot().may_hold("ana")
        assert (placement.failures, placement.retry_at) == (2, NOON + 2 * MINUTE)
        assert outcomes(work) == ["not applied"]

    def test_a_young_write_that_may_arrive_after_it_is_waited_for(self) -> None:
        """The code is not dropped while any slot may still hold it."""
        work = cleared(written(evidence=Evidence.ACCEPTED), LEAVING, held(), NEW)
        assert work.snapshot().may_hold("ana")
        assert work.placement("ana").retry_at == NOON + 29 * SECOND
        assert outcomes(work) == ["accepted, but a write may still arrive"]

    def test_a_write_only_lock_is_told_twice_before_it_is_believed(self) -> None:
        """And never looked at."""
        first = cleared(written(), device(CAN_BLIND), LEAVING, held())
        assert first.snapshot().may_hold("ana")
        assert first.placement("ana").cleared_at == NOON
        assert outcomes(first) == ["sent"]
        second = later(first, view(NOON + 30 * SECOND))
        second.intents.append(CLEAR)
        absorb_cleared(second, CLEAR, written())
        assert not second.snapshot().may_hold("ana")
        assert second.slots["20"].check_at is None

    def test_a_reading_of_a_write_only_lock_proves_nothing(self) -> None:
        """It answers "available" whatever it holds."""
        work = cleared(written(Empty()), device(CAN_BLIND), LEAVING, held())
        assert work.snapshot().may_hold("ana")

    def test_one_that_was_only_sent_is_looked_at_now(self) -> None:
        """Where a look tells."""
        work = cleared(written(), LEAVING, held())
        assert work.slots["20"].check_at == NOON
        assert outcomes(work) == ["sent"]

    @pytest.mark.parametrize(
        ("outcome", "gone"), [(written(), True), (written(Empty()), True), (written(known()), False)]
    )
    def test_a_ghost_is_gone_unless_it_shows(self, outcome: Written, *, gone: bool) -> None:
        """Then it is cleared again later."""
        ghost = slot("20", known(), ghost=True, former=Former(pin=credential().pin, removed_at=NOON))
        work = cleared(outcome, ghost, of=replace(CLEAR, access_code_id=None))
        state = work.slots["20"]
        assert (not state.ghost, state.retry_at) == (gone, None if gone else NOON + MINUTE)
        assert outcomes(work) == ["applied"]
