"""What a lock tells unasked (rule 3)."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from gateway.domain.credential import Empty, Evidence, Reading, Unreadable
from gateway.domain.driver import (
    DENIALS,
    AccessDenied,
    AuthorityLost,
    AuthorityUp,
    BatteryLevel,
    CodeUsed,
    LockAlive,
    LockDead,
    LockEvent,
    LockSeen,
    SlotReported,
    SlotTouched,
    Tampered,
)
from gateway.domain.lock import Device, Link
from gateway.domain.placement import Placement
from gateway.engine.observations import absorb_event
from gateway.engine.work import Work
from tests.engine.build import (
    CAN,
    CAN_BLIND,
    DOOR,
    HOUR,
    IDENTITY,
    MINUTE,
    NOON,
    SECOND,
    Fact,
    code,
    credential,
    device,
    held,
    intent,
    known,
    outside,
    slot,
    snapshot,
)
from tests.engine.working import told, working


def after(event: LockEvent, *facts: Fact) -> Work:
    """Take in one event at noon."""
    work = working(*facts)
    absorb_event(work, event)
    return work


def reported(reading: Reading) -> SlotReported:
    """Return a report of slot 20."""
    return SlotReported(device_id=DOOR, slot="20", reading=reading)


TOUCHED = SlotTouched(device_id=DOOR, slot="20")


class TestPresence:
    """How the hub stands with a lock; a sign of life ends every waiting (rule 13)."""

    def test_first_sight_pins_the_lock_and_begins_the_inventory(self) -> None:
        """Rule 15: who it is, is kept."""
        unseen = device(
            None, identity=None, seen_identity=None, authority_lost_at=NOON, link=Link.UNKNOWN, retry_at=NOON
        )
        seen = LockSeen(device_id=DOOR, identity=IDENTITY, capabilities=CAN, battery=0.5)
        lock = after(seen, unseen).device
        assert (lock.identity, lock.seen_identity, lock.capabilities) == (IDENTITY, IDENTITY, CAN)
        assert (lock.link, lock.link_since, lock.audit_at) == (Link.ONLINE, NOON, NOON)
        assert (lock.authority_lost_at, lock.retry_at, lock.battery) == (None, None, 0.5)

    def test_seeing_it_again_changes_neither_its_name_nor_its_audit(self) -> None:
        """A lock that was there all the time has been so since then; a battery not told is as before."""
        since = device(link_since=NOON - HOUR, battery=0.7)
        other = replace(IDENTITY, serial="18")
        lock = after(LockSeen(device_id=DOOR, identity=other, capabilities=CAN), since).device
        assert (lock.identity, lock.seen_identity) == (IDENTITY, other)
        assert (lock.link_since, lock.audit_at, lock.battery) == (NOON - HOUR, since.audit_at, 0.7)

    @pytest.mark.parametrize("field", ["product", "serial"])
    def test_what_is_learned_of_a_lock_later_is_pinned_then(self, field: str) -> None:
        """And kept where it is not told the next time: another lock is noticed by it."""

        def seen(lock: Device, value: str | None) -> Device:
            found = replace(IDENTITY, **{field: value})
            return after(LockSeen(device_id=DOOR, identity=found, capabilities=CAN), lock).device

        unknown = replace(IDENTITY, **{field: None})
        lock = seen(seen(device(identity=unknown, seen_identity=unknown), "learned"), None)
        assert not lock.replaced
        assert lock.identity == lock.seen_identity == replace(IDENTITY, **{field: "learned"})
        assert seen(lock, "other").replaced

    def test_a_sign_of_life_ends_the_waiting(self) -> None:
        """At once."""
        away = device(link=Link.UNREACHABLE, link_since=NOON - HOUR, retry_at=NOON + HOUR)
        lock = after(LockAlive(device_id=DOOR), away).device
        assert (lock.link, lock.link_since, lock.retry_at) == (Link.ONLINE, NOON, None)

    @pytest.mark.parametrize(("link", "waits"), [(Link.UNREACHABLE, False), (Link.ONLINE, True)])
    def test_slots_waited_with_a_silent_lock(self, link: Link, *, waits: bool) -> None:
        """A slot that leaves questions open while its lock answers others goes on waiting."""
        silent = slot("20", retry_at=NOON + HOUR, failures=5)
        state = after(LockAlive(device_id=DOOR), device(link=link), silent).slots["20"]
        assert (state.retry_at is not None, state.failures) == (waits, 5 if waits else 0)

    def test_a_lock_said_to_be_dead_is_left_alone_for_a_while(self) -> None:
        """At least a minute; longer where it failed before."""
        lock = after(LockDead(device_id=DOOR), device()).device
        assert (lock.link, lock.failures, lock.retry_at) == (Link.UNREACHABLE, 1, NOON + MINUTE)
        assert after(LockDead(device_id=DOOR), device(failures=3)).device.retry_at == NOON + 4 * MINUTE

    def test_the_server_goes_and_comes(self) -> None:
        """The first loss counts; its return ends it."""
        lost = AuthorityLost(device_ids=(DOOR,))
        assert after(lost, device()).device.authority_lost_at == NOON
        assert after(lost, device(authority_lost_at=NOON - HOUR)).device.authority_lost_at == NOON - HOUR
        up = after(
            AuthorityUp(device_ids=(DOOR,)), device(authority_lost_at=NOON, retry_at=NOON + HOUR)
        ).device
        assert (up.authority_lost_at, up.retry_at) == (None, None)

    def test_a_lock_is_not_served_before_it_is_seen_again(self) -> None:
        """Meanwhile somebody may have put another one in its place (rule 15)."""
        up = after(AuthorityUp(device_ids=(DOOR,)), device()).device
        assert up.unseen_since == NOON
        again = LockSeen(device_id=DOOR, identity=IDENTITY, capabilities=CAN)
        assert after(again, device(unseen_since=NOON)).device.unseen_since is None


class TestReports:
    """A report that says what we know is believed; before any other is believed we look ourselves."""

    def test_the_echo_of_our_own_write_confirms_it(self) -> None:
        """Also before its answer is there."""
        work = after(reported(known()), code(), Placement(access_code_id="ana", slot="20"), intent())
        confirmed = work.placement("ana").confirmed
        assert confirmed is not None
        assert confirmed.evidence is Evidence.READ_BACK

    def test_a_report_of_what_is_there_confirms_it(self) -> None:
        """Also of a code that is not wanted any more."""
        for asked in ([code()], [code(deleted_at=NOON)], []):
            work = after(reported(known()), *asked, held(evidence=Evidence.SENT))
            assert work.slots["20"].reading == known()

    @pytest.mark.parametrize("reading", [known("9999"), Empty()])
    def test_a_report_of_something_else_is_looked_into(self, reading: Reading) -> None:
        """Nothing is concluded from it: reports are repeated, late, and sometimes wrong."""
        work = after(reported(reading), code(), held())
        assert work.slots["20"].check_at == NOON
        assert work.slots["20"].reading is None
        assert told(work) == []
        assert after(reported(reading)).slots["20"].check_at == NOON

    def test_a_report_without_digits_is_a_touch(self) -> None:
        """The next look cannot tell, so it must be remembered that somebody was there."""
        work = after(reported(Unreadable()), code(), held())
        assert work.slots["20"].touched

    @pytest.mark.parametrize("event", [reported(known("9999")), reported(Unreadable()), TOUCHED])
    @pytest.mark.parametrize(
        "facts",
        [
            [Placement(access_code_id="ana", slot="20"), intent()],
            [held(), slot("20", known(), own_write_at=NOON - 9 * SECOND)],
        ],
    )
    def test_own_operations_explain_a_report(self, event: LockEvent, facts: list[Fact]) -> None:
        """Open, or ended less than ten seconds ago. One look follows later: an edit may hide behind it."""
        work = after(event, code(), *facts)
        assert told(work) == []
        assert not work.slots["20"].touched
        assert work.slots["20"].check_at == NOON + 5 * MINUTE
        assert work.placements == snapshot(code(), *facts).placements

    def test_a_look_that_is_due_sooner_is_not_put_off_by_an_echo(self) -> None:
        """And a lock that cannot be read is not looked at."""
        due = slot("20", known(), own_write_at=NOON, check_at=NOON + MINUTE)
        assert after(TOUCHED, code(), held(), due).slots["20"] == due
        blind = slot("20", own_write_at=NOON)
        assert after(TOUCHED, device(CAN_BLIND), code(), held(), blind).slots["20"] == blind

    @pytest.mark.parametrize("ended", [NOON - 10 * SECOND, NOON + HOUR])
    def test_older_ones_do_not(self, ended: datetime) -> None:
        """Nor one that seems to end in the future."""
        assert after(TOUCHED, code(), held(), slot("20", known(), own_write_at=ended)).slots["20"].touched

    def test_a_lock_that_does_not_say_which_slot_has_all_of_ours_looked_at(self) -> None:
        """And only ours."""
        work = after(
            SlotTouched(device_id=DOOR, slot=None), held("ana", "20"), held("bo", "3", "9"), held("cy", None)
        )
        assert {name: state.check_at for name, state in work.slots.items()} == {"20": NOON, "3": NOON}

    def test_a_lock_that_cannot_be_read_tells_by_the_report_alone(self) -> None:
        """Of a slot of ours; others' slots are nothing to us."""
        blind = device(CAN_BLIND)
        for event in (TOUCHED, reported(Empty())):
            work = after(event, blind, code(), held())
            assert work.placement("ana").rewrite_due
            assert told(work) == ["access_code.modified_external_to_gateway"]
        assert after(TOUCHED, blind).slots == {}
        assert after(SlotTouched(device_id=DOOR, slot=None), blind, held()).slots == {}


