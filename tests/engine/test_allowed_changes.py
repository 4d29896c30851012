"""What people at the keypad change where a code allows it: what stays, and what is put right nevertheless."""

from typing import Any

import pytest
from msgspec.structs import replace

from drivers.simulated.models import MASKED, NATIVE, READABLE, Model
from gateway.domain.credential import Schedule, WeeklyWindow
from gateway.domain.driver import CodeUsed, SlotTouched
from gateway.domain.lock import NativeWindows
from gateway.domain.pin import Pin
from gateway.engine.mutations import instant
from gateway.engine.readings import absorb_reading
from tests.engine.bench import Bench
from tests.engine.build import (
    CAN,
    CAN_NATIVE,
    DAY,
    DOOR,
    HOUR,
    MINUTE,
    NOON,
    Fact,
    code,
    credential,
    device,
    held,
    known,
    slot,
)
from tests.engine.commands.house import house
from tests.engine.conftest import Hang
from tests.engine.working import working

PIN, THEIRS = "471134", "998877"
TUESDAYS = {"cron": "0 9 * * 2", "minutes": 180, "time_zone": "UTC"}
MONDAYS = Schedule(weekly=(WeeklyWindow(weekdays=(0,), from_minute=540, until_minute=720),))
ONE_KIND = replace(
    NATIVE,
    capabilities=replace(
        NATIVE.capabilities, native_windows=NativeWindows.DATES_OR_WEEKDAYS, schedule_zone="UTC"
    ),
)


async def edited(bench: Bench, pin: str, **content: Any) -> None:  # noqa: ANN401 - content of a slot
    """Change the code at the keypad; the lock says that something changed."""
    bench.by_hand("20", pin, **content)
    await bench.tell(SlotTouched(device_id=DOOR, slot="20"))
    await bench.settle(MINUTE)


async def warnings(bench: Bench, code_id: str) -> list[str]:
    """Return the codes of the warnings on a code."""
    return [warning["warning_code"] for warning in (await bench.shown(code_id))["warnings"]]


class TestTimes:
    """Dates stay as somebody made them; weekdays are not taken on, so they are put back."""

    @pytest.mark.parametrize("pin", [PIN, THEIRS], ids=["weekdays", "weekdays and PIN"])
    async def test_other_weekdays_leave_start_and_end_of_the_code(self, hang: Hang, pin: str) -> None:
        """They are put back, and nothing calls them honoured; a new PIN stays."""
        bench = await hang(ONE_KIND)
        times = {"starts_at": instant(NOON - HOUR), "ends_at": instant(NOON + 60 * DAY)}
        code_id = await bench.create(PIN, recurrence=TUESDAYS, allow_external_modification=True, **times)
        await bench.settle(HOUR)
        wanted = bench.lock.slots["20"].schedule
        assert wanted is not None
        assert wanted.weekly
        bench.events()
        await edited(bench, pin, schedule=MONDAYS)
        shown = await bench.shown(code_id)
        assert (shown["type"], shown["starts_at"], shown["ends_at"]) == ("time_bound", *times.values())
        assert (shown["code"], bench.lock.slots["20"].pin, bench.lock.slots["20"].schedule) == (
            pin,
            Pin(pin),
            wanted,
        )
        assert bench.events().count("access_code.modified_external_to_gateway") == 1
        assert await warnings(bench, code_id) == ([] if pin == PIN else ["external_modification_in_effect"])

    async def test_weekdays_in_place_of_dates_are_put_back(self, hang: Hang) -> None:
        """The code keeps its end."""
        bench = await hang(ONE_KIND)
        code_id = await bench.create(PIN, ends_at=instant(NOON + DAY), allow_external_modification=True)
        await bench.settle(HOUR)
        wanted = bench.lock.slots["20"].schedule
        await edited(bench, PIN, schedule=MONDAYS)
        assert (await bench.shown(code_id))["ends_at"] == instant(NOON + DAY)
        assert bench.lock.slots["20"].schedule == wanted

    def test_a_pin_on_the_way_is_not_lost_to_other_dates(self) -> None:
        """Somebody moved the end while an update of the PIN was not on the lock yet."""
        asked = code(pin="5822", ends_at=NOON + DAY, is_external_modification_allowed=True)
        held_now = held(content=credential(schedule=Schedule(ends_at=NOON + DAY)))
        work = working(device(CAN_NATIVE), asked, held_now)
        absorb_reading(work, "20", known(schedule=Schedule(ends_at=NOON + 2 * DAY)))
        assert work.codes["ana"].pin == Pin("5822")
        assert work.codes["ana"].ends_at == NOON + 2 * DAY


