"""From the command to the lock and away again."""

from datetime import timedelta

import pytest

from tests.daemon.bed import PINS
from tests.e2e.conftest import Start
from tests.e2e.house import NODES
from tests.zwave_bed.config import Slot

pytestmark = [pytest.mark.zwave_bed, pytest.mark.mosquitto, pytest.mark.slow]
DISABLED = 2
"""User ID Status of a code that the lock keeps and that opens nothing."""


async def test_a_created_code_gets_onto_the_lock_and_a_deleted_one_away(start: Start) -> None:
    """Into the highest slot, told once it is proven; after its deletion nothing of it is left anywhere."""
    async with start("v2_s2") as house:
        code_id = await house.create_set("v2_s2", PINS[0])
        assert await house.on_lock("v2_s2") == {3: PINS[0]}
        await house.until(lambda: house.code(code_id)["status"] == "set")
        await house.do("access_codes/delete", access_code_id=code_id)
        await house.hears("access_code.deleted", code_id)
        assert house.told("access_code.removed_from_device", code_id)
        assert await house.on_lock("v2_s2") == {}
        radio = await house.radio("v2_s2")
        assert (radio.set, radio.clear) == (1, 1)
        await house.until(lambda: house.code(code_id) == {})


async def test_a_window_opens_and_closes(start: Start) -> None:
    """On the lock but disabled half an hour before its start, enabled at it, gone within 5 s of its end."""
    async with start("v2_s2") as house:
        began = house.clock.now()
        code_id = await house.create(
            "v2_s2", PINS[0], starts_at=house.in_time(hours=2), ends_at=house.in_time(hours=5)
        )
        await house.settled("v2_s2")
        house.let_pass(minutes=89)
        await house.settled("v2_s2")
        assert (house.code(code_id)["status"], (await house.radio("v2_s2")).set) == ("unset", 0)
        house.let_pass(minutes=1)
        await house.until(lambda: house.code(code_id)["evidence"])
        assert house.code(code_id)["status"] == "setting"
        assert await house.bed.slots(NODES["v2_s2"].node_id) == {3: Slot(status=DISABLED, code=PINS[0])}
        house.let_pass(minutes=30)
        await house.hears("access_code.set_on_device", code_id)
        assert await house.on_lock("v2_s2") == {3: PINS[0]}
        await house.settled("v2_s2")
        house.clock.let_pass(began + timedelta(hours=5, seconds=-1) - house.clock.now())
        assert await house.on_lock("v2_s2") == {3: PINS[0]}
        await house.becomes("v2_s2", seconds=6)
        await house.hears("access_code.removed_from_device", code_id)
        await house.until(lambda: house.code(code_id)["status"] == "unset")


async def test_a_changed_code_changes_on_the_lock(start: Start) -> None:
    """A new PIN in the same slot by one write; a new name without any radio; times without a rewrite."""
    async with start("v2_s2") as house:
        code_id = await house.create_set("v2_s2", PINS[0], name="Cleaner")
        await house.do("access_codes/update", access_code_id=code_id, code=PINS[1])
        await house.hears("access_code.code_changed", code_id)
        assert await house.on_lock("v2_s2") == {3: PINS[1]}
        await house.settled("v2_s2")
        await house.forget_radio("v2_s2")
        await house.do("access_codes/update", access_code_id=code_id, name="Gardener")
        await house.do("access_codes/update", access_code_id=code_id, ends_at=house.in_time(hours=1))
        await house.settled("v2_s2")
        assert (await house.radio("v2_s2")).user_code == 0
        shown = (await house.do("access_codes/get", access_code_id=code_id))["access_code"]
        assert (shown["name"], shown["code"], shown["status"]) == ("Gardener", PINS[1], "set")
        house.let_pass(hours=1)
        await house.hears("access_code.removed_from_device", code_id)
        assert await house.on_lock("v2_s2") == {}


async def test_a_window_moved_away_takes_its_code_off_until_then(start: Start) -> None:
    """Who is let in later is not let in now."""
    async with start("v2_s2") as house:
        code_id = await house.create_set("v2_s2", PINS[0])
        await house.do(
            "access_codes/update",
            access_code_id=code_id,
            starts_at=house.in_time(hours=3),
            ends_at=house.in_time(hours=4),
        )
        await house.becomes("v2_s2")
        await house.settled("v2_s2")
        house.let_pass(hours=3)
        await house.hears("access_code.set_on_device", code_id, times=2)
        assert list((await house.on_lock("v2_s2")).values()) == [PINS[0]]
