"""Codes that come into the hub's hands, and that leave them, on the real Z-Wave stack."""

import pytest

from tests.daemon.bed import PINS
from tests.e2e.conftest import Start
from tests.e2e.house import NODES
from tests.zwave_bed.config import Faults

pytestmark = [pytest.mark.zwave_bed, pytest.mark.mosquitto, pytest.mark.slow]


async def test_a_code_whose_digits_are_hidden_is_taken_over_by_typing_them(start: Start) -> None:
    """Written once into its own slot: then the hub knows what is there."""
    node = NODES["masked_s2"].node_id
    async with start("masked_s2") as house:
        await house.settled("masked_s2")
        await house.bed.edit(node, 1, PINS[0], "report")
        await house.hears("access_code.unmanaged.created")
        await house.settled("masked_s2")
        [theirs] = (await house.do("access_codes/unmanaged/list"))["unmanaged_access_codes"]
        code_id = theirs["access_code_id"]
        shown = await house.do("access_codes/unmanaged/get", access_code_id=code_id)
        assert shown["unmanaged_access_code"]["code"] is None
        await house.forget_radio("masked_s2")
        convert = "access_codes/unmanaged/convert_to_managed"
        untyped = await house.app.ask(convert, transaction=None, access_code_id=code_id)
        assert untyped["error"]["data"] == {"field": "code"}
        taken = await house.do(convert, access_code_id=code_id, code=PINS[0])
        assert (taken["access_code"]["status"], taken["access_code"]["slot"]) == ("setting", "1")
        await house.until(lambda: house.code(code_id).get("status") == "set")
        await house.settled("masked_s2")
        assert await house.on_lock("masked_s2") == {1: PINS[0]}
        radio = await house.radio("masked_s2")
        assert (radio.set, radio.clear) == (1, 0)
        assert (await house.do("access_codes/unmanaged/list"))["unmanaged_access_codes"] == []


async def test_guests_go_at_one_word_and_those_who_live_there_stay(start: Start) -> None:
    """A code of somebody else stays too."""
    async with start("v2_s2") as house:
        await house.settled("v2_s2")
        await house.bed.edit(NODES["v2_s2"].node_id, 1, PINS[0], "report")
        await house.hears("access_code.unmanaged.created")
        own = await house.create_set("v2_s2", PINS[1])
        guest = await house.create_set("v2_s2", PINS[2], ends_at=house.in_time(hours=5))
        await house.settled("v2_s2")
        await house.forget_radio("v2_s2")
        done = await house.do("devices/remove_guest_codes", device_id="v2_s2")
        assert done["access_code_ids"] == [guest]
        await house.hears("access_code.removed_from_device", guest)
        await house.becomes("v2_s2", PINS[0], PINS[1])
        await house.settled("v2_s2")
        assert house.code(own)["status"] == "set"
        radio = await house.radio("v2_s2")
        assert (radio.set, radio.clear) == (0, 1)


async def test_a_forced_delete_on_a_dead_lock_leaves_a_code_that_is_found_again(start: Start) -> None:
    """It says so; once the lock lives the code counts as somebody else's, and goes by name."""
    node = NODES["v2_s2"].node_id
    async with start("v2_s2") as house:
        code_id = await house.create_set("v2_s2", PINS[0])
        await house.settled("v2_s2")
        await house.bed.fault(node, Faults(dead=True))
        done = await house.do("access_codes/delete", access_code_id=code_id, force=True)
        assert done["left_behind"] == [{"access_code_id": code_id, "slot": "3"}]
        await house.until(lambda: not house.code(code_id))
        await house.hears("access_code.deleted", code_id)
        await house.hears("device.disconnected")
        await house.bed.alive(node)
        await house.hears("access_code.unmanaged.created")
        await house.settled("v2_s2")
        assert await house.on_lock("v2_s2") == {3: PINS[0]}
        [left] = (await house.do("access_codes/unmanaged/list"))["unmanaged_access_codes"]
        assert (left["slot"], left["access_code_id"] == code_id) == ("3", False)
        house.let_pass(seconds=1)
        await house.do("access_codes/unmanaged/delete", access_code_id=left["access_code_id"])
        await house.becomes("v2_s2")