class TestUse:
    """Somebody opened the door."""

    USED = CodeUsed(device_id=DOOR, slot="20")

    def test_it_is_the_best_proof(self) -> None:
        """And is told with the code's id."""
        work = after(self.USED, code(), held(evidence=Evidence.SENT, was_on_lock=False))
        confirmed = work.placement("ana").confirmed
        assert confirmed is not None
        assert confirmed.evidence is Evidence.USED
        assert work.placement("ana").was_on_lock
        event, first = work._events
        assert (event.event_type, event.access_code_id) == ("lock.unlocked", "ana")
        assert (first.event_type, first.access_code_id) == ("access_code.first_used", "ana")
        assert event.payload == {"method": "keycode", "slot": "20", "access_code_is_managed": True}

    @pytest.mark.parametrize(
        "facts",
        [
            [held(evidence=Evidence.SENT, outside=outside())],
            [held(evidence=Evidence.SENT, rewrite_due=True)],
            [held(evidence=Evidence.SENT), intent(target=credential("5822"), before=known())],
        ],
    )
    def test_in_doubt_it_proves_nothing(self, facts: list[Fact]) -> None:
        """The slot may have held another PIN at that moment. It is told nevertheless."""
        work = after(self.USED, code(), *facts)
        confirmed = work.placement("ana").confirmed
        assert confirmed is not None
        assert confirmed.evidence is Evidence.SENT
        assert told(work) == ["lock.unlocked"]

    @pytest.mark.parametrize(
        ("facts", "code_id"),
        [([slot("20", known(), unmanaged_id="u")], "u"), ([slot("20")], None), ([], None)],
    )
    def test_a_code_of_others_is_told_by_its_own_id(self, facts: list[Fact], code_id: str | None) -> None:
        """Where there is one."""
        [event] = after(self.USED, *facts)._events
        assert event.access_code_id == code_id
        assert event.payload["access_code_is_managed"] is False


