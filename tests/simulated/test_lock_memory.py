"""What a lock's memory holds after any series of edits by hub and people."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from drivers.simulated.lock import ADMIN, SimulatedLock
from drivers.simulated.models import CHOOSER, MASKED, MODELS, NATIVE, READABLE, Model
from gateway.domain.credential import Credential, Empty, Known, Schedule, WeeklyWindow
from gateway.domain.driver import Refused
from gateway.domain.pin import Pin
from gateway.domain.placement import Refusal

AT = datetime(2031, 7, 1, 12, 0, tzinfo=UTC)
MONDAYS = WeeklyWindow(weekdays=(0,), from_minute=0, until_minute=60)
FEW_PINS = st.sampled_from(["4711", "4712", "4713", "9001"]).map(Pin)
FEW_SLOTS = st.sampled_from(["1", "2", "3", "4"])
SIX_DIGITS = st.sampled_from(["471111", "471112", "471113", "999991", "998877"]).map(Pin)


def refusal(deed: Callable[[], object]) -> Refusal | None:
    """Return why the lock said no, None when it did not."""
    try:
        deed()
    except Refused as refused:
        return refused.reason
    return None


class HubAndPeople(RuleBasedStateMachine):
    """Edits in any order on a lock with three slots; `expected` is kept by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = SimulatedLock(READABLE.with_slots(3), admin_pin=Pin("9001"))
        self.expected: dict[str, Credential] = {}

    @rule(slot=FEW_SLOTS, pin=FEW_PINS, enabled=st.booleans(), by_hand=st.booleans())
    def write(self, slot: str, pin: Pin, *, enabled: bool, by_hand: bool) -> None:
        credential = Credential(pin=pin, enabled=enabled)
        elsewhere = {taken.pin for other, taken in self.expected.items() if other != slot}
        reason = None
        if slot == "4":
            reason = Refusal.FORMAT
        elif pin == Pin("9001") or pin in elsewhere:
            reason = Refusal.DUPLICATE
        deed = partial(self.lock.set_code, slot, pin, enabled=enabled) if by_hand else None
        assert refusal(deed or partial(self.lock.write, slot, credential)) is reason
        if reason is None:
            self.expected[slot] = credential

    @rule(slot=st.sampled_from(["1", "2", "3"]), by_hand=st.booleans())
    def clear(self, slot: str, *, by_hand: bool) -> None:
        (self.lock.delete if by_hand else self.lock.clear)(slot)
        self.expected.pop(slot, None)

    @rule()
    def delete_all(self) -> None:
        self.lock.delete_all()
        self.expected.clear()

    @rule(pin=FEW_PINS)
    def open_door(self, pin: Pin) -> None:
        slots = [slot for slot, held in self.expected.items() if held.pin == pin and held.enabled]
        admin = [ADMIN] if pin == Pin("9001") else []
        assert self.lock.open_door(pin, AT) == next(iter(slots + admin), None)

    @invariant()
    def readings_tell_the_truth(self) -> None:
        assert self.lock.slots == self.expected
        for slot in ("1", "2", "3"):
            held = self.expected.get(slot)
            assert self.lock.read(slot) == (Known(held) if held else Empty())
        assert self.lock.read_all() == {slot: Known(held) for slot, held in self.expected.items()}

    @invariant()
    def the_checksum_depends_on_the_content_only(self) -> None:
        fresh = SimulatedLock(self.lock.model, slots=dict(sorted(self.expected.items(), reverse=True)))
        assert self.lock.checksum() == fresh.checksum()


TestHubAndPeople = HubAndPeople.TestCase
TestHubAndPeople.settings = settings(max_examples=40, stateful_step_count=30)


@given(
    deeds=st.lists(
        st.tuples(
            st.sampled_from(["add", "by hand", "remove"]), SIX_DIGITS, st.integers(min_value=1, max_value=6)
        ),
        max_size=20,
    )
)
def test_a_lock_that_chooses_never_gives_an_id_twice(deeds: list[tuple[str, Pin, int]]) -> None:
    """Ids only rise, whatever was deleted; the lock never holds more than fit, nor one PIN twice."""
    lock = SimulatedLock(CHOOSER.with_slots(3))
    given_ids: list[int] = []
    for deed, pin, slot in deeds:
        with suppress(Refused):
            if deed == "add":
                given_ids.append(int(lock.write(None, Credential(pin=pin))))
            elif deed == "by hand":
                given_ids.append(int(lock.set_code(None, pin)))
            else:
                lock.clear(str(slot))
        assert len(lock.slots) <= 3
        assert len({held.pin for held in lock.slots.values()}) == len(lock.slots)
    assert given_ids == list(range(1, len(given_ids) + 1))


