"""What Home Assistant shows: worked out from lock, codes and events."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from gateway.domain.clock import ClockMark, TimeView
from gateway.domain.events import StoredEvent
from gateway.domain.lock import Device, LockPolicy
from gateway.engine import wire
from gateway.mqtt.homeassistant import _is_due
from gateway.mqtt.homeassistant_states import LockNews, hub_state, lock_news
from tests.homeassistant.locks import NOW, error, shown_code, shown_lock, told

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
WAITS = wire.Mutation(mutation_code="deferring_creation", message="", created_at="")
CHANGES = wire.Mutation(mutation_code="updating_code", message="", created_at="")
MOVING = wire.Mutation(mutation_code="updating_time_frame", message="", created_at="")
WRITES = wire.Mutation(mutation_code="creating", message="", created_at="")
DISABLED: dict[str, Any] = {"evidence": "accepted", "pending_mutations": [WAITS]}
"""On the lock, where the hub enables it at its start."""
OPEN: dict[str, Any] = {"evidence": "accepted", "pending_mutations": []}
"""On a lock that cannot disable codes, so that it opens a little before its start."""
OF_CODE = error("duplicate_code_on_device", is_access_code_error=True)
OF_LOCK = error("device_disconnected", is_device_error=True)
OF_POOL = error("empty_backup_access_code_pool", is_device_error=True)


def news(
    *codes: wire.AccessCodeState,
    lock: wire.Device | None = None,
    events: tuple[StoredEvent, ...] = (),
    publish_names: bool = False,
    at: datetime = NOW,
) -> LockNews:
    """Work it out."""
    return lock_news(
        [lock or shown_lock(), *codes], events, at, arrival_notice=HOUR, publish_names=publish_names
    )


@dataclass
class Case:
    """A code and whether it is an arrival at risk."""

    status: wire.Status
    starts_in: timedelta | None
    fields: dict[str, Any]
    at_risk: bool


CASES = {
    "an ongoing code in trouble": Case("unset", None, {"errors": [OF_CODE]}, at_risk=False),
    "long before": Case("unset", 2 * HOUR, {"errors": [OF_CODE]}, at_risk=False),
    "soon, and nothing is wrong": Case("unset", HOUR, {}, at_risk=False),
    "soon, and in trouble": Case("unset", HOUR, {"errors": [OF_CODE]}, at_risk=True),
    "soon, and the lock does not answer": Case("unset", HOUR, {"errors": [OF_LOCK]}, at_risk=True),
    "soon, and only no backup is ready": Case("unset", HOUR, {"errors": [OF_POOL]}, at_risk=False),
    "being written": Case("setting", 20 * MINUTE, {"pending_mutations": [WRITES]}, at_risk=True),
    "sent, and nobody knows what came of it": Case(
        "setting", 20 * MINUTE, {"evidence": "sent", "pending_mutations": [WRITES]}, at_risk=True
    ),
    "waits on the lock, disabled": Case("setting", 20 * MINUTE, DISABLED, at_risk=False),
    "waits on the lock, and opens already": Case("setting", 20 * MINUTE, OPEN, at_risk=False),
    "waits on a lock that does not answer": Case(
        "setting", 20 * MINUTE, {**DISABLED, "errors": [OF_LOCK]}, at_risk=True
    ),
    "waits on the lock, and only no backup is ready": Case(
        "setting", 20 * MINUTE, {**DISABLED, "errors": [OF_POOL]}, at_risk=False
    ),
    "waits on the lock, and is to get another PIN": Case(
        "setting", 20 * MINUTE, {**DISABLED, "pending_mutations": [CHANGES, WAITS]}, at_risk=True
    ),
    "a lock that was never seen": Case("setting", 20 * MINUTE, {"pending_mutations": [WAITS]}, at_risk=True),
    "nobody knows": Case("unknown", 20 * MINUTE, {}, at_risk=True),
    "on the lock": Case("set", 20 * MINUTE, {"errors": [OF_LOCK]}, at_risk=False),
    "on the lock with its dates": Case(
        "unset", 20 * MINUTE, {"is_scheduled_on_device": True, "errors": [OF_LOCK]}, at_risk=False
    ),
    "has begun and is not there": Case("setting", -2 * HOUR, {}, at_risk=True),
    "is over": Case("unset", timedelta(days=-2), {"errors": [OF_LOCK]}, at_risk=False),
    "moved, and the lock has the old window": Case(
        "removing", 20 * MINUTE, {"pending_mutations": [MOVING]}, at_risk=True
    ),
    "being taken off": Case("removing", -2 * HOUR, {"errors": [OF_LOCK]}, at_risk=False),
    "used up": Case(
        "unset",
        -HOUR,
        {"is_one_time_use": True, "first_used_at": "2026-07-01T11:30:00.000Z", "errors": [OF_LOCK]},
        at_risk=False,
    ),
    "comes back": Case(
        "unset",
        HOUR,
        {
            "recurrence": wire.RecurrenceView(cron="0 9 * * *", minutes=60, time_zone="UTC"),
            "errors": [OF_CODE],
        },
        at_risk=False,
    ),
}


class TestArrivals:
    """Somebody comes soon, and stands before a closed door."""

    @pytest.mark.parametrize("name", CASES)
    def test_are_at_risk_when_something_is_wrong_by_then(self, name: str) -> None:
        """A code that waits for its time is no risk; one that is late, or cannot be set, is."""
        case = CASES[name]
        state = news(shown_code(case.status, starts_in=case.starts_in, **case.fields)).state
        assert (state.arrival_at_risk == "ON") is case.at_risk
        assert bool(state.arrival_details["access_codes"]) is case.at_risk

    @pytest.mark.parametrize("why", ["clock_untrusted", "device_paused", "held_after_restore"])
    def test_are_at_risk_on_a_lock_that_no_code_is_put_on(self, why: str) -> None:
        """However right the code itself is; one that is there already opens."""
        lock = shown_lock(warnings=(why,))
        cases: tuple[tuple[timedelta, wire.Status, str], ...] = (
            (HOUR, "unset", "ON"),
            (-HOUR, "unset", "ON"),
            (HOUR, "set", "OFF"),
            (2 * HOUR, "unset", "OFF"),
        )
        for starts_in, status, at_risk in cases:
            assert news(shown_code(status, starts_in=starts_in), lock=lock).state.arrival_at_risk == at_risk
        disabled = shown_code("setting", starts_in=MINUTE, **DISABLED)
        assert news(disabled, lock=lock).state.arrival_at_risk == "ON"
        flaky = shown_lock(warnings=("device_has_flaky_connection",))
        assert news(shown_code("unset", starts_in=HOUR), lock=flaky).state.arrival_at_risk == "OFF"

    def test_are_looked_at_again_when_the_next_one_is_near(self) -> None:
        """Time alone makes it a risk, without any news of the lock."""
        codes = [
            shown_code("unset", starts_in=HOUR * hours, access_code_id=str(hours)) for hours in (9, 3, 1)
        ]
        assert news(*codes).look_again == NOW + 2 * HOUR
        assert news(codes[-1]).look_again is None
        assert not _is_due(news(*codes), NOW + HOUR)
        assert _is_due(news(*codes), NOW + 2 * HOUR)
        assert not _is_due(news(codes[-1]), NOW + 99 * HOUR)
        assert _is_due(None, NOW)


class TestALock:
    """Its other values."""

    @pytest.mark.parametrize(
        ("code", "in_sync"),
        [
            (shown_code("set"), True),
            (shown_code("unset", pending_mutations=[WAITS]), True),
            (shown_code("set", pending_mutations=[CHANGES]), False),
            (shown_code("setting"), False),
            (shown_code("setting", **DISABLED), True),
            (shown_code("setting", **OPEN), True),
            (shown_code("setting", pending_mutations=[WAITS]), False),
            (shown_code("setting", evidence="sent", pending_mutations=[WRITES]), False),
            (shown_code("removing"), False),
            (shown_code("unknown"), False),
        ],
    )
    def test_is_in_sync_when_nothing_is_left_to_do(
        self, code: wire.AccessCodeState, *, in_sync: bool
    ) -> None:
        """What waits for its time is as it should be."""
        assert (news(code).state.in_sync == "ON") is in_sync

    def test_has_a_problem_with_an_error_of_its_own_or_of_a_code(self) -> None:
        """Each is told once, although errors of the lock are on all its codes."""
        assert news(shown_code()).state.problem == "OFF"
        state = news(
            shown_code(errors=[OF_LOCK, OF_CODE]), lock=shown_lock(errors=("device_disconnected",))
        ).state
        assert state.problem == "ON"
        codes = [one["error_code"] for one in state.problem_details["errors"]]
        assert codes == ["device_disconnected", "duplicate_code_on_device"]

    def test_counts_free_places_also_where_the_lock_chooses_them(self) -> None:
        """Such a lock has no slots that the hub manages, but an end."""
        assert news().state.slots_free == 3
        counts = {"managed_slots": 0, "slots_free": 0, "on_lock": 4, "unmanaged": 1}
        assert news(lock=shown_lock(counts=counts, max_active_codes_supported=100)).state.slots_free == 95

    def test_shows_the_battery_in_percent_where_it_tells_one(self) -> None:
        """And whether it answers."""
        assert (news().state.battery, news().state.link) == (80, "online")
        off = news(lock=shown_lock(battery=UNSET, online=False)).state
        assert (off.battery, off.link) == (None, "offline")

    def test_remembers_the_newest_error_also_when_it_is_over(self) -> None:
        """What holds now counts if it came later."""
        over = told("access_code.failed_to_set_on_device", NOW - HOUR, error_code="failed_to_set_on_device")
        assert news(events=(over,)).state.last_error == "failed_to_set_on_device"
        state = news(shown_code(errors=[OF_CODE]), events=(over,)).state
        assert state.last_error == "duplicate_code_on_device"
        assert state.last_error_details["message"] == "of duplicate_code_on_device"
        assert news().state.last_error is None


class TestGuests:
    """Who they are."""

    USE = told("lock.unlocked", method="keycode", slot="7", access_code_is_managed=True)

    def test_are_ids_unless_names_are_wanted(self) -> None:
        """Not a name at any depth."""
        code = shown_code("setting", starts_in=-HOUR)
        state = news(code, events=(self.USE,)).state
        assert b"Ada" not in msgspec.json.encode(state)
        assert (state.last_use["who"], state.last_used_at) == ("code-1", "2026-07-01T12:00:00.000Z")
        assert state.arrival_details == {"access_codes": ["code-1"], "access_code_ids": ["code-1"]}
        assert state.codes == {}

    def test_have_names_where_they_are_published(self) -> None:
        """Codes that nobody named, and those of others, stay ids."""
        codes = [shown_code("setting", starts_in=-HOUR), shown_code(access_code_id="code-2", name=None)]
        state = news(*codes, events=(self.USE,), publish_names=True).state
        assert state.codes == {"names": {"code-1": "Ada"}}
        assert (state.last_use["who"], state.arrival_details["access_codes"]) == ("Ada", ["Ada"])
        assert state.arrival_details["access_code_ids"] == ["code-1"]  # two guests may have one name
        other = told("lock.unlocked", access_code_id=None)
        assert news(*codes, events=(other,), publish_names=True).state.last_use["who"] is None


class TestTheHub:
    """All its locks together."""

    def test_counts_codes_in_trouble_and_says_which_drivers_answer(self) -> None:
        """A driver of which every lock lost its server is away; one without configured locks is not shown."""
        policy = LockPolicy(name="x", driver="zwave")
        devices = [
            Device(device_id="a", policy=policy, authority_lost_at=NOW),
            Device(device_id="b", policy=LockPolicy(name="y", driver="nuki")),
            Device(device_id="c", policy=None),
        ]
        trouble = news(shown_code(errors=[OF_CODE]), shown_code())
        state = hub_state(devices, {"a": trouble, "c": trouble}, _view(trusted=False))
        assert state.links == {"nuki": "ON", "zwave": "OFF"}
        assert (state.codes_in_trouble, state.clock_trusted) == (2, "OFF")


def _view(*, trusted: bool) -> TimeView:
    return TimeView(now=NOW, trusted=trusted, floor=NOW, mark=ClockMark("boot", timedelta(0)))