class TestSecurity:
    """Wrong codes, tampering, batteries."""

    def test_they_are_told(self) -> None:
        """Without digits: the driver drops them."""
        denied = after(AccessDenied(device_id=DOOR, reason="unknown_code"), device())._events[0]
        assert (denied.event_type, denied.payload) == (
            "lock.access_denied",
            {"reason": {"reason_code": "unknown_code", "message": DENIALS["unknown_code"]}},
        )
        tampered = after(Tampered(device_id=DOOR, what="cover removed"), device())._events[0]
        assert (tampered.event_type, tampered.payload) == ("device.tampered", {"what": "cover removed"})

    @pytest.mark.parametrize(
        ("facts", "code_id"),
        [
            ([code(), held()], "ana"),
            ([slot("20", known(), unmanaged_id="u")], "u"),
            ([], None),
        ],
    )
    def test_a_code_that_is_not_let_in_is_named(self, facts: list[Fact], code_id: str | None) -> None:
        """Where the lock says which it was."""
        [event] = after(AccessDenied(device_id=DOOR, reason="outside_schedule", slot="20"), *facts)._events
        assert (event.event_type, event.access_code_id) == ("lock.access_denied", code_id)
        assert set(event.payload) == {"reason"}

    @pytest.mark.parametrize(
        ("before", "level", "events"),
        [
            (None, 0.19, ["device.battery_status_changed", "device.low_battery"]),
            (0.2, 0.19, ["device.battery_status_changed", "device.low_battery"]),
            (0.19, 0.18, []),
            (0.19, 0.05, ["device.battery_status_changed"]),
            (0.5, 0.2, []),
            (0.1, 0.9, ["device.battery_status_changed"]),
        ],
    )
    def test_a_battery_that_becomes_low_is_told_once(
        self, before: float | None, level: float, events: list[str]
    ) -> None:
        """When it crosses a fifth, downwards."""
        tellings: list[LockEvent] = [
            BatteryLevel(device_id=DOOR, level=level),
            LockSeen(device_id=DOOR, identity=IDENTITY, capabilities=CAN, battery=level),
        ]
        for telling in tellings:  # Nuki and Yale tell it only with the rest of what they are
            work = after(telling, device(battery=before))
            assert work.device.battery == level
            assert told(work) == events
