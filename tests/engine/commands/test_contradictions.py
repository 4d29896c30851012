"""Commands of which a part could not come true are refused as a whole, and nothing is changed."""

from typing import Any

import pytest
from msgspec.structs import replace

from drivers.simulated.models import READABLE, TINY
from gateway.engine.mutations import instant
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, POLICY
from tests.engine.commands.house import house
from tests.engine.conftest import Hang

# NOON is a Wednesday.
TUESDAYS = {"cron": "0 9 * * 2", "minutes": 180, "time_zone": "UTC"}
OPENS = NOON + 5 * DAY + 21 * HOUR
UNTIL: dict[str, Any] = {"ends_at": instant(NOON + DAY)}


class TestLettingGo:
    """A code that is given out of the hub's hands stays on the lock as it is."""

    @pytest.mark.parametrize(
        "rest",
        [
            {"code": "582245"},
            {"name": "Bo"},
            {"ends_at": None},
            {"recurrence": TUESDAYS},
            {"type": "ongoing"},
            {"prefer_native_scheduling": False},
            {"allow_external_modification": True},
        ],
        ids=lambda rest: next(iter(rest)),
    )
    async def test_it_cannot_be_changed_by_the_same_command(self, hang: Hang, rest: dict[str, Any]) -> None:
        """Somebody would believe that the change was made."""
        bench = await hang(READABLE)
        code_id = await bench.create("471134")
        await bench.settle(MINUTE)
        before = await bench.shown(code_id)
        reply = await bench.ask("access_codes/update", access_code_id=code_id, is_managed=False, **rest)
        assert (reply["error"]["type"], reply["error"]["data"]) == ("invalid_input", {"field": "is_managed"})
        assert await bench.shown(code_id) == before

    async def test_how_to_reach_the_lock_is_no_change(self, hang: Hang) -> None:
        """Nor is its name."""
        bench = await hang(READABLE)
        body = {"access_code_id": await bench.create("471134"), "device_id": DOOR, "is_managed": False}
        await bench.do("access_codes/update", attempt_for_offline_device=False, **body)
        assert bench.snap().codes == {}


class TestWindows:
    """At least one window that comes back must open between start and end."""

    @pytest.mark.parametrize(
        "times",
        [
            {"ends_at": instant(NOON + DAY)},
            {"starts_at": instant(OPENS + HOUR * 3), "ends_at": instant(OPENS + DAY)},
        ],
        ids=["an end before the next one", "between two"],
    )
    async def test_times_without_one_are_refused(self, hang: Hang, times: dict[str, str]) -> None:
        """As when the code is created: it would never open again, and nobody would notice."""
        bench = await hang(READABLE)
        code_id = await bench.create("471134", recurrence=TUESDAYS, ends_at=instant(NOON + 60 * DAY))
        before = await bench.shown(code_id)
        reply = await bench.ask("access_codes/update", access_code_id=code_id, **times)
        assert (reply["error"]["type"], reply["error"]["data"]) == ("invalid_input", {"field": "ends_at"})
        assert await bench.shown(code_id) == before
        await bench.do("access_codes/update", access_code_id=code_id, ends_at=instant(OPENS + HOUR))

    async def test_nor_are_they_given_to_all_codes_of_a_key(self) -> None:
        """None of them is changed."""
        async with house(front=READABLE, back=READABLE) as it:
            codes = await it.create_multiple(
                "front", "back", recurrence=TUESDAYS, ends_at=instant(NOON + 60 * DAY)
            )
            key = codes[0]["common_code_key"]
            reply = await it.ask("access_codes/update_multiple", common_code_key=key, **UNTIL)
            assert (reply["error"]["type"], reply["error"]["data"]) == ("invalid_input", {"field": "ends_at"})

    async def test_while_one_is_open_the_code_may_end_in_it(self, hang: Hang) -> None:
        """The guest leaves early."""
        bench = await hang(READABLE)
        code_id = await bench.create("471134", recurrence=TUESDAYS, ends_at=instant(NOON + 60 * DAY))
        await bench.settle(OPENS + HOUR - NOON)
        await bench.do("access_codes/update", access_code_id=code_id, ends_at=instant(OPENS + 2 * HOUR))


class TestBackupsOnSmallLocks:
    """A lock with four slots or fewer says that it has no backup pool."""

    async def test_a_code_that_asks_for_one_is_refused(self, hang: Hang) -> None:
        """Backups would take the places of guests."""
        bench = await hang(TINY)
        reply = await bench.ask(
            "access_codes/create", device_id=DOOR, use_backup_access_code_pool=True, **UNTIL
        )
        assert (reply["error"]["type"], reply["error"]["data"]) == ("unsupported_device", {"device_id": DOOR})
        assert bench.snap().codes == {}

    async def test_so_are_codes_for_several_locks_of_which_one_is_small(self) -> None:
        """The error names it."""
        async with house(front=READABLE, back=TINY) as it:
            reply = await it.ask(
                "access_codes/create_multiple",
                device_ids=["front", "back"],
                use_backup_access_code_pool=True,
                **UNTIL,
            )
            assert reply["error"]["data"] == {"device_id": "back"}
            assert (await it.do("access_codes/list"))["access_codes"] == []

    async def test_where_a_person_turned_the_pool_on_it_is_used(self, hang: Hang) -> None:
        """By the configuration, or by a command that says nothing else."""
        bench = await hang(TINY, policy=replace(POLICY, backup_pool=1))
        await bench.create("471134", use_backup_access_code_pool=True, **UNTIL)
        bench = await hang(TINY)
        await bench.do("devices/update", device_id=DOOR, backup_access_code_pool_enabled=True)
        await bench.create("471134", use_backup_access_code_pool=True, **UNTIL)