class TestEnabling:
    """Disabled by hand stays so; a code that waits disabled for its start is not "disabled by hand"."""

    @pytest.mark.parametrize(("pin", "enabled"), [(THEIRS, True), (PIN, True), (THEIRS, False)])
    async def test_a_code_changed_while_it_waits_disabled_opens_at_its_start(
        self, hang: Hang, pin: str, *, enabled: bool
    ) -> None:
        """Whoever types a PIN enables it with that: it does not open early, nor is it shut for good."""
        bench = await hang(READABLE)
        code_id = await bench.create(
            PIN,
            starts_at=instant(NOON + 20 * MINUTE),
            ends_at=instant(NOON + DAY),
            allow_external_modification=True,
        )
        await bench.settle(6 * MINUTE)
        await edited(bench, pin, enabled=enabled)
        assert bench.lock.slots["20"] == credential(pin, enabled=False)
        await bench.settle(30 * MINUTE)
        assert bench.lock.slots["20"] == credential(pin)
        shown = await bench.shown(code_id)
        assert (shown["status"], shown["errors"]) == ("set", [])

    async def test_windows_that_come_back_open_with_the_new_pin(self, hang: Hang) -> None:
        """Also those after the next."""
        bench = await hang(READABLE)
        daily = {"cron": "0 13 * * *", "minutes": 60, "time_zone": "UTC"}
        await bench.create(PIN, recurrence=daily, allow_external_modification=True)
        await bench.settle(45 * MINUTE)
        await edited(bench, THEIRS)
        await bench.settle(29 * MINUTE)
        for _ in range(3):
            assert bench.lock.slots["20"] == credential(THEIRS)
            await bench.settle(DAY)

    async def test_enabled_by_hand_with_another_pin_it_opens_again(self, hang: Hang) -> None:
        """It had been disabled by hand; that is over."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, allow_external_modification=True)
        await bench.settle(HOUR)
        await edited(bench, PIN, enabled=False)
        await edited(bench, THEIRS)
        await bench.settle(HOUR)
        assert bench.lock.slots["20"] == credential(THEIRS)
        assert (await bench.shown(code_id))["errors"] == []

    async def test_another_pin_alone_does_not_enable_what_was_disabled_by_hand(self, hang: Hang) -> None:
        """Somebody shut it on purpose, and nobody opened it."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, allow_external_modification=True)
        await bench.settle(HOUR)
        await edited(bench, PIN, enabled=False)
        await edited(bench, THEIRS, enabled=False)
        await bench.settle(HOUR)
        assert bench.lock.slots["20"] == credential(THEIRS, enabled=False)
        assert (await bench.shown(code_id))["code"] == THEIRS
        await edited(bench, THEIRS)
        assert bench.lock.slots["20"] == credential(THEIRS)


