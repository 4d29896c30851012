"""Commands on access codes."""

from typing import Any

import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, READABLE
from gateway.domain.lock import Device
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON, POLICY, SECOND
from tests.engine.conftest import Hang

PIN = "471134"


async def updated(bench: Bench, code_id: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Change a code; return the object."""
    shown: dict[str, Any] = (await bench.do("access_codes/update", access_code_id=code_id, **params))[
        "access_code"
    ]
    return shown


class TestCreate:
    """One code on one lock."""

    async def test_the_reply_shows_it_with_its_pin(self, hang: Hang) -> None:
        """As it was asked for; times in UTC, cut to milliseconds."""
        bench = await hang(READABLE)
        shown = (
            await bench.do(
                "access_codes/create", device_id=DOOR, name="Ana", code=PIN,
                starts_at="2026-07-02T12:00:00.123999+02:00", ends_at="2026-07-03T12:00:00Z",
                allow_external_modification=True, prefer_native_scheduling=False,
            )
        )["access_code"]  # fmt: skip
        assert (shown["code"], shown["name"], shown["status"], shown["type"]) == (
            PIN,
            "Ana",
            "unset",
            "time_bound",
        )
        assert (shown["starts_at"], shown["ends_at"]) == (
            "2026-07-02T10:00:00.123Z",
            "2026-07-03T12:00:00.000Z",
        )
        assert (shown["is_external_modification_allowed"], shown["prefer_native_scheduling"]) == (True, False)

    @pytest.mark.parametrize(
        ("asked", "configured", "length"), [({}, None, 4), ({}, 6, 6), ({"preferred_code_length": 8}, 6, 8)]
    )
    async def test_without_a_pin_one_is_chosen(
        self, hang: Hang, asked: dict[str, Any], configured: int | None, length: int
    ) -> None:
        """Of the length asked for, or configured, or usual."""
        bench = await hang(READABLE, policy=replace(POLICY, pin_length=configured))
        code_id = await bench.create(**asked)
        shown = await bench.shown(code_id)
        assert shown["name"] == "Access code"
        assert len(shown["code"]) == length
        assert shown["code"].isdecimal()

    async def test_a_chosen_pin_is_nobody_else_s(self, hang: Hang) -> None:
        """Ours, others', and what still stands in a slot: here all but one PIN of one digit are taken."""
        rules = replace(READABLE.capabilities.pin_rules, lengths=(1, 4), alphabet="123456")
        model = replace(READABLE, capabilities=replace(READABLE.capabilities, pin_rules=rules))
        bench = await hang(model)
        changed = await bench.create("1")
        await bench.settle(HOUR)
        await bench.do("access_codes/update", access_code_id=changed, code="2")
        bench.by_hand("3", "3")
        await bench.create("4")
        bench.clock.pass_by(MINUTE)
        await bench.do("devices/sync", device_id=DOOR)
        await bench.worker.reconcile()
        await bench.create("5")
        taken = {shown["code"] for shown in (await bench.do("access_codes/list"))["access_codes"]}
        assert taken == {"2", "4", "5"}
        found = {(await bench.shown(await bench.create(preferred_code_length=1)))["code"] for _ in range(2)}
        assert found == {"1", "6"}

    @pytest.mark.parametrize(
        ("lock", "told"),
        [
            ({"retiring": True}, "the lock is being retired and takes no codes"),
            ({"policy": None}, "the lock is no longer in the configuration"),
        ],
    )
    async def test_a_lock_that_is_leaving_takes_none(
        self, hang: Hang, lock: dict[str, Any], told: str
    ) -> None:
        """And says why."""
        bench = await hang(READABLE)
        changed: Device = replace(bench.snap().device, **lock)
        bench.store.do(lambda tx: tx.save_device(changed))
        reply = await bench.ask("access_codes/create", device_id=DOOR, code=PIN)
        assert (reply["error"]["type"], reply["error"]["message"]) == ("device_refused", told)
        assert bench.snap().codes == {}

    async def test_the_pin_of_a_code_that_has_ended_and_is_gone_is_free(self, hang: Hang) -> None:
        """Not while it may still be on the lock."""
        bench = await hang(READABLE)
        await bench.create(PIN, ends_at=instant(NOON + HOUR))
        await bench.settle(HOUR - SECOND)
        assert (await bench.ask("access_codes/create", device_id=DOOR, code=PIN))["status"] == "error"
        await bench.settle(MINUTE)
        assert await bench.create(PIN)

    async def test_a_start_in_the_past_is_fine(self, hang: Hang) -> None:
        """The guest is there already."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, starts_at=instant(NOON - DAY))
        await bench.settle()
        assert (await bench.shown(code_id))["status"] == "set"


class TestUpdate:
    """What is left out stays."""

    async def test_each_field_by_itself(self, hang: Hang) -> None:
        """Nothing else changes."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, name="Ana", ends_at=instant(NOON + DAY))
        before = await bench.shown(code_id)
        changes: dict[str, Any] = {
            "name": "Bo",
            "code": "582245",
            "ends_at": "2026-07-09T12:00:00.000Z",
            "starts_at": "2026-07-01T12:00:00.001Z",
            "is_external_modification_allowed": True,
            "prefer_native_scheduling": False,
        }
        for field, value in changes.items():
            after = await updated(bench, code_id, **{field: value})
            assert after == before | {field: value}
            before = after
        assert bench.snap().codes[code_id].revision == 7

    async def test_null_unsets_a_time_and_ongoing_both(self, hang: Hang) -> None:
        """Ongoing may keep a start that is given with it."""
        bench = await hang(READABLE)
        window = {"starts_at": instant(NOON + HOUR), "ends_at": instant(NOON + DAY)}
        code_id = await bench.create(PIN, **window)
        assert (await updated(bench, code_id, starts_at=None))["starts_at"] is None
        assert (await updated(bench, code_id, ends_at=None))["type"] == "ongoing"
        await updated(bench, code_id, type="time_bound", **window)
        shown = await updated(bench, code_id, type="ongoing")
        assert (shown["starts_at"], shown["ends_at"]) == (None, None)
        await updated(bench, code_id, **window)
        shown = await updated(bench, code_id, type="ongoing", starts_at=window["starts_at"])
        assert (shown["starts_at"], shown["ends_at"]) == (window["starts_at"], None)

    async def test_its_own_pin_is_no_duplicate(self, hang: Hang) -> None:
        """Nor is it checked against rules that came later, as long as it stays."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        assert (await updated(bench, code_id, code=PIN, name="Bo"))["name"] == "Bo"

    async def test_a_code_that_ended_comes_back_only_with_a_free_pin(self, hang: Hang) -> None:
        """Meanwhile its PIN may have gone to somebody else."""
        bench = await hang(READABLE)
        old = await bench.create(PIN, ends_at=instant(NOON + HOUR))
        await bench.settle(2 * HOUR)
        new = await bench.create(PIN)
        reply = await bench.ask("access_codes/update", access_code_id=old, ends_at=instant(NOON + DAY))
        assert (reply["error"]["type"], reply["error"]["data"]) == (
            "duplicate_access_code",
            {"access_code_id": new},
        )
        back = {"access_code_id": old, "ends_at": instant(NOON + DAY), "code": "822815"}
        assert (await bench.do("access_codes/update", **back))["access_code"]["code"] == "822815"

    @pytest.mark.parametrize("asked", [{}, {"name": "Bo"}, {"is_external_modification_allowed": True}])
    @pytest.mark.parametrize("lengths", [None, [4]], ids=["its PIN is another's", "its PIN is too long now"])
    async def test_a_code_that_stays_ended_needs_its_pin_no_more(
        self, hang: Hang, asked: dict[str, Any], lengths: list[int] | None
    ) -> None:
        """An update that revives nothing succeeds."""
        bench = await hang(READABLE)
        old = await bench.create(PIN, ends_at=instant(NOON + HOUR))
        await bench.settle(2 * HOUR)
        if lengths is None:
            await bench.create(PIN)
        else:
            await bench.do(
                "access_codes/report_device_constraints", device_id=DOOR, supported_code_lengths=lengths
            )
        before = await bench.shown(old)
        assert await updated(bench, old, **asked) == before | asked

    async def test_it_takes_back_what_others_did(self, hang: Hang) -> None:
        """Honoured changes and failures are forgotten: a person has decided."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, is_external_modification_allowed=True)
        await bench.settle(HOUR)
        bench.lock.delete("20")
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle(HOUR)
        assert (await bench.shown(code_id))["status"] == "unset"
        await updated(bench, code_id, name="Bo")
        await bench.settle(HOUR)
        assert (await bench.shown(code_id))["status"] == "set"

    async def test_a_deleted_code_cannot_be_changed(self, hang: Hang) -> None:
        """While it is being removed it can still be seen."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        await bench.settle()
        await bench.do("access_codes/delete", access_code_id=code_id)
        reply = await bench.ask("access_codes/update", access_code_id=code_id, name="Bo")
        assert reply["error"]["type"] == "not_found"
        assert (await bench.shown(code_id))["status"] == "removing"


class TestDelete:
    """Off the lock first, then out of memory."""

    async def test_it_says_whether_it_is_still_there(self, hang: Hang) -> None:
        """Deleting it again succeeds while it is."""
        bench = await hang(READABLE)
        never, there = await bench.create(PIN, starts_at=instant(NOON + DAY)), await bench.create("582245")
        await bench.settle()
        deleted = await bench.do("access_codes/delete", access_code_id=never)
        assert (deleted["access_code_id"], deleted["status"]) == (never, "deleted")
        assert deleted["action_attempt"]["status"] == "success"
        removing = {"access_code_id": there, "status": "removing"}
        first = await bench.do("access_codes/delete", access_code_id=there, device_id=DOOR)
        assert first.pop("action_attempt")["status"] == "pending"
        assert first == removing
        revision = bench.snap().codes[there].revision
        assert await bench.do("access_codes/delete", access_code_id=there) == removing
        assert bench.snap().codes[there].revision == revision

    async def test_it_ends_the_waiting_after_a_failure(self, hang: Hang) -> None:
        """A person wants it gone now."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        await bench.settle(HOUR)
        waiting = replace(bench.snap().placement(code_id), retry_at=bench.clock.wall + HOUR)
        bench.store.do(lambda tx: tx.save_placement(DOOR, waiting))
        await bench.do("access_codes/delete", access_code_id=code_id)
        await bench.settle()
        assert bench.on_lock() == {}


class TestLooking:
    """By id, by PIN, all of them."""

    async def test_get_finds_by_id_or_by_lock_and_pin(self, hang: Hang) -> None:
        """The same object."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN)
        await bench.create("582245")
        by_id = await bench.do("access_codes/get", access_code_id=code_id, device_id=DOOR)
        assert await bench.do("access_codes/get", device_id=DOOR, code=PIN) == by_id

    async def test_get_by_pin_finds_the_code_that_is_not_over(self, hang: Hang) -> None:
        """Its PIN belonged to others before; of those the newest, when none is left."""
        bench = await hang(READABLE)
        ids = []
        for number in range(1, 4):
            ids.append(await bench.create(PIN, ends_at=instant(NOON + 2 * number * HOUR)))
            await bench.settle()
            found = await bench.do("access_codes/get", device_id=DOOR, code=PIN)
            assert found["access_code"]["access_code_id"] == ids[-1]
            await bench.settle(2 * HOUR + SECOND)
        found = await bench.do("access_codes/get", device_id=DOOR, code=PIN)
        assert found["access_code"]["access_code_id"] == ids[-1]

    async def test_lists_are_in_order_of_creation(self, hang: Hang) -> None:
        """Of one lock or of all."""
        bench = await hang(CHOOSER)
        ids = []
        for pin in ("693356", "582245", PIN):
            ids.append(await bench.create(pin))
            bench.clock.pass_by(SECOND)
        for params in ({}, {"device_id": DOOR}):
            listed = (await bench.do("access_codes/list", **params))["access_codes"]
            assert [shown["access_code_id"] for shown in listed] == ids
            assert [shown["code"] for shown in listed] == ["693356", "582245", PIN]

    async def test_codes_of_others_are_listed_apart(self, hang: Hang) -> None:
        """Once they were seen."""
        bench = await hang(READABLE)
        bench.by_hand("3", "998877")
        assert (await bench.do("access_codes/unmanaged/list"))["unmanaged_access_codes"] == []
        bench.clock.pass_by(MINUTE)
        await bench.do("devices/sync", device_id=DOOR)
        await bench.settle()
        [shown] = (await bench.do("access_codes/unmanaged/list", device_id=DOOR))["unmanaged_access_codes"]
        assert (shown["slot"], shown["is_managed"], shown["code"]) == ("3", False, None)


async def test_a_code_that_was_never_on_the_lock_is_told_as_deleted_when_it_is_given_up(hang: Hang) -> None:
    """Next month's guest: nothing of it stays anywhere, so nobody looks for it among the codes of others."""
    bench = await hang(READABLE)
    code_id = await bench.create("471134", starts_at=instant(NOON + 20 * DAY))
    await bench.settle(HOUR)
    bench.events()
    reply = await bench.do("access_codes/update", access_code_id=code_id, is_managed=False)
    assert (reply["status"], reply["left_behind"]) == ("deleted", [])
    assert bench.events() == ["access_code.deleted"]
