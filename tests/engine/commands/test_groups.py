"""Several codes at once: one PIN for several locks, and changing the codes of one key."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, MASKED, READABLE, TINY
from gateway.domain.lock import Reach
from gateway.engine.mutations import instant
from tests.engine.build import DAY, DOOR, HOUR, NOON
from tests.engine.commands.house import house

LATER = {"starts_at": instant(NOON + DAY), "ends_at": instant(NOON + 2 * DAY)}


class TestCreateMultiple:
    """One command, one PIN, a code on each lock."""

    async def test_all_locks_get_one_pin_that_each_takes(self) -> None:
        """The key tells that they belong together; the Nuki kind takes six digits, no zero, not 12 first."""
        async with house(front=READABLE, back=CHOOSER) as it:
            codes = await it.create_multiple("front", "back", name="Ana")
            assert len({code["code"] for code in codes}) == 1
            [pin] = {code["code"] for code in codes}
            assert len(pin) == 6
            assert not pin.startswith("12")
            [key] = {code["common_code_key"] for code in codes}
            assert key.startswith("auto_set_by_create_multiple_")
            await it.settle()
            assert [it.on_lock(door) for door in ("front", "back")] == [[pin], [pin]]

    async def test_a_pin_of_the_caller_makes_no_group(self) -> None:
        """Nobody promises to keep it the same."""
        async with house(front=READABLE, back=READABLE) as it:
            codes = await it.create_multiple("front", "back", code="471134")
            assert [(code["code"], code["common_code_key"]) for code in codes] == [("471134", None)] * 2

    async def test_a_lock_that_refuses_leaves_nothing_on_those_before_it(self) -> None:
        """Neither a code, nor an event, nor an attempt; and a repeat gets the same refusal."""
        capabilities = replace(MASKED.capabilities, reach=Reach.ON_TOUCH, disabled_status=False)
        async with house(front=READABLE, back=replace(MASKED, capabilities=capabilities)) as it:
            body = msgspec.json.encode(
                {
                    "transaction": "once",
                    "device_ids": ["front", "back"],
                    "recurrence": {"cron": "0 9 * * 2", "minutes": 60},
                }
            )
            before = it.stored()
            reply = await it.desk.execute("me", "access_codes/create_multiple", body)
            assert b"unsupported_device" in reply
            assert it.stored() == before
            assert (await it.do("access_codes/list"))["access_codes"] == []
            await it.settle()
            assert it.on_lock("front") == []
            assert await it.desk.execute("me", "access_codes/create_multiple", body) == reply

    @pytest.mark.parametrize("pin", ["4711", None])
    async def test_where_no_pin_suits_all_nothing_is_created(self, pin: str | None) -> None:
        """The error says which way out there is."""
        async with house(front=READABLE, back=CHOOSER) as it:
            await it.do(
                "access_codes/report_device_constraints", device_id="front", supported_code_lengths=[4]
            )
            asked = {"device_ids": ["front", "back"]} | ({"code": pin} if pin else {})
            reply = await it.ask("access_codes/create_multiple", **asked)
            assert reply["error"]["type"] == "invalid_input"
            assert (await it.do("access_codes/list"))["access_codes"] == []

    async def test_those_that_cannot_share_may_get_a_pin_of_their_own(self) -> None:
        """If the caller asks for that."""
        async with house(front=READABLE, back=CHOOSER) as it:
            await it.do(
                "access_codes/report_device_constraints", device_id="front", supported_code_lengths=[4]
            )
            codes = await it.create_multiple(
                "front", "back", behavior_when_code_cannot_be_shared="create_random_code"
            )
            assert [len(code["code"]) for code in codes] == [4, 6]
            assert [code["common_code_key"] is None for code in codes] == [False, True]

    async def test_a_pin_taken_on_one_lock_is_not_given_out_on_any(self) -> None:
        """Refused by name; and a PIN that is made up avoids those of all."""
        async with house(front=READABLE, back=READABLE) as it:
            await it.do("access_codes/create", device_id="back", code="471134")
            reply = await it.ask("access_codes/create_multiple", device_ids=["front", "back"], code="471134")
            assert (reply["error"]["type"], reply["error"]["data"]["device_id"]) == (
                "duplicate_access_code",
                "back",
            )

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"device_ids": ["front", "front"]}, "device_ids"),
            ({"device_ids": []}, "device_ids"),
            ({"use_backup_access_code_pool": True}, "use_backup_access_code_pool"),
        ],
    )
    async def test_what_makes_no_sense_is_refused(self, wrong: dict[str, Any], field: str) -> None:
        """With the field."""
        async with house(front=READABLE, back=READABLE) as it:
            reply = await it.ask(
                "access_codes/create_multiple", **({"device_ids": ["front", "back"]} | wrong)
            )
            assert (reply["error"]["type"], reply["error"]["data"]["field"]) == ("invalid_input", field)


class TestKeys:
    """Codes of one key share one PIN, whatever comes."""

    async def test_a_code_that_joins_gets_the_pin_of_the_group(self) -> None:
        """And another PIN under the same key is refused."""
        async with house(front=READABLE, back=READABLE, side=READABLE) as it:
            first = await it.do("access_codes/create", device_id="front", common_code_key="stay")
            second = await it.do("access_codes/create", device_id="back", common_code_key="stay")
            assert first["access_code"]["code"] == second["access_code"]["code"]
            reply = await it.ask(
                "access_codes/create", device_id="side", common_code_key="stay", code="987654"
            )
            assert reply["error"]["data"]["field"] == "code"

    async def test_the_pin_of_one_of_them_is_not_changed_alone(self) -> None:
        """Everything else of it is."""
        async with house(front=READABLE, back=READABLE) as it:
            codes = await it.create_multiple("front", "back")
            code_id = codes[0]["access_code_id"]
            reply = await it.ask("access_codes/update", access_code_id=code_id, code="987654")
            assert reply["error"]["data"]["field"] == "code"
            changed = await it.do(
                "access_codes/update", access_code_id=code_id, name="Bo", code=codes[0]["code"]
            )
            assert changed["access_code"]["name"] == "Bo"

    async def test_name_and_times_of_all_change_together(self) -> None:
        """All or none."""
        async with house(front=READABLE, back=READABLE) as it:
            codes = await it.create_multiple("front", "back")
            key = codes[0]["common_code_key"]
            done = await it.do("access_codes/update_multiple", common_code_key=key, name="Bo", **LATER)
            assert {(c["name"], c["starts_at"], c["type"]) for c in done["access_codes"]} == {
                ("Bo", LATER["starts_at"], "time_bound")
            }
            reply = await it.ask(
                "access_codes/update_multiple", common_code_key=key, name="Cy", ends_at=instant(NOON - HOUR)
            )
            assert reply["error"]["data"]["field"] == "ends_at"
            listed = (await it.do("access_codes/list", common_code_key=key))["access_codes"]
            assert {code["name"] for code in listed} == {"Bo"}

    async def test_a_group_that_ended_comes_back_only_where_its_pin_is_still_free(self) -> None:
        """Nowhere, if it went to another code on one of the locks; under another name it may stay ended."""
        async with house(front=READABLE, back=READABLE) as it:
            codes = await it.create_multiple("front", "back", ends_at=instant(NOON + HOUR))
            key, pin = codes[0]["common_code_key"], codes[0]["code"]
            it.clock.pass_by(2 * HOUR)
            await it.settle()
            new = await it.do("access_codes/create", device_id="back", code=pin)
            again = {"common_code_key": key, "ends_at": instant(NOON + DAY)}
            reply = await it.ask("access_codes/update_multiple", **again)
            assert (reply["error"]["type"], reply["error"]["data"]) == (
                "duplicate_access_code",
                {"access_code_id": new["access_code"]["access_code_id"]},
            )
            await it.do("access_codes/update_multiple", common_code_key=key, name="Bo")
            listed = (await it.do("access_codes/list", common_code_key=key))["access_codes"]
            assert {(code["name"], code["ends_at"]) for code in listed} == {("Bo", instant(NOON + HOUR))}
            await it.do("access_codes/delete", access_code_id=reply["error"]["data"]["access_code_id"])
            await it.settle()
            await it.do("access_codes/update_multiple", **again)
            await it.settle()
            assert [it.on_lock(door) for door in ("front", "back")] == [[pin], [pin]]

    async def test_two_of_one_key_do_not_come_back_on_one_lock(self) -> None:
        """The second had the PIN of the first only because that was over."""
        async with house(front=READABLE) as it:
            short = {"device_id": "front", "common_code_key": "stay"}
            await it.do("access_codes/create", **short, ends_at=instant(NOON + HOUR))
            it.clock.pass_by(2 * HOUR)
            await it.settle()
            await it.do("access_codes/create", **short, ends_at=instant(NOON + 3 * HOUR))
            it.clock.pass_by(2 * HOUR)
            await it.settle()
            reply = await it.ask(
                "access_codes/update_multiple", common_code_key="stay", ends_at=instant(NOON + DAY)
            )
            assert reply["error"]["type"] == "duplicate_access_code"
            await it.settle()
            assert it.on_lock("front") == []

    async def test_a_key_of_nobody_is_not_found(self) -> None:
        """Nothing to change."""
        async with house(front=TINY) as it:
            reply = await it.ask("access_codes/update_multiple", common_code_key="?", name="Bo")
            assert reply["error"]["type"] == "not_found"
            assert DOOR not in reply["error"]["message"]
