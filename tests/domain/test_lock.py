"""What a lock is, who it is, and which slots are the hub's."""

from datetime import UTC, datetime

import msgspec
import pytest
from msgspec.structs import replace

from gateway.domain.code import AccessCode
from gateway.domain.credential import Credential, Evidence
from gateway.domain.lock import Capabilities, Device, Identity, LockPolicy
from gateway.domain.pin import Pin
from gateway.domain.placement import Confirmed, Intent, IntentKind, Placement, Refusal, Snapshot

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
YALE = Identity(network="home 1", manufacturer="Yale", product="YRD256", serial="17")


class TestIdentity:
    """Rule 15: a lock is who it was."""

    @pytest.mark.parametrize(
        ("seen", "contradicts"),
        [
            (YALE, False),
            (replace(YALE, serial=None), False),
            (replace(YALE, serial="18"), True),
            (replace(YALE, network="home 2"), True),
            (replace(YALE, manufacturer="Kwikset"), True),
            (replace(YALE, product="YRD446"), True),
            (replace(YALE, product="YRD446", serial=None), True),
            (replace(YALE, product=None), False),
            (replace(YALE, product=None, serial=None), False),
            (replace(YALE, product=None, serial="18"), True),
        ],
    )
    def test_certainly_another_lock(self, seen: Identity, *, contradicts: bool) -> None:
        """What one side does not know contradicts nothing; everything else must agree."""
        assert YALE.contradicts(seen) is contradicts
        assert seen.contradicts(YALE) is contradicts
        assert Device(device_id="d", policy=None, identity=YALE, seen_identity=seen).replaced is contradicts

    @pytest.mark.parametrize("serial", [None, "17"])
    def test_two_of_one_model_are_told_apart_by_their_keys(self, serial: str | None) -> None:
        """Many locks tell no serial number."""
        ours, theirs = (replace(YALE, serial=serial, dsk=dsk) for dsk in ("11111-22222", "33333-44444"))
        assert ours.contradicts(theirs)
        assert not ours.contradicts(replace(ours, dsk=None))
        assert replace(ours, dsk=None).completed(ours) == ours

    def test_one_that_was_stored_before_keys_were_known_is_the_same_lock(self) -> None:
        """A database may be older than the field."""
        stored = b'{"network": "home 1", "manufacturer": "Yale", "product": "YRD256", "serial": "17"}'
        assert not msgspec.json.decode(stored, type=Identity).contradicts(replace(YALE, dsk="11111-22222"))

    def test_a_lock_seen_by_nobody_is_not_replaced(self) -> None:
        """Both identities must be known."""
        assert not Device(device_id="d", policy=None, identity=YALE).replaced
        assert not Device(device_id="d", policy=None, seen_identity=YALE).replaced


class TestManagedSlots:
    """The slots that the hub may use."""

    @pytest.mark.parametrize(
        ("granted", "managed"),
        [(None, ("1", "2", "3")), (("3", "2", "9"), ("2", "3")), ((), ())],
    )
    def test_the_configuration_grants_them(
        self, granted: tuple[str, ...] | None, managed: tuple[str, ...]
    ) -> None:
        """In the lock's order; what the lock does not have is nothing."""
        policy = LockPolicy(name="Door", driver="sim", managed_slots=granted)
        device = Device(
            device_id="d", policy=policy, capabilities=Capabilities(slots=("1", "2", "3"), max_codes=3)
        )
        assert device.managed_slots == managed
        assert replace(device, policy=None).managed_slots == ()
        assert replace(device, capabilities=None).managed_slots == ()

    def test_a_lock_without_slots_to_choose_from_chooses_itself(self) -> None:
        """As Nuki does."""
        assert Capabilities(max_codes=100).lock_chooses_slot
        assert not Capabilities(slots=("1",), max_codes=1).lock_chooses_slot


class TestCodes:
    """What follows from a code's own fields."""

    def test_only_an_end_makes_a_code_time_bound(self) -> None:
        """A start alone is a window too, without end."""
        code = AccessCode(
            access_code_id="a", device_id="d", name="A", pin=Pin("1"), created_at=NOON, updated_at=NOON
        )
        assert (code.type, code.has_window) == ("ongoing", False)
        assert (replace(code, starts_at=NOON).type, replace(code, starts_at=NOON).has_window) == (
            "ongoing",
            True,
        )
        assert (replace(code, ends_at=NOON).type, replace(code, ends_at=NOON).has_window) == (
            "time_bound",
            True,
        )

    @pytest.mark.parametrize("reason", list(Refusal))
    def test_only_the_code_itself_is_refused_for_good(self, reason: Refusal) -> None:
        """Duplicate and format: trying again changes nothing. A full or busy lock may change."""
        assert reason.permanent is (reason in {Refusal.DUPLICATE, Refusal.FORMAT})


class TestSnapshots:
    """Questions to the facts of one lock."""

    HELD = Placement(
        access_code_id="held",
        slot="7",
        confirmed=Confirmed(credential=Credential(pin=Pin("1")), evidence=Evidence.SENT, at=NOON, revision=1),
    )
    TRIED = Intent(
        intent_id="i",
        access_code_id="tried",
        revision=1,
        slot="6",
        kind=IntentKind.SET,
        target=Credential(pin=Pin("2")),
        before=None,
        opened_at=NOON,
    )
    SNAP = Snapshot(
        device=Device(device_id="d", policy=None),
        codes={},
        placements={"held": HELD},
        slots={},
        intents=(TRIED, replace(TRIED, intent_id="ghost", access_code_id=None)),
    )

    def test_an_open_intent_may_have_put_the_code_on_the_lock(self) -> None:
        """May be on the lock: confirmed by whatever evidence, or sent with the answer missing."""
        assert self.SNAP.may_hold("held")
        assert self.SNAP.may_hold("tried")
        assert not self.SNAP.may_hold("other")

    def test_a_code_without_placement_has_a_fresh_one(self) -> None:
        """Asking does not fail and does not invent anything."""
        assert self.SNAP.placement("other") == Placement(access_code_id="other")
        assert self.SNAP.placement("held") is self.HELD

    def test_a_slot_has_at_most_one_owner(self) -> None:
        """Intents do not own; placements do."""
        assert self.SNAP.owner("7") is self.HELD
        assert self.SNAP.owner("6") is None
        assert self.SNAP.open_intents("tried") == (self.TRIED,)
