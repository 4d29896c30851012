"""Getting a code off its lock (rules 2 and 6)."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from gateway.domain.code import AccessCode
from gateway.domain.lock import Device
from gateway.domain.placement import Snapshot
from gateway.engine.plan import ClearSlot, ReadAll, ReadSlot, Step
from gateway.engine.removal import plan_removal
from gateway.engine.waiting import Wake
from tests.engine.build import (
    CAN_BLIND,
    CAN_CHOOSE,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    clearing,
    code,
    device,
    held,
    intent,
    snapshot,
    view,
)

ENDED = code(ends_at=NOON - SECOND)


def removal(snap: Snapshot) -> tuple[list[Step], datetime | None]:
    """Plan at noon; return the steps and when to look again."""
    wake = Wake(NOON)
    return plan_removal(next(iter(snap.codes.values())), snap, view(), wake), wake.at


class TestClear:
    """What may be on the lock is cleared, in its own slot."""

    @pytest.mark.parametrize(
        ("asked", "lock", "why"),
        [
            (ENDED, device(), "its window has ended"),
            (code(deleted_at=NOON), device(), "the code was deleted"),
            (code(), device(retiring=True), "the lock is being retired"),
            (code(starts_at=NOON + DAY), device(), "its window has moved"),
        ],
    )
    def test_the_reason_is_told(self, asked: AccessCode, lock: Device, why: str) -> None:
        """In plain words."""
        expected = ClearSlot(access_code_id="ana", slot="20", why=why)
        assert removal(snapshot(lock, asked, held())) == ([expected], None)

    def test_an_unanswered_write_is_cleared_too(self) -> None:
        """The code may have arrived."""
        found, _ = removal(snapshot(ENDED, replace(held(), confirmed=None), intent()))
        assert found == [ClearSlot(access_code_id="ana", slot="20", why="its window has ended")]

    def test_what_is_certainly_gone_needs_nothing(self) -> None:
        """No step and no waiting."""
        assert removal(snapshot(ENDED)) == ([], None)

    def test_after_a_failure_it_waits(self) -> None:
        """And says until when."""
        snap = snapshot(ENDED, held(retry_at=NOON + MINUTE))
        assert removal(snap) == ([], NOON + MINUTE)
        assert removal(snapshot(ENDED, held(retry_at=NOON)))[0]


class TestUnanswered:
    """A clear whose answer got lost is looked at before it is sent again."""

    def test_the_slot_is_read(self) -> None:
        """Only that one."""
        found, _ = removal(snapshot(ENDED, held(), clearing()))
        assert found == [ReadSlot(slot="20", why="the answer to clearing slot 20 got lost")]

    def test_a_lock_that_chooses_is_listed(self) -> None:
        """Also when it never said where it put the code."""
        lock = device(CAN_CHOOSE)
        found, _ = removal(snapshot(lock, ENDED, held(), clearing()))
        assert found == [ReadAll(why="the answer to clearing slot 20 got lost")]
        found, _ = removal(snapshot(lock, ENDED, intent(name=None)))
        assert found == [ReadAll(why="its window has ended, and it is not known where the lock put it")]


class TestWriteOnly:
    """A clear that nothing can confirm is sent twice, half a minute apart."""

    @pytest.mark.parametrize(
        ("cleared_at", "sent", "wake"),
        [
            (None, True, None),
            (NOON - 29 * SECOND, False, NOON + SECOND),
            (NOON - 30 * SECOND, True, None),
            (NOON + HOUR, True, None),
        ],
    )
    def test_the_second_waits_for_the_first(
        self, cleared_at: datetime | None, wake: datetime | None, *, sent: bool
    ) -> None:
        """It is never looked at: a look proves nothing here."""
        snap = snapshot(device(CAN_BLIND), ENDED, held(cleared_at=cleared_at), clearing())
        found, at = removal(snap)
        assert [type(step) for step in found] == ([ClearSlot] if sent else [])
        assert at == wake
