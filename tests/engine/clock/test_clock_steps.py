"""What the hub makes of jumps of a clock, and whom it tells (rule 5)."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from gateway.domain.clock import ClockStep
from gateway.engine.clock_guard import ClockSettings
from tests.engine.bench import HandClock, MemoryStore
from tests.engine.build import DAY, HOUR, MINUTE, NOON, SECOND
from tests.engine.clock.hub import Hub

RUN = ClockSettings(untrusted_policy="run")


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

    @pytest.mark.parametrize(
        ("ahead", "ends"), [(MINUTE, DAY), (HOUR, DAY), (3 * DAY, 3 * DAY)], ids=["minute", "hour", "days"]
    )
    @pytest.mark.parametrize("reboots", [True, False])
    def test_one_that_held_something_is_accepted_when_that_has_ended_and_a_day_is_over(
        self, hub: Hub, ahead: timedelta, ends: timedelta, *, reboots: bool
    ) -> None:
        """Else the next loss of the time server, weeks later, would stop every window."""
        hub.clock.jump(ahead)
        hub.guard.view()
        hub.guard.hold("front")
        hub.clock.pass_by(ends - SECOND)
        assert hub.guard.view().step is not None
        if reboots:
            hub.persist(now=True)
            hub.reboot(hub.clock.wall, synced=True)
            assert hub.guard.view().step is not None
        hub.clock.pass_by(SECOND)
        view = hub.guard.view()
        assert (view.step, view.at) == (None, NOON + ahead + ends)
        hub.clock.synced = False
        hub.clock.pass_by(HOUR)
        assert hub.guard.view().trusted

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
