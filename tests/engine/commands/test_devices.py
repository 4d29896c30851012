"""Commands on locks, and those that only look."""

from typing import Any

import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, MASKED, READABLE, TINY, Model
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, SECOND
from tests.engine.conftest import Hang

PIN = "471134"


class TestDevices:
    """Locks as clients see and handle them."""

    async def test_list_and_get_show_the_same(self, hang: Hang) -> None:
        """Every lock, or one."""
        bench = await hang(READABLE)
        [listed] = (await bench.do("devices/list"))["devices"]
        assert (await bench.do("devices/get", device_id=DOOR))["device"] == listed
        assert (listed["device_id"], listed["properties"]["online"]) == (DOOR, True)

    async def test_sync_looks_now_with_a_fresh_budget(self, hang: Hang) -> None:
        """And does not trust the old checksum."""
        bench = await hang(READABLE)
        bench.clock.pass_by(MINUTE)
        spent = replace(
            bench.snap().device, read_budget=bench.clock.wall + HOUR, retry_at=bench.clock.wall + HOUR
        )
        bench.store.do(lambda tx: tx.save_device(spent))
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle()
        operations = bench.driver.taken()
        reads = [("read", slot) for slot in READABLE.capabilities.slots]
        assert operations == [("probe", None), *reads, ("probe", None)]

    async def test_retire_empties_the_lock_of_our_codes(self, hang: Hang) -> None:
        """Others' stay; then it can leave the configuration."""
        bench = await hang(READABLE)
        await bench.create(PIN)
        leaving = await bench.create("582245")
        bench.by_hand("1", "998877")
        await bench.settle(HOUR)
        await bench.do("access_codes/delete", access_code_id=leaving)
        shown = (await bench.do("devices/retire", device_id=DOOR))["device"]
        assert shown["is_retiring"] is True
        await bench.settle(HOUR)
        assert bench.on_lock() == {"1": "998877"}
        assert bench.snap().codes == {}
        again = await bench.ask("devices/retire", device_id=DOOR)
        assert again["error"]["type"] == "device_refused"

    async def test_a_lock_that_left_the_configuration_cannot_be_retired_and_the_answer_says_what_can(
        self, hang: Hang
    ) -> None:
        """The hub does not reach it: put it back, or give it up."""
        bench = await hang(READABLE)
        await bench.create(PIN)
        await bench.settle()
        bench.configured = False
        bench.boot()
        await bench.engine.start()
        answer = await bench.ask("devices/retire", device_id=DOOR)
        assert answer["error"]["type"] == "device_refused"
        assert "put it back" in answer["error"]["message"]
        assert "pinsmith locks forget" in answer["error"]["message"]

    async def test_forget_says_what_is_left_behind(self, hang: Hang) -> None:
        """The lock is not touched; its retained topics are emptied."""
        bench = await hang(READABLE)
        there = await bench.create(PIN)
        waiting = await bench.create("582245", starts_at=instant(NOON + DAY))
        await bench.settle()
        bench.driver.operations.clear()
        bench.events()
        left = [{"access_code_id": there, "slot": "20"}]
        assert await bench.do("devices/forget", device_id=DOOR) == {"device_id": DOOR, "left_behind": left}
        assert bench.driver.taken() == []
        assert bench.on_lock() == {"20": PIN}
        assert bench.events() == ["device.removed"]
        topics = {f"access_code/{code_id}/state" for code_id in (there, waiting)}
        assert set(bench.store.do(lambda tx: tx.tombstones())) == topics

    async def test_a_forgotten_lock_that_is_still_configured_starts_anew(self, hang: Hang) -> None:
        """The driver tells of a lock only once, so what it told is kept; our old code is somebody's now."""
        bench = await hang(READABLE)
        await bench.create(PIN)
        await bench.settle()
        await bench.do("devices/forget", device_id=DOOR)
        await bench.settle(HOUR)
        snap = bench.snap()
        assert snap.device.identity == snap.device.seen_identity
        assert snap.codes == {}
        assert snap.slots["20"].unmanaged_id is not None
        assert bench.on_lock() == {"20": PIN}

    async def test_forgetting_accepts_the_lock_that_answers_now(self, hang: Hang) -> None:
        """Of a replaced lock the old one is forgotten."""
        bench = await hang(READABLE)
        await bench.tell(bench.seen(serial="another"))
        await bench.do("devices/forget", device_id=DOOR)
        assert not bench.snap().device.replaced
        identity = bench.snap().device.identity
        assert identity is not None
        assert identity.serial == "another"

    async def test_a_lock_that_left_the_configuration_is_forgotten_wholly(self, hang: Hang) -> None:
        """With its own retained topic."""
        bench = await hang(READABLE)
        orphan = replace(bench.snap().device, policy=None)
        bench.store.do(lambda tx: tx.save_device(orphan))
        await bench.do("devices/forget", device_id=DOOR)
        assert (await bench.do("devices/list"))["devices"] == []
        assert list(bench.store.do(lambda tx: tx.tombstones())) == [f"lock/{DOOR}/state"]

    async def test_replace_is_refused_while_the_known_lock_answers(self, hang: Hang) -> None:
        """It would take the hub's own codes for those of others."""
        bench = await hang(READABLE)
        reply = await bench.ask("devices/replace", device_id=DOOR)
        assert reply["error"] == {
            "type": "device_refused",
            "message": "the lock that answers is the one the hub knows",
            "data": {"device_id": DOOR},
        }

    async def listed(self, bench: Bench, **params: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
        """Return events."""
        found: list[dict[str, Any]] = (await bench.do("events/list", **params))["events"]
        return found

    async def test_they_come_in_order_and_can_be_chosen(self, hang: Hang) -> None:
        """By code, lock and time; delivered ones too."""
        bench = await hang(READABLE)
        first = await bench.create(PIN)
        bench.clock.pass_by(HOUR)
        second = await bench.create("582245")
        bench.events()
        everything = await self.listed(bench)
        assert [event["seq"] for event in everything] == sorted(event["seq"] for event in everything)
        assert {event["access_code_id"] for event in await self.listed(bench, access_code_id=first)} == {
            first
        }
        late = await self.listed(bench, since=instant(NOON + HOUR), device_id=DOOR)
        assert {event["event_type"] for event in late if event["access_code_id"] == first} == {
            "access_code.delay_in_setting_on_device"
        }
        assert second in {event["access_code_id"] for event in late}
        early = await self.listed(bench, until=instant(NOON + HOUR))
        assert second not in {event["access_code_id"] for event in early}
        assert await self.listed(bench, device_id="cellar") == []

    async def test_an_event_is_flat(self, hang: Hang) -> None:
        """Envelope and payload side by side, as on the broker."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        changed = next(e for e in await self.listed(bench) if e["event_type"] == "access_code.changed")
        assert changed["access_code_id"] == code_id
        assert changed["occurred_at"] == "2026-07-01T12:00:00.000Z"
        assert changed["changed_properties"] == [{"property": "status", "from": "unset", "to": "setting"}]


class TestPlans:
    """What would be done now, why, and at what cost; nothing is done."""

    @pytest.mark.parametrize(
        ("model", "steps"),
        [
            (READABLE, [("clear", "20", 1), ("write", "19", 1)]),
            (MASKED, [("clear", "20", 2), ("write", "19", 2)]),
            (CHOOSER, [("clear", "1", 1), ("write", None, 1)]),
        ],
        ids=["readable", "masked", "chooser"],
    )
    async def test_steps_are_told(
        self, hang: Hang, model: Model, steps: list[tuple[str, str | None, int]]
    ) -> None:
        """In their order, with their cost in radio commands."""
        bench = await hang(model)
        old = await bench.create(PIN)
        await bench.settle()
        new = await bench.create("582245")
        await bench.do("access_codes/delete", access_code_id=old)
        bench.driver.operations.clear()
        before = bench.store.dump()
        [plan] = (await bench.do("plan/get", device_id=DOOR))["plans"]
        assert plan["gate"] == "open"
        assert [(step["action"], step["slot"], step["radio_commands"]) for step in plan["steps"]] == steps
        assert [step["access_code_id"] for step in plan["steps"]] == [old, new]
        assert [step["why"] for step in plan["steps"]] == [
            "the code was deleted",
            "the code is not on the lock yet",
        ]
        assert (bench.store.dump(), bench.driver.taken()) == (before, [])

    async def test_a_plan_says_what_stands_in_the_way_and_when_to_look_again(self, hang: Hang) -> None:
        """Of a full lock, and of looks."""
        bench = await hang(TINY)
        await bench.create(PIN)
        bench.clock.pass_by(SECOND)
        await bench.create("582245")
        bench.clock.pass_by(SECOND)
        last = await bench.create("693356")
        await bench.settle()
        [plan] = (await bench.do("plan/get"))["plans"]
        assert plan["issues"] == [
            {
                "code": "no_space_for_access_code_on_device",
                "access_code_id": last,
                "message": "no free slot: 2 hold codes of the hub, 0 hold codes of others "
                "among the slots the hub may use",
            },
            {
                "code": "max_access_codes_reached",
                "access_code_id": None,
                "message": "all 2 slots that the hub may use are taken",
            },
        ]
        assert plan["next_wake"] == instant(NOON + 5 * MINUTE + 2 * SECOND)
        bench.clock.pass_by(MINUTE)
        await bench.do("devices/sync", device_id=DOOR)
        [step] = (await bench.do("plan/get"))["plans"][0]["steps"]
        assert (step["action"], step["slot"], step["access_code_id"]) == ("probe", None, None)


class TestClock:
    """What the hub knows about the time."""

    async def test_it_is_told_and_a_person_may_decide(self, hang: Hang) -> None:
        """A jump is held until then."""
        bench = await hang(READABLE)
        ids = [await bench.create(f"{n}71134", ends_at=instant(NOON + HOUR)) for n in range(4, 8)]
        await bench.settle()
        bench.clock.jump(2 * HOUR)
        await bench.settle()
        assert len(bench.on_lock()) == 4
        assert "clock_step_held" in bench.issues()
        assert (await bench.do("clock/get"))["clock"] == {
            "now": instant(NOON + 2 * HOUR),
            "trusted": True,
            "synchronised": True,
            "floor": instant(NOON),
            "policy": "hold",
            "step_held": True,
        }
        told = (await bench.do("clock/trust"))["clock"]
        assert (told["step_held"], told["floor"]) == (False, instant(NOON + 2 * HOUR))
        await bench.settle()
        assert bench.on_lock() == {}
        assert {(await bench.shown(code_id))["status"] for code_id in ids} == {"unset"}

    async def test_few_codes_are_not_worth_an_alarm(self, hang: Hang) -> None:
        """They go, jump or not."""
        bench = await hang(READABLE)
        await bench.create(PIN, ends_at=instant(NOON + HOUR))
        await bench.settle(SECOND)
        bench.clock.jump(2 * HOUR)
        await bench.settle()
        assert bench.on_lock() == {}