@settings(max_examples=60)
@given(
    pin=st.from_regex("[0-9]{1,10}|[3-9]{6}|[0-9A*]{4}", fullmatch=True).map(Pin),
    enabled=st.booleans(),
    name=st.none() | st.text("aZ 9é", max_size=30),
    schedule=st.none()
    | st.builds(
        Schedule,
        starts_at=st.none() | st.datetimes(timezones=st.just(UTC)),
        ends_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    ),
    model=st.sampled_from(sorted(MODELS.values(), key=lambda model: model.name)),
)
def test_a_lock_keeps_the_same_access_or_refuses(
    pin: Pin, *, enabled: bool, name: str | None, schedule: Schedule | None, model: Model
) -> None:
    """Whatever is written, the lock never keeps something that lets others in, or at other times."""
    lock, can = SimulatedLock(model), model.capabilities
    credential = Credential(pin=pin, enabled=enabled, name=name, schedule=schedule)
    reason = refusal(partial(lock.write, None if can.lock_chooses_slot else "1", credential))
    assert reason in {None, Refusal.FORMAT}
    assert len(lock.slots) == (reason is None)
    for slot, kept in list(lock.slots.items()):
        assert kept.same_access(credential, can.schedule_granularity)
        assert len(kept.name or "") <= can.name_length
        lock.write(slot, kept)
        assert lock.slots == {slot: kept}, "keeping it once more loses nothing more"


def test_the_checksum_is_the_one_of_z_wave() -> None:
    """Slot 1 enabled with "1234" is 0x200a, no code at all is 0: known values of real drivers."""
    lock = SimulatedLock(READABLE)
    assert lock.checksum() == "0000"
    lock.write("1", Credential(pin=Pin("1234")))
    assert lock.checksum() == "200a"
    lock.write("1", Credential(pin=Pin("1234"), enabled=False))
    assert lock.checksum() not in {"0000", "200a"}


@pytest.mark.parametrize(
    ("model", "slot", "credential"),
    [
        (READABLE, "21", Credential(pin=Pin("4711"))),
        (READABLE, "door", Credential(pin=Pin("4711"))),
        (READABLE, None, Credential(pin=Pin("4711"))),
        (READABLE, "1", Credential(pin=Pin("471"))),
        (READABLE, "1", Credential(pin=Pin("47A1"))),
        (READABLE, "1", Credential(pin=Pin("4711"), schedule=Schedule(ends_at=AT))),
        (MASKED, "1", Credential(pin=Pin("4711"), enabled=False)),
        (NATIVE, "1", Credential(pin=Pin("4711"), schedule=Schedule(weekly=(MONDAYS,)))),
        (CHOOSER, None, Credential(pin=Pin("471101"))),
        (CHOOSER, None, Credential(pin=Pin("125555"))),
    ],
    ids=[
        "slot",
        "no number",
        "no slot",
        "length",
        "letter",
        "dates",
        "disabled",
        "weekdays",
        "zero",
        "twelve",
    ],
)
def test_what_a_lock_cannot_keep_is_refused_for_good(
    model: Model, slot: str | None, credential: Credential
) -> None:
    """And nothing is stored in its place."""
    lock = SimulatedLock(model)
    assert refusal(partial(lock.write, slot, credential)) is Refusal.FORMAT
    assert not lock.slots


def test_people_fill_the_lowest_free_slot() -> None:
    """Until every slot is taken."""
    lock = SimulatedLock(READABLE.with_slots(3), slots={"2": Credential(pin=Pin("2222"))})
    assert lock.set_code(None, Pin("4711")) == "1"
    assert lock.set_code(None, Pin("4712")) == "3"
    with pytest.raises(Refused) as refused:
        lock.set_code(None, Pin("4713"))
    assert refused.value.reason is Refusal.FULL


def test_the_administrator_pin_stands_in_no_slot() -> None:
    """Neither may a slot take it, nor may it become the PIN of a slot."""
    lock = SimulatedLock(READABLE, slots={"2": Credential(pin=Pin("2222"))})
    with pytest.raises(Refused) as refused:
        lock.set_admin_pin(Pin("2222"))
    assert refused.value.reason is Refusal.DUPLICATE
    lock.set_admin_pin(Pin("9001"))
    with pytest.raises(Refused) as refused:
        lock.write("3", Credential(pin=Pin("9001")))
    assert refused.value.reason is Refusal.DUPLICATE
    assert lock.open_door(Pin("9001"), AT) == ADMIN


def test_a_lock_may_take_duplicates() -> None:
    """Not every lock compares."""
    lock = SimulatedLock(replace(READABLE, refuses_duplicates=False))
    lock.write("1", Credential(pin=Pin("4711")))
    assert lock.write("2", Credential(pin=Pin("4711"))) == "2"


def test_times_are_kept_to_the_minute() -> None:
    """Seconds are dropped, as the year-day schedules of Z-Wave have none."""
    lock = SimulatedLock(NATIVE)
    late = AT + timedelta(seconds=59, milliseconds=999)
    lock.write("1", Credential(pin=Pin("4711"), schedule=Schedule(starts_at=late, ends_at=None)))
    assert lock.slots["1"].schedule == Schedule(starts_at=AT)
