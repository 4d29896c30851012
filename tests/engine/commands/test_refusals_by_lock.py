"""What is refused of codes of others because of what their lock is: the exact answer, and nothing changed."""

from typing import Any

import pytest
from msgspec.structs import replace

from drivers.simulated.models import MASKED, NATIVE, READABLE, Model
from gateway.domain.credential import Schedule, WeeklyWindow
from gateway.domain.driver import SlotTouched
from gateway.domain.lock import LockPolicy, NativeWindows
from tests.engine.build import DOOR, HOUR, POLICY
from tests.engine.commands.refused import SECRET
from tests.engine.conftest import Hang

CONVERT = "access_codes/unmanaged/convert_to_managed"
BY_WEEKDAY = replace(
    NATIVE, capabilities=replace(NATIVE.capabilities, native_windows=NativeWindows.DATES_AND_WEEKDAYS)
)
MONDAYS = Schedule(weekly=(WeeklyWindow(weekdays=(0,), from_minute=540, until_minute=720),))
GRANTED = replace(POLICY, managed_slots=("19", "20"))
WEEKDAYS = (
    "the lock keeps this code to certain weekdays, which cannot be taken over: "
    "delete it and create one with recurrence"
)
NOT_OURS = "take the lock back first: devices/update, is_managed true"
BY_LOCK: list[tuple[Model, LockPolicy, dict[str, Any], str, str]] = [
    (MASKED, POLICY, {}, "invalid_input", "this lock hides the digits: type the PIN as code"),
    (
        MASKED,
        POLICY,
        {"code": "471"},
        "invalid_input",
        "the lock takes PINs of 4, 5, 6, 7, 8 characters, this one has 3",
    ),
    (
        MASKED,
        POLICY,
        {"code": "47a1"},
        "invalid_input",
        "the lock takes only the characters 0123456789",
    ),
    (
        MASKED,
        POLICY,
        {"code": SECRET},
        "duplicate_access_code",
        "another access code on this lock has this PIN",
    ),
    (
        READABLE,
        GRANTED,
        {},
        "device_refused",
        "this slot is not granted to the hub: add it to managed_slots of the lock",
    ),
    (
        BY_WEEKDAY,
        POLICY,
        {},
        "device_refused",
        WEEKDAYS,
    ),
]


@pytest.mark.parametrize(("model", "policy", "params", "kind", "told"), BY_LOCK)
async def test_a_code_of_others_is_taken_over_only_as_its_lock_allows(
    hang: Hang, model: Model, policy: LockPolicy, params: dict[str, Any], kind: str, told: str
) -> None:
    """Type and sentence as they stand in the table; the code stays as it is on the lock."""
    bench = await hang(model, policy=policy)
    await bench.create(SECRET)
    bench.by_hand("3", "998877", **({"schedule": MONDAYS} if model is BY_WEEKDAY else {}))
    await bench.tell(SlotTouched(device_id=DOOR, slot="3"))
    await bench.settle(HOUR)
    theirs = bench.snap().slots["3"].unmanaged_id
    before = [line for line in bench.store.dump() if 'INTO "reply"' not in line]
    reply = await bench.ask(CONVERT, access_code_id=theirs, **params)
    assert (reply["error"]["type"], reply["error"]["message"]) == (kind, told)
    assert [line for line in bench.store.dump() if 'INTO "reply"' not in line] == before


@pytest.mark.parametrize("verb", [CONVERT, "access_codes/unmanaged/delete"])
async def test_nothing_is_done_with_codes_of_a_lock_that_was_given_away(hang: Hang, verb: str) -> None:
    """The way back is named."""
    bench = await hang(READABLE)
    bench.by_hand("3", "998877")
    await bench.tell(SlotTouched(device_id=DOOR, slot="3"))
    theirs = bench.snap().slots["3"].unmanaged_id
    await bench.do("devices/update", device_id=DOOR, is_managed=False)
    reply = await bench.ask(verb, access_code_id=theirs)
    assert (reply["error"]["type"], reply["error"]["message"]) == ("device_refused", NOT_OURS)
