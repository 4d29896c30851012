"""Rule 2 over drawn sequences of readings and pauses: removed only after two empty ones in a row, 30 s apart.

The lock holds its codes all the time and errs where a test says so; what it answers is all that counts.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.simulated.models import READABLE
from gateway.domain.credential import Credential, Empty, Reading, SlotRef
from gateway.domain.driver import NoAnswer, SlotTouched, Written
from tests.engine.bench import Bench
from tests.engine.build import DOOR, HOUR, SECOND

OURS, ALSO_OURS, THEIRS = "20", "19", "3"
REMOVED = {
    "access_code.deleted_external_to_gateway": "removed",
    "access_code.unmanaged.removed": "removed",
    "device.wiped": "wiped",
}
APART = timedelta(seconds=30)
"""As design and documents promise; not taken from the code."""

type Step = tuple[int, str]
STEPS = st.lists(
    st.tuples(st.sampled_from([0, 1, 10, 29, 30, 31, 40, 300, 3600]), st.sampled_from(["look", "touch", ""])),
    max_size=12,
)
ANSWERS = st.lists(st.sampled_from(["empty", "empty", "taken", "lost"]), max_size=14)


class Tale:
    """What the lock answered and the hub wrote and told, in order: when, about which slot, and what."""

    def __init__(self, bench: Bench, answers: dict[SlotRef, list[str]]) -> None:
        """Let the lock of `bench` answer so from now on, and truly when the answers have come to an end."""
        self.log: list[tuple[datetime, SlotRef, str]] = []
        self._bench = bench
        self._answers = {slot: list(planned) for slot, planned in answers.items()}
        self._read, self._write = bench.driver.read, bench.driver.write
        bench.driver.read = self.read  # type: ignore[method-assign]  # the lock errs
        bench.driver.write = self.write  # type: ignore[method-assign]  # only noted

    async def read(self, slot: SlotRef) -> Reading:
        """Answer as planned."""
        self._hear()
        reading = await self._read(slot)
        planned = self._answers.get(slot)
        answer = planned.pop(0) if planned else "taken"
        if answer == "lost":
            raise NoAnswer("the answer got lost")
        if slot in self._answers:
            self.log.append((self._bench.clock.wall, slot, answer))
        return Empty() if answer == "empty" else reading

    async def write(
        self, slot: SlotRef | None, credential: Credential, *, replaces: Credential | None
    ) -> Written:
        """Note that the hub stored a code."""
        self._hear()
        if slot in self._answers:
            self.log.append((self._bench.clock.wall, slot, "written"))
        return await self._write(slot, credential, replaces=replaces)

    def _hear(self) -> None:
        news = self._bench.store.do(lambda tx: tx.undelivered(1000))
        self._bench.store.do(lambda tx: tx.mark_delivered([one.seq for one in news], self._bench.clock.wall))
        kinds = [(one.event.occurred_at, REMOVED.get(one.event.event_type)) for one in news]
        self.log += [(at, "", kind) for at, kind in kinds if kind is not None]

    async def live(self, steps: list[Step]) -> None:
        """Let time pass, and people ask the hub to look, or the lock report something."""
        for pause, what in steps:
            await self._bench.settle(pause * SECOND)
            if what == "look":
                await self._bench.do("devices/sync", device_id=DOOR)
            elif what == "touch":
                await self._bench.tell(SlotTouched(device_id=DOOR, slot=OURS))
        await self._bench.settle(HOUR)
        self._hear()

    def of(self, slot: SlotRef) -> list[tuple[datetime, str]]:
        """Return what happened to one slot; "": what was told."""
        return [(at, what) for at, where, what in self.log if where == slot]


def removals(seen: Iterable[tuple[datetime, str]], *, ours: bool) -> Iterator[datetime]:
    """Say when a code is removed by what the lock answered, and by nothing else.

    What it took and never showed was not kept: nobody removed it.
    """
    held, shown, since = True, True, None
    for at, answer in seen:
        if answer == "written" or (answer == "taken" and not ours):
            held, shown, since = True, not ours, None
        elif answer == "taken":
            shown, since = True, None
        elif since is None:
            since = at if held else None
        elif at - since >= APART:
            if shown:
                yield at
            held, shown, since = False, True, None


async def tell(
    steps: list[Step],
    ours: list[str],
    also: list[str] | None,
    theirs: list[str],
    *,
    fought_over: bool = False,
) -> Tale:
    """Live through it with one code of the hub, or with two, and one of somebody else.

    Where somebody changes the code of the hub again and again, the hub waits before it puts it right.
    """
    bench = Bench(READABLE)
    with closing(bench.store):
        await bench.start()
        await bench.create("471134")
        if also is not None:
            await bench.create("582245")
        bench.by_hand(THEIRS, "998877")
        await bench.tell(SlotTouched(device_id=DOOR, slot=THEIRS))
        await bench.settle(HOUR)
        for number in range(3 if fought_over else 0):
            await bench.settle(HOUR)  # what was put right is seen on the lock
            bench.by_hand(OURS, f"77007{number}")
            await bench.tell(SlotTouched(device_id=DOOR, slot=OURS))
        bench.events()
        tale = Tale(bench, {OURS: ours, THEIRS: theirs} | ({} if also is None else {ALSO_OURS: also}))
        await tale.live(steps)
        return tale


@pytest.mark.slow
@settings(max_examples=200)
@given(steps=STEPS, ours=ANSWERS, theirs=ANSWERS)
def test_a_code_is_removed_by_two_empty_readings_in_a_row_and_never_by_one(
    steps: list[Step], ours: list[str], theirs: list[str]
) -> None:
    """Both ways: told exactly when the readings say so. A code of the hub and one of somebody else."""
    tale = asyncio.run(tell(steps, ours, None, theirs))
    expected = [*removals(tale.of(OURS), ours=True), *removals(tale.of(THEIRS), ours=False)]
    assert sorted(tale.of("")) == [(at, "removed") for at in sorted(expected)], tale.log


def demand_twice(tale: Tale) -> None:
    """See that nothing was told as removed of which no slot was seen empty twice; a wipe wants all empty."""
    since: dict[SlotRef, datetime] = {}
    for at, slot, what in tale.log:
        if what == "empty":
            since.setdefault(slot, at)
        elif slot:
            since.pop(slot, None)
        else:
            assert any(at - began >= APART for began in since.values()), tale.log
        if what == "wiped":
            assert since.keys() == {OURS, ALSO_OURS}, tale.log
            break


@pytest.mark.slow
@settings(max_examples=150)
@given(steps=STEPS, ours=ANSWERS, also=ANSWERS)
def test_neither_is_one_of_two_codes_nor_the_whole_lock_found_empty_by_one(
    steps: list[Step], ours: list[str], also: list[str]
) -> None:
    """Up to the first wipe, after which codes may change places: it needs every code missing, one twice."""
    tale = asyncio.run(tell(steps, ours, also, []))
    demand_twice(tale)


@pytest.mark.slow
@settings(max_examples=100)
@given(steps=STEPS, ours=ANSWERS)
def test_nor_is_a_code_that_waits_to_be_put_right(steps: list[Step], ours: list[str]) -> None:
    """The PIN of somebody else in its slot is a taken slot too, and is not written over at once."""
    demand_twice(asyncio.run(tell(steps, ours, None, [], fought_over=True)))
