"""Which slot a new code gets (rule 1)."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.domain.credential import Empty, Unreadable
from gateway.domain.lock import Readback
from gateway.domain.placement import Former, Placement, Slot, Snapshot
from gateway.engine.slots import Choice, Full, choose
from gateway.engine.waiting import is_due
from tests.engine.anything import cases
from tests.engine.build import (
    CAN_BLIND,
    CAN_TINY,
    HOUR,
    MINUTE,
    NOON,
    POLICY,
    SECOND,
    Fact,
    code,
    credential,
    device,
    held,
    known,
    slot,
    snapshot,
)

NEW = Placement(access_code_id="new")
FORMER = Former(pin=credential().pin, removed_at=NOON)


def pick(snap: Snapshot, placement: Placement = NEW) -> Choice | Full:
    """Choose at noon."""
    return choose(snap, placement, NOON)


def facts_of(kind: str, name: str) -> list[Fact]:
    """Return a slot of one kind; nothing is known of an unread one."""
    match kind:
        case "free":
            return [slot(name)]
        case "old":
            return [slot(name, read_at=NOON - HOUR)]
        case "foreign":
            return [slot(name, known("9"), unmanaged_id="u")]
        case "hidden":
            return [slot(name, Unreadable())]
        case "owned":
            return [held(f"code {name}", name)]
        case _:
            return []


class TestHighEnd:
    """People at keypads fill the low end."""

    def test_the_highest_slot_comes_first(self) -> None:
        """Also when nothing was read yet: then it is read before it is used."""
        assert pick(snapshot()) == Choice("20", fresh=False)
        assert pick(snapshot(slot("20"), slot("1"))) == Choice("20", fresh=True)

    def test_taken_and_owned_slots_are_passed_over(self) -> None:
        """Ours, others', and those that could not be read in clear."""
        snap = snapshot(
            code(),
            held("ana", "20"),
            slot("19", known("8888"), unmanaged_id="u"),
            slot("18", Unreadable()),
            slot("17", Empty(), unmanaged_id="just emptied, not yet believed"),
            slot("16"),
        )
        assert pick(snap) == Choice("16", fresh=True)

    def test_only_granted_slots_are_used(self) -> None:
        """The configuration grants them."""
        lock = device(policy=replace(POLICY, managed_slots=("3", "5")))
        assert pick(snapshot(lock)) == Choice("5", fresh=False)
        assert pick(snapshot(lock, slot("5", Unreadable()))) == Choice("3", fresh=False)

    def test_a_slot_about_to_be_looked_at_comes_last(self) -> None:
        """A clear that may have taken no effect is looked at once more before the slot is used."""
        waiting = slot("20", former=FORMER, check_at=NOON + MINUTE)
        assert pick(snapshot(waiting, slot("19"))) == Choice("19", fresh=True)
        settled = replace(waiting, check_at=None)
        assert pick(snapshot(settled, slot("19"))) == Choice("20", fresh=True)
        lock = device(policy=replace(POLICY, managed_slots=("20",)))
        assert pick(snapshot(lock, waiting)) == Choice("20", fresh=True)


class TestFreshness:
    """A slot is used for the first time only after a recent reading of it."""

    @pytest.mark.parametrize(
        ("state", "fresh"),
        [
            (slot("20", read_at=NOON), True),
            (slot("20", read_at=NOON - 10 * MINUTE), True),
            (slot("20", read_at=NOON - 10 * MINUTE - SECOND), False),
            (slot("20", read_at=NOON + HOUR), False),
            (slot("20", read_at=None), False),
            (replace(slot("20"), reading=None), False),
        ],
    )
    def test_ten_minutes_are_recent(self, state: Slot, *, fresh: bool) -> None:
        """A reading that seems to come from the future is not."""
        assert pick(snapshot(state)) == Choice("20", fresh=fresh)

    def test_the_reserved_slot_is_taken_again(self) -> None:
        """Whatever else is free; and it too must be fresh."""
        mine = Placement(access_code_id="new", slot="4")
        assert pick(snapshot(slot("20"), slot("4")), mine) == Choice("4", fresh=True)
        assert pick(snapshot(slot("20"), slot("4", known("1"))), mine) == Choice("4", fresh=False)

    def test_where_readings_prove_nothing_granted_slots_are_used_unseen(self) -> None:
        """The lock answers "available" whatever it holds."""
        lock = device(CAN_BLIND, policy=replace(POLICY, managed_slots=("3",)))
        assert pick(snapshot(lock)) == Choice("3", fresh=True)
        assert pick(snapshot(lock, slot("3", Unreadable()))) == Choice("3", fresh=True)
        assert pick(snapshot(lock, held("ana", "3"))) == Full(ours=1, foreign=0)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_facts_only_slots_that_may_be_free_are_chosen(seed: int) -> None:
    """Granted, nobody's, not seen taken unless nothing can be seen; the reserved one while it answers."""
    for case in cases(seed):
        snap, now = case.snap, case.t.now
        can, granted = snap.device.capabilities, snap.device.managed_slots
        assert can is not None
        for code_id in snap.codes:
            placement = snap.placement(code_id)
            found = choose(snap, placement, now)
            others = {p.slot for p in snap.placements.values() if p.access_code_id != code_id}
            mine = snap.slots.get(placement.slot or "")
            if placement.slot in granted and (mine is None or is_due(mine.retry_at, now)):
                assert isinstance(found, Choice), case.number
                assert found.slot == placement.slot, case.number
                continue
            if isinstance(found, Full):
                continue
            state = snap.slots.get(found.slot)
            assert found.slot in granted, case.number
            assert found.slot not in others, case.number
            assert state is None or state.unmanaged_id is None, case.number
            if can.readback is not Readback.NONE:
                seen = state.reading if state is not None else None
                assert seen is None or isinstance(seen, Empty), case.number
                assert not found.fresh or (state is not None and isinstance(state.reading, Empty)), (
                    case.number
                )
            higher = granted[granted.index(found.slot) + 1 :]
            assert not [n for n in higher if n not in others and _is_quite_free(snap, n, now)], case.number


def _is_quite_free(snap: Snapshot, name: str, now: datetime) -> bool:
    """Say whether nothing at all speaks against a slot."""
    state = snap.slots.get(name)
    return state is None or (
        (state.reading is None or isinstance(state.reading, Empty))
        and state.unmanaged_id is None
        and state.former is None
        and is_due(state.retry_at, now)
    )


class TestFull:
    """No slot is left."""

    def test_it_says_who_has_them(self) -> None:
        """So that a person can decide what to delete."""
        snap = snapshot(device(CAN_TINY), held("ana", "1"), slot("2", known("9"), unmanaged_id="u"))
        assert pick(snap) == Full(ours=1, foreign=1)
        assert pick(snapshot(device(policy=replace(POLICY, managed_slots=())))) == Full(ours=0, foreign=0)

    @given(
        st.lists(
            st.sampled_from(["free", "old", "unread", "foreign", "hidden", "owned"]), min_size=20, max_size=20
        )
    )
    def test_whatever_the_slots_hold_no_foreign_one_is_chosen(self, kinds: list[str]) -> None:
        """And `fresh` only where the newest reading said empty."""
        kind_of = {str(number): kind for number, kind in enumerate(kinds, start=1)}
        snap = snapshot(*(fact for n, kind in kind_of.items() for fact in facts_of(kind, n)))
        found = pick(snap)
        usable = [n for n, kind in kind_of.items() if kind in {"free", "old", "unread"}]
        if isinstance(found, Full):
            assert not usable
        else:
            assert found == Choice(usable[-1], fresh=kind_of[usable[-1]] == "free")