class TestUse:
    """A changed code is used like any other."""

    @pytest.mark.parametrize("model", [READABLE, MASKED], ids=lambda m: m.name)
    async def test_a_code_for_one_use_is_used_up_also_with_another_pin(
        self, hang: Hang, model: Model
    ) -> None:
        """Whether the lock shows the new digits or not."""
        bench = await hang(model)
        code_id = await bench.create(PIN, is_one_time_use=True, allow_external_modification=True)
        await bench.settle(HOUR)
        await edited(bench, THEIRS)
        await bench.tell(CodeUsed(device_id=DOOR, slot="20"))
        await bench.settle(MINUTE)
        assert (await bench.shown(code_id))["display_status"] == "Used"
        assert bench.on_lock() == {}

    async def test_digits_that_the_lock_hides_are_not_proven_by_a_use(self, hang: Hang) -> None:
        """Somebody came in with a PIN that nobody knows."""
        bench = await hang(MASKED)
        code_id = await bench.create(PIN, allow_external_modification=True)
        await bench.settle(HOUR)
        await edited(bench, THEIRS)
        before = (await bench.shown(code_id))["evidence"]
        await bench.tell(CodeUsed(device_id=DOOR, slot="20"))
        assert (await bench.shown(code_id))["evidence"] == before != "used"

    async def test_a_new_pin_has_not_been_used(self, hang: Hang) -> None:
        """Its first use is told again."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, allow_external_modification=True)
        await bench.settle(HOUR)
        await bench.tell(CodeUsed(device_id=DOOR, slot="20"))
        await edited(bench, THEIRS)
        assert (await bench.shown(code_id))["first_used_at"] is None
        bench.events()
        await bench.tell(CodeUsed(device_id=DOOR, slot="20"))
        assert "access_code.first_used" in bench.events()

    async def test_a_new_pin_does_not_bring_back_a_code_that_was_used_up(self, hang: Hang) -> None:
        """Somebody who changes it before the hub has removed it gains nothing."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, is_one_time_use=True, allow_external_modification=True)
        await bench.settle(HOUR)
        await bench.engine.handle(CodeUsed(device_id=DOOR, slot="20"))
        await edited(bench, THEIRS)
        await bench.settle(HOUR)
        assert (await bench.shown(code_id))["display_status"] == "Used"
        assert bench.on_lock() == {}


class TestSharedPins:
    """Codes of one key have one PIN, whatever somebody does to one of them."""

    @pytest.mark.parametrize("model", [READABLE, MASKED], ids=lambda m: m.name)
    async def test_the_pin_of_one_is_put_back(self, model: Model) -> None:
        """Also where changes are allowed: one PIN opens every door of the key."""
        async with house(front=model, back=model) as it:
            codes = await it.create_multiple("front", "back", is_external_modification_allowed=True)
            await it.settle()
            [pin] = {code["code"] for code in codes}
            it.clock.pass_by(HOUR)
            it.locks["front"].set_code("20", Pin(THEIRS))
            await it.tell(SlotTouched(device_id="front", slot="20"))
            await it.settle()
            assert [it.on_lock(door) for door in ("front", "back")] == [[pin], [pin]]
            listed = await it.do("access_codes/list", common_code_key=codes[0]["common_code_key"])
            assert [code["code"] for code in listed["access_codes"]] == [pin, pin]


class TestTakenPins:
    """A PIN is not taken over where the lock could not tell whose it is (rule 4)."""

    def test_one_that_begins_like_that_of_another_guest_is_put_right(self) -> None:
        """On a lock that decides by the first digits: the longer of the two could not be typed any more."""
        free = code(pin="9876", is_external_modification_allowed=True)
        facts = (free, held(content="9876"), code("bo", "123456"), held("bo", "3", "123456"))
        for alike, stays in ((True, "9876"), (False, "1234")):
            rules = replace(CAN.pin_rules, prefix_free=alike)
            work = working(device(replace(CAN, pin_rules=rules)), *facts)
            absorb_reading(work, "20", known("1234"))
            assert work.codes["ana"].pin == Pin(stays)

    def test_one_that_somebody_else_s_code_has_is_put_right(self) -> None:
        """On a lock that takes a PIN twice: nobody could say who came."""
        free = code(is_external_modification_allowed=True)
        work = working(free, held(), slot("3", known(THEIRS), unmanaged_id="u"))
        absorb_reading(work, "20", known(THEIRS))
        assert work.codes["ana"] == free

    @pytest.mark.parametrize(
        ("over", "stays"),
        [
            ((code("bo", THEIRS, ends_at=NOON),), THEIRS),
            ((code("bo", THEIRS, ends_at=NOON), held("bo", "3", THEIRS)), "4711"),
            ((code("bo", THEIRS, ends_at=NOON + HOUR),), "4711"),
        ],
        ids=["ended and gone", "ended, not gone", "not ended"],
    )
    def test_that_of_a_code_that_is_over_is_free_once_it_is_off_the_lock(
        self, over: tuple[Fact, ...], stays: str
    ) -> None:
        """As for a new code."""
        free = code(is_external_modification_allowed=True)
        work = working(free, held(), *over)
        absorb_reading(work, "20", known(THEIRS))
        assert work.codes["ana"].pin == Pin(stays)
