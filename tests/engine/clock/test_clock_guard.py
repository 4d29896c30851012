"""What the hub knows about the time (rule 5)."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.engine.clock_guard import ClockSettings
from tests.engine.bench import MemoryStore
from tests.engine.build import DAY, HOUR, MINUTE, NOON, SECOND
from tests.engine.clock.hub import Hub

RUN = ClockSettings(untrusted_policy="run")


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
