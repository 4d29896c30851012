"""What became of an operation that failed or was refused, and of a look (rules 11, 12, 13)."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from gateway.domain.credential import Empty
from gateway.domain.driver import (
    AuthorityDown,
    DriverError,
    LockUnreachable,
    NoAnswer,
    NotSent,
    Refused,
)
from gateway.domain.lock import Link
from gateway.domain.placement import Former, Refusal
from gateway.engine.outcomes import (
    absorb_answer,
    absorb_failure,
    absorb_probe,
    absorb_read_cost,
)
from gateway.engine.readings import absorb_list, absorb_reading
from tests.engine.answers import CLEAR, LEAVING, NEW, RESERVED
from tests.engine.build import (
    CAN,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    code,
    credential,
    device,
    held,
    intent,
    known,
    slot,
)
from tests.engine.working import outcomes, told, working


class TestFailures:
    """What may have been applied stays open; what was not is closed."""

    def test_nothing_was_sent(self) -> None:
        """The server or adapter is away: the reading from before still holds, and ages."""
        work = working(code(), RESERVED, NEW, slot("20", None, read_at=None))
        absorb_failure(work, NEW, AuthorityDown("away"))
        assert outcomes(work) == ["not sent"]
        assert work.device.authority_lost_at == NOON
        assert work.slots["20"].reading == Empty()
        assert work.slots["20"].read_at is None
        assert work.placement("ana").failures == 0

    def test_the_first_loss_of_the_server_counts(self) -> None:
        """How long it is away decides what is told."""
        work = working(device(authority_lost_at=NOON - HOUR))
        absorb_failure(work, None, AuthorityDown("away"))
        assert work.device.authority_lost_at == NOON - HOUR

    @pytest.mark.parametrize(
        ("error", "link"),
        [(NoAnswer("no answer"), Link.ONLINE), (LockUnreachable("no reaction"), Link.UNREACHABLE)],
    )
    def test_it_may_have_been_applied(self, error: DriverError, link: Link) -> None:
        """The journal entry stays open, the slot stays reserved, the lock is left alone for a minute."""
        work = working(device(probe="abcd"), code(), NEW)
        absorb_failure(work, NEW, error)
        assert work.intents == [NEW]
        placement = work.placement("ana")
        assert (placement.slot, placement.failures, placement.failure) == ("20", 1, str(error))
        assert (work.device.failures, work.device.retry_at) == (1, NOON + MINUTE)
        assert (work.device.link, work.device.probe) == (link, None)
        assert work.slots["20"].own_write_at == NOON

    def test_a_connection_gone_before_leaves_nothing_open(self) -> None:
        """Nothing went out, so that nothing has to be looked for; the lock is left alone all the same."""
        work = working(device(), code(), NEW)
        absorb_failure(work, NEW, NotSent("the connection broke"))
        assert work.intents == []
        assert work.placement("ana").unanswered is False
        assert work.device.retry_at == NOON + MINUTE

    def test_the_more_often_the_longer(self) -> None:
        """60 s doubling to 30 min; the time since when the lock is away is kept."""
        lock = device(failures=5, link=Link.UNREACHABLE, link_since=NOON - HOUR)
        work = working(lock)
        absorb_failure(work, None, LockUnreachable("no reaction"))
        assert (work.device.failures, work.device.retry_at) == (6, NOON + 30 * MINUTE)
        assert work.device.link_since == NOON - HOUR

    @pytest.mark.parametrize(
        ("error", "since", "waits"),
        [
            (NoAnswer("no answer"), NOON - HOUR, True),
            (LockUnreachable("no reaction"), NOON - HOUR, False),
            (NoAnswer("no answer"), NOON, False),
        ],
        ids=["the slot is silent", "the lock is silent", "the lock came back meanwhile"],
    )
    def test_a_slot_waits_only_for_its_own_silence(
        self, error: DriverError, since: datetime, *, waits: bool
    ) -> None:
        """What a silent lock left unanswered says nothing of a slot."""
        work = working(device(link=Link.ONLINE, link_since=since), slot("20"))
        absorb_failure(work, None, error, began=NOON - MINUTE, looked_at="20")
        assert (work.slots["20"].retry_at is not None, work.slots["20"].failures) == (waits, int(waits))

    def test_an_operation_of_no_code_is_closed(self) -> None:
        """Clearing a ghost: the slot is looked at again anyway."""
        ghost = replace(CLEAR, access_code_id=None)
        work = working(ghost)
        absorb_failure(work, ghost, NoAnswer("no answer"))
        assert outcomes(work) == ["unknown"]

    def test_an_add_on_a_lock_that_chooses_has_no_slot_to_reserve(self) -> None:
        """It is listed before any second add."""
        add = intent(name=None)
        work = working(code(), add)
        absorb_failure(work, add, NoAnswer("no answer"))
        assert work.placement("ana").slot is None
        assert work.intents == [add]


class TestRefusals:
    """The lock said no, and the slot is as it was."""

    @pytest.mark.parametrize("reason", [Refusal.DUPLICATE, Refusal.FORMAT])
    def test_for_good(self, reason: Refusal) -> None:
        """Rule 11: it stands with the revision and the inventory it was made for."""
        asked = replace(NEW, revision=3)
        work = working(device(inventory_version=4), code(revision=3), RESERVED, asked)
        absorb_failure(work, asked, Refused(reason, "it said no"))
        placement = work.placement("ana")
        assert placement.rejection is not None
        assert (placement.rejection.revision, placement.rejection.inventory_version) == (3, 4)
        assert (placement.retry_at, placement.failure) == (None, "it said no")
        assert outcomes(work) == [f"refused: {reason}"]

    @pytest.mark.parametrize("reason", [Refusal.DUPLICATE, Refusal.BUSY])
    def test_a_refusal_of_an_older_revision_blocks_nothing(self, reason: Refusal) -> None:
        """The PIN was changed while the old one was on the air: the new one is tried at once."""
        work = working(code(revision=3), RESERVED, NEW)
        absorb_failure(work, NEW, Refused(reason, "it said no"))
        placement = work.placement("ana")
        assert (placement.rejection, placement.retry_at, placement.failures) == (None, None, 0)
        assert work.intents == []

    def test_an_outcome_that_nobody_waits_for_any_more_is_taken_in(self) -> None:
        """A report settled the operation while it was on the air; the refusal still counts."""
        work = working(code(), RESERVED)
        absorb_failure(work, NEW, Refused(Refusal.DUPLICATE, "it said no"))
        assert work.placement("ana").rejection is not None
        assert outcomes(work) == []

    @pytest.mark.parametrize("reason", [Refusal.BUSY, Refusal.FULL, Refusal.OTHER])
    def test_for_now(self, reason: Refusal) -> None:
        """It is tried again later; a lock that says it is full is looked at, and is known to have said so."""
        work = working(code(), RESERVED, NEW)
        absorb_failure(work, NEW, Refused(reason, "it said no"))
        placement = work.placement("ana")
        assert placement.retry_at == NOON + MINUTE
        assert (placement.rejection is not None) is (reason is Refusal.FULL)
        assert (work.device.audit_at == NOON) is (reason is Refusal.FULL)

    def test_a_refused_list_is_told_on_the_codes_that_wait_and_repeated_later_and_later(self) -> None:
        """A code that is on the lock as it should be has no trouble."""
        work = working(code(), code("bea", "5822"), held("bea", content=credential("5822")))
        for minutes in (1, 2, 4):
            absorb_failure(work, None, Refused(Refusal.OTHER, "it lets nobody look"))
            assert work.device.retry_at == NOON + minutes * MINUTE
        assert work.placement("ana").failure == "it lets nobody look"
        assert work.placement("bea").failure is None

    def test_a_refused_clear_is_never_for_good(self) -> None:
        """A code that must go is tried again whatever the lock says."""
        work = working(LEAVING, held(), CLEAR)
        absorb_failure(work, CLEAR, Refused(Refusal.FORMAT, "it said no"))
        assert work.placement("ana").rejection is None
        assert work.placement("ana").retry_at == NOON + MINUTE
        assert work.slots["20"].reading == known()

    def test_a_ghost_refused_again_and_again_waits_longer_and_longer(self) -> None:
        """A look in between takes nothing back: it is the removal that was refused."""
        ghost = replace(CLEAR, access_code_id=None)
        work = working(slot("20", known(), ghost=True, former=Former(pin=credential().pin, removed_at=NOON)))
        waits = []
        for _ in range(4):
            work.open(ghost)
            absorb_failure(work, ghost, Refused(Refusal.OTHER, "no"))
            waits.append(work.slots["20"].retry_at)
            absorb_reading(work, "20", known())
        assert waits == [NOON + n * MINUTE for n in (1, 2, 4, 8)]
        assert work.slots["20"].ghost

    def test_a_refused_ghost_waits(self) -> None:
        """And an add that was refused has no slot to mark."""
        ghost = replace(CLEAR, access_code_id=None)
        work = working(ghost)
        absorb_failure(work, ghost, Refused(Refusal.BUSY, "it said no"))
        assert work.slots["20"].retry_at == NOON + MINUTE
        add = intent(name=None)
        chosen = working(code(), add, replace(ghost, intent_id="slotless", slot=None))
        absorb_failure(chosen, add, Refused(Refusal.BUSY, "it said no"))
        absorb_failure(chosen, chosen.intents[0], Refused(Refusal.BUSY, "it said no"))
        assert chosen.slots == {}

    def test_a_lock_that_says_no_answers(self) -> None:
        """The back-off of the lock ends."""
        work = working(device(failures=3, retry_at=NOON + HOUR, link=Link.UNREACHABLE), code(), RESERVED, NEW)
        absorb_failure(work, NEW, Refused(Refusal.BUSY, "it said no"))
        assert (work.device.failures, work.device.retry_at, work.device.link) == (0, None, Link.ONLINE)

    def test_a_look_that_was_refused_is_not_repeated_at_once(self) -> None:
        """The lock is left alone for a minute, although it answers."""
        work = working(device(failures=3))
        absorb_failure(work, None, Refused(Refusal.OTHER, "no such slot"))
        assert (work.device.failures, work.device.retry_at) == (0, NOON + MINUTE)

    def test_a_lock_that_refuses_every_list_is_left_alone_longer_each_time(self) -> None:
        """It answers, and asking costs its battery: a refused security PIN is refused in a minute too."""
        work = working(device())
        pauses = []
        for _ in range(7):
            absorb_failure(work, None, Refused(Refusal.OTHER, "the security PIN was refused"))
            assert work.device.retry_at is not None
            pauses.append((work.device.retry_at - NOON) / MINUTE)
        assert pauses == [1, 2, 4, 8, 16, 30, 30]
        absorb_list(work, {})
        absorb_failure(work, None, Refused(Refusal.BUSY, "the lock is busy"))
        assert work.device.retry_at == NOON + MINUTE


class TestLooks:
    """Answers, probes and what they cost."""

    def test_an_answer_ends_all_waiting(self) -> None:
        """And a lock that answers as ever is not written to memory again."""
        work = working(device())
        absorb_answer(work)
        assert work.device == device()

    @pytest.mark.parametrize(
        ("before", "opened", "after", "probed"),
        [
            ("abcd", None, "abcd", NOON),
            ("1234", None, None, None),
            (None, None, None, None),
            (None, "abcd", "abcd", NOON),
            (None, "1234", None, NOON),
        ],
        ids=["the same", "another", "before the reads", "the same after them", "another after them"],
    )
    def test_a_checksum_belongs_to_the_readings(
        self, before: str | None, opened: str | None, after: str | None, probed: datetime | None
    ) -> None:
        """If it was the same before and after them; another one means that everything is read again."""
        read = [slot(name) for name in CAN.slots]
        asked = NOON - MINUTE if opened is not None else None
        lock = device(probe=before, audit_round=NOON - MINUTE, probe_open=opened, probe_opened_at=asked)
        work = working(lock, *read)
        absorb_probe(work, "abcd")
        assert (work.device.probe, work.device.probed_at) == (after, probed)
        if opened is None and before != "abcd":
            assert (work.device.probe_open, work.device.probe_opened_at) == ("abcd", NOON)
        assert told(work) == []

    def test_a_slot_that_did_not_answer_may_hold_anything(self) -> None:
        """The checksum would cover what nobody has read."""
        read = [slot(name) for name in CAN.slots if name != "3"]
        silent = slot("3", read_at=NOON - HOUR, retry_at=NOON + HOUR)
        opened = NOON - MINUTE
        lock = device(audit_round=opened, probe_open="abcd", probe_opened_at=opened)
        work = working(lock, *read, silent)
        absorb_probe(work, "abcd")
        assert (work.device.probe, work.device.probed_at) == (None, NOON)

    def test_a_checksum_from_before_an_audit_was_asked_for_is_not_kept(self) -> None:
        """It would stand for slots that were read before somebody changed them."""
        read = [slot(name, read_at=NOON - HOUR) for name in CAN.slots]
        lock = device(audit_round=NOON - MINUTE, probe_open="abcd", probe_opened_at=NOON - SECOND)
        work = working(lock, *read)
        absorb_probe(work, "abcd")
        assert (work.device.probe, work.device.probed_at) == (None, None)

    def test_a_read_of_an_audit_is_charged(self) -> None:
        """A minute each, at sixty an hour."""
        work = working()
        absorb_read_cost(work)
        absorb_read_cost(work)
        assert work.device.read_budget == NOON + 2 * MINUTE
