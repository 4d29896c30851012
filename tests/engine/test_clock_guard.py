"""What the hub knows about the time (rule 5)."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.clock import ClockStep
from gateway.engine.clock_guard import ClockGuard, ClockSettings
from tests.engine.bench import HandClock, MemoryStore
from tests.engine.build import DAY, HOUR, MINUTE, NOON, SECOND

RUN = ClockSettings(untrusted_policy="run")


class Hub:
    """A clock, its guard, and the memory that outlives both."""

    def __init__(self, store: MemoryStore, settings: ClockSettings | None = None) -> None:
        self.clock = HandClock()
        self.store = store
        self._settings = settings or ClockSettings()
        self.guard = ClockGuard(self.clock, self._settings)

    def persist(self, *, now: bool = True) -> str | None:
        """Store the lower bound; return what is stored."""
        self.store.do(lambda tx: self.guard.persist(tx, now=now))
        return self.store.do(lambda tx: tx.meta("clock_floor"))

    def reboot(self, wall: datetime, *, synced: bool) -> None:
        """Start the machine anew, with that wall clock."""
        self.clock.reboot(wall)
        self.clock.synced = synced
        self.restart()

    def restart(self) -> None:
        """Start the process anew; the boot-time clock runs on."""
        self.guard = ClockGuard(self.clock, self._settings)
        self.store.do(self.guard.load)

    def trust(self) -> None:
        """Say that the wall clock is right."""
        self.store.do(self.guard.save_trust)
        self.guard.trust()


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    """Return a memory that leaves no trace."""
    memory = MemoryStore()
    yield memory
    memory.close()


@pytest.fixture
def hub(store: MemoryStore) -> Hub:
    """Return a hub that was synchronised at noon."""
    started = Hub(store)
    started.guard.view()
    started.persist()
    return started


class TestTrust:
    """When the wall clock is believed."""

    def test_a_synchronised_clock_is_trusted_and_raises_the_lower_bound(self, hub: Hub) -> None:
        """With every look."""
        hub.clock.pass_by(HOUR)
        view = hub.guard.view()
        assert (view.trusted, view.floor, view.at) == (True, NOON + HOUR, NOON + HOUR)

    def test_a_reboot_without_time_holds_at_the_lower_bound(self, hub: Hub) -> None:
        """A hub without clock chip wakes up in 1970, or in a future that nobody knows."""
        for wall in (datetime(1970, 1, 1, tzinfo=NOON.tzinfo), NOON + 400 * DAY):
            hub.reboot(wall, synced=False)
            hub.clock.pass_by(MINUTE)
            view = hub.guard.view()
            assert (view.trusted, view.at) == (False, NOON + MINUTE)

    def test_while_untrusted_the_lower_bound_rises_with_the_boot_clock_alone(self, hub: Hub) -> None:
        """Whatever the wall clock does."""
        hub.reboot(NOON, synced=False)
        hub.clock.jump(DAY)
        hub.clock.pass_by(HOUR)
        view = hub.guard.view()
        assert (view.trusted, view.at) == (False, NOON + HOUR)

    @pytest.mark.parametrize(("behind", "trusted"), [(59 * SECOND, True), (MINUTE, False)])
    def test_a_clock_far_behind_the_lower_bound_is_not_trusted(
        self, hub: Hub, behind: timedelta, *, trusted: bool
    ) -> None:
        """Also a synchronised one: time does not run backwards.

        Less than a step is forgiven, because both run equally fast: it would never catch up.
        """
        hub.clock.jump(-behind)
        view = hub.guard.view()
        assert (view.trusted, view.at) == (trusted, NOON)

    def test_an_offline_site_may_let_it_run(self, store: MemoryStore) -> None:
        """`clock.untrusted_policy = run`, knowingly; behind the lower bound too, and then by the bound."""
        hub = Hub(store, RUN)
        hub.guard.view()
        hub.persist()
        hub.reboot(NOON - 26 * SECOND, synced=False)
        view = hub.guard.view()
        assert (view.trusted, view.at) == (True, NOON)
        hub.clock.pass_by(HOUR)
        assert hub.guard.view().at == NOON + HOUR
        hub.reboot(NOON + DAY, synced=False)
        assert hub.guard.view().at == NOON + DAY

    def test_a_clock_that_merely_runs_raises_no_lower_bound(self, store: MemoryStore) -> None:
        """A wild clock chip must not spoil it for good; only a synchronised or confirmed clock raises it."""
        hub = Hub(store, RUN)
        hub.guard.view()
        hub.persist()
        hub.reboot(NOON + 400 * DAY, synced=False)
        assert hub.guard.view().at == NOON + 400 * DAY
        assert hub.persist() == NOON.isoformat()
        hub.trust()
        assert hub.persist() == (NOON + 400 * DAY).isoformat()

    def test_a_person_may_say_that_it_is_right(self, hub: Hub) -> None:
        """Also when it is behind the lower bound: then the bound was wrong. It is remembered at once."""
        hub.clock.synced = False
        hub.clock.jump(-DAY)
        hub.trust()
        view = hub.guard.view()
        assert (view.trusted, view.at) == (True, NOON - DAY)
        hub.reboot(NOON - DAY, synced=False)
        assert hub.guard.view().at == NOON - DAY

    def test_what_a_person_said_holds_against_the_lower_bound(self, hub: Hub) -> None:
        """The clock that was believed and went back later is not behind for ever: the bound counts then."""
        hub.clock.synced = False
        hub.trust()
        hub.clock.jump(-HOUR)
        view = hub.guard.view()
        assert (view.trusted, view.at) == (True, NOON)

    def test_what_a_person_said_ends_with_the_process(self, hub: Hub) -> None:
        """After a reboot the clock may be wrong again."""
        hub.clock.synced = False
        hub.trust()
        hub.reboot(NOON + DAY, synced=False)
        assert not hub.guard.view().trusted


class TestCarried:
    """Without a time server the boot-time clock carries the time on, until the machine starts anew."""

    @pytest.mark.parametrize("wrong", [timedelta(0), 2 * DAY, -2 * DAY])
    def test_the_time_stays_known(self, hub: Hub, wrong: timedelta) -> None:
        """However long, and whatever the wall clock is set to meanwhile."""
        hub.clock.synced = False
        hub.clock.jump(wrong)
        hub.clock.pass_by(9 * DAY)
        view = hub.guard.view()
        assert (view.trusted, view.at, view.step) == (True, NOON + 9 * DAY, None)

    def test_it_is_carried_over_a_restart_of_the_process(self, hub: Hub) -> None:
        """The time that the process was away counts too; the wall clock does not."""
        hub.clock.synced = False
        hub.clock.pass_by(HOUR)
        hub.clock.jump(DAY)
        hub.restart()
        view = hub.guard.view()
        assert (view.trusted, view.at) == (True, NOON + HOUR)

    def test_what_a_person_said_is_carried_too(self, hub: Hub) -> None:
        """It was a moment at which the time was known."""
        hub.reboot(NOON + DAY, synced=False)
        hub.trust()
        hub.restart()
        hub.clock.pass_by(HOUR)
        view = hub.guard.view()
        assert (view.trusted, view.at) == (True, NOON + DAY + HOUR)

    def test_nothing_is_carried_over_a_reboot(self, hub: Hub) -> None:
        """Nobody knows how long the machine was off; restarts after it change nothing about that."""
        hub.reboot(NOON + DAY, synced=False)
        hub.clock.pass_by(MINUTE)
        hub.persist()
        hub.clock.pass_by(HOUR)
        hub.restart()
        view = hub.guard.view()
        assert (view.trusted, view.at) == (False, NOON + HOUR + MINUTE)

    def test_a_boot_clock_that_went_back_is_another_boot(self, hub: Hub) -> None:
        """Whatever its name: a machine put back to an earlier picture of itself."""
        hub.clock.synced = False
        hub.clock.booted -= 60.0
        hub.restart()
        view = hub.guard.view()
        assert (view.trusted, view.at) == (False, NOON)

    def test_the_first_sure_look_of_a_boot_is_stored_at_once(self, hub: Hub) -> None:
        """Although the lower bound has hardly risen."""
        hub.reboot(NOON + SECOND, synced=True)
        hub.guard.view()
        hub.persist(now=False)
        hub.clock.synced = False
        hub.restart()
        assert hub.guard.view().trusted

    def test_a_time_server_that_contradicts_ends_it(self, hub: Hub) -> None:
        """One of the two is wrong, and nobody knows which, also when the server is gone again."""
        hub.clock.jump(-HOUR)
        assert not hub.guard.view().trusted
        hub.clock.synced = False
        assert not hub.guard.view().trusted
        hub.persist(now=False)
        hub.restart()
        assert not hub.guard.view().trusted


class TestRemembering:
    """The lower bound survives restarts."""

    def test_it_is_stored_when_it_rose_by_a_minute_or_when_asked(self, hub: Hub) -> None:
        """Not with every look: a flash card has so many writes."""
        hub.clock.pass_by(59 * SECOND)
        hub.guard.view()
        assert hub.persist(now=False) == NOON.isoformat()
        hub.clock.pass_by(SECOND)
        hub.guard.view()
        assert hub.persist(now=False) == (NOON + MINUTE).isoformat()
        hub.clock.pass_by(SECOND)
        hub.guard.view()
        assert hub.persist(now=True) == (NOON + MINUTE + SECOND).isoformat()

    def test_a_hub_that_never_knew_the_time_stores_none_of_it(self, store: MemoryStore) -> None:
        """Its lower bound is 1970 and what passed since it booted."""
        hub = Hub(store)
        hub.clock.synced = False
        hub.clock.pass_by(30 * SECOND)
        assert hub.guard.view().at == datetime(1970, 1, 1, tzinfo=NOON.tzinfo) + 30 * SECOND
        assert hub.persist(now=False) is None

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["pass", "jump", "reboot", "sync", "lose"]), st.integers(-100_000, 100_000)
            ),
            max_size=20,
        )
    )
    def test_whatever_the_clock_does_the_lower_bound_never_falls(self, deeds: list[tuple[str, int]]) -> None:
        """And the time to act on is never before it; nobody says `clock trust` here."""
        memory = MemoryStore()
        hub = Hub(memory)
        floor = hub.guard.view().floor
        hub.persist()
        for deed, seconds in deeds:
            span = timedelta(seconds=seconds)
            match deed:
                case "pass":
                    hub.clock.pass_by(abs(span))
                case "jump":
                    hub.clock.jump(span)
                case "reboot":
                    hub.persist()
                    floor = hub.guard.view().floor if hub.guard.view().step is None else floor
                    hub.persist()
                    hub.reboot(NOON + span, synced=False)
                case _:
                    hub.clock.synced = deed == "sync"
            view = hub.guard.view()
            assert view.floor >= floor
            assert view.at >= floor
            floor = view.floor
        memory.close()


class TestSteps:
    """A jump of a trusted clock is noticed, and not believed silently."""

    def test_a_jump_forward_is_told_with_both_ends(self, hub: Hub) -> None:
        """And the lower bound does not follow it."""
        hub.clock.pass_by(MINUTE)
        hub.clock.jump(DAY)
        view = hub.guard.view()
        assert view.step == ClockStep(NOON + MINUTE, NOON + MINUTE + DAY)
        assert view.floor == NOON + MINUTE

    def test_it_stays_until_a_person_accepts_it(self, hub: Hub) -> None:
        """A second jump widens it."""
        hub.clock.jump(DAY)
        hub.guard.view()
        hub.clock.jump(HOUR)
        assert hub.guard.view().step == ClockStep(NOON, NOON + DAY + HOUR)
        hub.clock.pass_by(MINUTE)
        assert hub.guard.view().step is not None
        hub.persist()
        hub.trust()
        view = hub.guard.view()
        assert (view.step, view.at) == (None, NOON + DAY + HOUR + MINUTE)
        hub.restart()
        assert hub.guard.view().step is None

    @pytest.mark.parametrize("span", [59 * SECOND, -HOUR])
    def test_small_ones_and_jumps_back_are_none(self, hub: Hub, span: timedelta) -> None:
        """Only a jump forward can close windows by mistake."""
        hub.clock.jump(span)
        assert hub.guard.view().step is None

    def test_it_ends_when_the_clock_is_back(self, hub: Hub) -> None:
        """Where it should be by the boot-time clock, within less than a step; for good, and stored so."""
        hub.clock.jump(DAY)
        hub.guard.view()
        hub.persist()
        hub.clock.pass_by(HOUR)
        hub.clock.jump(30 * SECOND - DAY)
        view = hub.guard.view()
        assert (view.step, view.at) == (None, NOON + HOUR + 30 * SECOND)
        hub.persist()
        hub.restart()
        assert hub.guard.view().step is None

    def test_going_back_in_part_does_not_end_it(self, hub: Hub) -> None:
        """The clock is still ahead of what it should be."""
        hub.clock.jump(DAY)
        hub.guard.view()
        hub.clock.jump(-HOUR)
        assert hub.guard.view().step == ClockStep(NOON, NOON + DAY)

    def test_it_outlives_the_process(self, hub: Hub) -> None:
        """Stored in the unit that first saw it; the lower bound does not follow it afterwards either."""
        hub.clock.jump(DAY)
        hub.guard.view()
        hub.persist(now=False)
        hub.restart()
        view = hub.guard.view()
        assert (view.step, view.floor) == (ClockStep(NOON, NOON + DAY), NOON)

    def test_a_jump_while_the_process_was_away_is_one(self, hub: Hub) -> None:
        """The boot-time clock ran on and tells what the time should be."""
        hub.clock.pass_by(HOUR)
        hub.clock.jump(DAY)
        hub.restart()
        assert hub.guard.view().step == ClockStep(NOON + HOUR, NOON + HOUR + DAY)

    def test_nobody_knows_the_time_when_the_server_goes_that_made_it_jump(self, hub: Hub) -> None:
        """It said otherwise than the boot-time clock: neither is believed."""
        hub.clock.jump(DAY)
        hub.guard.view()
        hub.clock.synced = False
        view = hub.guard.view()
        assert (view.trusted, view.at) == (False, NOON)

    @pytest.mark.parametrize("settings", [ClockSettings(), RUN])
    def test_one_that_holds_nothing_is_accepted_after_a_day(
        self, store: MemoryStore, settings: ClockSettings
    ) -> None:
        """The hub has gone by it all that time; a clock that merely runs still raises no lower bound."""
        hub = Hub(store, settings)
        hub.guard.view()
        hub.clock.synced = settings is not RUN
        hub.clock.jump(HOUR)
        hub.guard.view()
        hub.clock.pass_by(DAY - SECOND)
        assert hub.guard.view().step is not None
        hub.clock.pass_by(SECOND)
        for _ in range(2):
            view = hub.guard.view()
            assert (view.step, view.at) == (None, NOON + HOUR + DAY)
            assert view.floor == (NOON + DAY if settings is RUN else NOON + HOUR + DAY)

    @pytest.mark.parametrize("wall", [NOON + DAY, NOON, datetime(1970, 1, 1, tzinfo=NOON.tzinfo)])
    def test_one_that_holds_nothing_is_forgotten_with_the_boot(self, hub: Hub, wall: datetime) -> None:
        """How long the machine was off is not known, so neither is how far the clock is off."""
        hub.clock.jump(DAY)
        hub.guard.view()
        hub.persist()
        hub.reboot(wall, synced=False)
        assert hub.guard.view().step is None

    def test_a_jump_of_a_clock_that_merely_runs_is_one_too(self, store: MemoryStore) -> None:
        """Nothing else is known there, so the clock itself and the boot-time clock tell."""
        hub = Hub(store, RUN)
        hub.clock.synced = False
        hub.guard.view()
        hub.clock.pass_by(HOUR)
        hub.clock.jump(DAY)
        assert hub.guard.view().step == ClockStep(NOON + HOUR, NOON + HOUR + DAY)

    def test_a_clock_that_becomes_right_again_did_not_jump(self, hub: Hub) -> None:
        """It was not trusted before, so nothing was decided by it."""
        hub.reboot(datetime(1970, 1, 1, tzinfo=NOON.tzinfo), synced=False)
        hub.guard.view()
        hub.clock.jump(NOON + DAY - hub.clock.wall)
        hub.clock.synced = True
        view = hub.guard.view()
        assert (view.step, view.trusted, view.at) == (None, True, NOON + DAY)


class TestTelling:
    """What a person asks for, and who is told of a change."""

    def test_a_person_sees_what_is_known(self, hub: Hub) -> None:
        """All of it, and whether a jump is held."""
        hub.clock.jump(DAY)
        assert hub.guard.describe() == {
            "now": NOON + DAY,
            "trusted": True,
            "synchronised": True,
            "floor": NOON,
            "policy": "hold",
            "step_held": True,
        }

    def test_the_offset_between_the_clocks_names_the_jumps(self, hub: Hub) -> None:
        """In whole seconds: smaller differences mean nothing."""
        before = hub.guard.view().mark
        hub.clock.pass_by(HOUR + timedelta(milliseconds=300))
        assert hub.guard.view().mark == before
        hub.clock.jump(HOUR)
        assert hub.guard.view().mark.offset - before.offset == HOUR

    @pytest.mark.parametrize(
        ("deed", "told"),
        [
            (None, 0),
            (lambda clock: clock.jump(SECOND), 0),
            (lambda clock: clock.jump(HOUR), 1),
            (lambda clock: clock.jump(-HOUR), 1),
            (lambda clock: clock.pass_by(HOUR), 1),
            (lambda clock: setattr(clock, "synced", False), 1),
        ],
    )
    async def test_the_watch_tells_of_jumps_and_of_trust_that_comes_or_goes(
        self, hub: Hub, deed: Callable[[HandClock], None] | None, told: int
    ) -> None:
        """Once each, and once after the machine slept; a clock that only runs is not told of."""
        rounds, changes = [deed, None, None], list[datetime]()

        def slept() -> None:
            act = rounds.pop(0)
            if act is not None:
                act(hub.clock)
            if not rounds:
                raise _Enough

        hub.clock.slept = slept
        with pytest.raises(_Enough):
            await hub.guard.watch(1.0, lambda: changes.append(hub.clock.wall))
        assert len(changes) == told


class _Enough(Exception):
    """Ends the watch."""
