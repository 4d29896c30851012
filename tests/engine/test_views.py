"""The objects that clients see (rule 9: a PIN stands in the reply to who asked, nowhere else)."""

from collections.abc import Iterator
from datetime import timedelta, timezone
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from drivers.simulated.models import CHOOSER, MASKED, READABLE, WRITE_ONLY, Model
from gateway.domain.credential import Evidence, Unreadable
from gateway.domain.driver import SlotTouched
from gateway.domain.issues import Issue
from gateway.domain.lock import Device, Link
from gateway.engine import views
from tests.engine.bench import Bench
from tests.engine.build import (
    CAN_CHOOSE,
    DOOR,
    HOUR,
    MINUTE,
    NOON,
    TIMING,
    code,
    credential,
    device,
    held,
    known,
    slot,
    snapshot,
    view,
)
from tests.engine.conftest import Hang

PIN, THEIRS = "471134", "998877"
OF_LOCK = Issue(code="device_disconnected", message="the lock does not answer", created_at=NOON)
OF_CODE = Issue(code="unable_to_confirm_code", message="sent", access_code_id="ana", created_at=NOON)
WARNING = Issue(code="device_paused", message="paused")


def texts(found: object) -> Iterator[str]:
    """Walk any object and return every text and number in it, keys too."""
    if isinstance(found, dict):
        for key, value in found.items():
            yield str(key)
            yield from texts(value)
    elif isinstance(found, list | tuple | set):
        for value in found:
            yield from texts(value)
    else:
        yield str(found)


def retained(bench: Bench, *, names: bool) -> dict[str, dict[str, Any]]:
    """Return the retained topics."""
    t = bench.guard.view()
    return bench.store.do(lambda tx: views.retained_states(tx, DOOR, t, TIMING, publish_names=names))


class TestSecrets:
    """Nothing that is published holds digits, at any depth."""

    @pytest.mark.parametrize("model", [READABLE, MASKED, WRITE_ONLY, CHOOSER], ids=lambda m: m.name)
    async def test_no_retained_topic_no_event_and_no_list_of_others_holds_a_pin(
        self, hang: Hang, model: Model
    ) -> None:
        """Of a lock with a code of ours, one of others, a changed one, and trouble."""
        bench = await hang(model)
        await bench.create(PIN, name="Ana")
        bench.by_hand("3" if model is not CHOOSER else None, THEIRS, name=None)
        await bench.settle(HOUR)
        await bench.tell(SlotTouched(device_id=DOOR, slot=None))
        await bench.settle(HOUR)
        published: list[object] = [retained(bench, names=names) for names in (True, False)]
        published.append(bench.store.do(lambda tx: [msgspec.to_builtins(e) for e in tx.undelivered(1000)]))
        published += [
            await bench.do(verb) for verb in ("access_codes/unmanaged/list", "devices/list", "plan/get")
        ]
        published.append(await bench.do("events/list"))
        found = list(texts(published))
        assert len(found) > 100
        assert not [text for text in found if PIN in text or THEIRS in text]

    async def test_guests_are_named_in_retained_topics_only_when_asked(self, hang: Hang) -> None:
        """`mqtt.publish_names` is off by default: names and dates stay at home."""
        bench = await hang(READABLE)
        code_id = await bench.create(PIN, name="Ana", ends_at=views.instant(NOON + HOUR))
        await bench.settle()

        topic = f"access_code/{code_id}/state"
        assert set(retained(bench, names=False)) == {f"lock/{DOOR}/state", topic}
        hidden, shown = retained(bench, names=False)[topic], retained(bench, names=True)[topic]
        assert set(shown) - set(hidden) == {"name", "appearance", "starts_at", "ends_at"}
        assert "code" not in shown

    async def test_a_lock_that_is_not_there_has_no_topics(self, hang: Hang) -> None:
        """Asking does not fail."""
        bench = await hang(READABLE)
        assert (
            bench.store.do(lambda tx: views.retained_states(tx, "?", view(), TIMING, publish_names=True))
            == {}
        )


class TestAccessCode:
    """The access code object."""

    def test_it_says_what_is_known_and_how_well(self) -> None:
        """Field by field."""
        placed = held(content=credential(name="Ana 2"), evidence=Evidence.USED)
        snap = snapshot(device(CAN_CHOOSE), code(), placed)
        shown = views.access_code(code(), snap, [OF_LOCK, OF_CODE, WARNING], view(), TIMING)
        assert shown == {
            "access_code_id": "ana",
            "device_id": DOOR,
            "name": "Ana",
            "appearance": {"name": "Ana 2"},
            "type": "ongoing",
            "status": "set",
            "starts_at": None,
            "ends_at": None,
            "is_managed": True,
            "is_scheduled_on_device": False,
            "is_external_modification_allowed": False,
            "prefer_native_scheduling": True,
            "is_waiting_for_code_assignment": False,
            "slot": "20",
            "evidence": "used",
            "confirmed_at": "2026-07-01T11:00:00.000Z",
            "created_at": "2026-07-01T11:00:00.000Z",
            "errors": [
                {
                    "error_code": "device_disconnected",
                    "message": "the lock does not answer",
                    "remedy": OF_LOCK.kind.remedy,
                    "created_at": "2026-07-01T12:00:00.000Z",
                    "is_device_error": True,
                }
            ],
            "warnings": [
                {
                    "warning_code": "unable_to_confirm_code",
                    "message": "sent",
                    "remedy": OF_CODE.kind.remedy,
                    "created_at": "2026-07-01T12:00:00.000Z",
                }
            ],
            "code": "4711",
        }

    def test_without_pin_is_the_same_without_it(self) -> None:
        """And one code does not show the errors of another."""
        snap = snapshot(code())
        other = replace(OF_CODE, access_code_id="bo")
        shown = views.without_pin(code(), snap, [other], view(), TIMING)
        assert views.access_code(code(), snap, [other], view(), TIMING) == shown | {"code": "4711"}
        assert (shown["errors"], shown["warnings"]) == ([], [])
        assert (shown["slot"], shown["evidence"], shown["appearance"]) == (None, None, None)

    def test_an_error_of_its_own_says_so(self) -> None:
        """With the data of the error beside it."""
        issue = Issue(code="failed_to_expire", message="m", access_code_id="ana", data={"x": 1})
        [entry] = views.without_pin(code(), snapshot(code()), [issue], view(), TIMING)["errors"]
        assert entry["is_access_code_error"] is True
        assert entry["x"] == 1
        assert entry["created_at"] is None

    def test_times_are_utc_with_milliseconds(self) -> None:
        """Whatever zone they came in."""
        there = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
        assert views.instant(there + timedelta(microseconds=1999)) == "2026-07-01T12:00:00.001Z"
        assert views.instant(None) is None


class TestUnmanaged:
    """A code of others."""

    @pytest.mark.parametrize("readable", [True, False])
    def test_it_says_whether_its_digits_are_known_and_not_which(self, *, readable: bool) -> None:
        """Its PIN is theirs."""
        reading = known(THEIRS, name="Cleaner") if readable else Unreadable()
        shown = views.unmanaged(
            DOOR, slot("3", reading, unmanaged_id="u", unmanaged_since=NOON), [OF_LOCK, WARNING]
        )
        assert (shown["access_code_id"], shown["slot"], shown["is_managed"]) == ("u", "3", False)
        assert (shown["is_code_known"], shown["name"]) == (readable, "Cleaner" if readable else None)
        assert [entry["error_code"] for entry in shown["errors"]] == ["device_disconnected"]
        assert THEIRS not in "".join(texts(shown))


class TestDevice:
    """The lock object."""

    def test_counts_add_up(self) -> None:
        """Slots are free, taken or not read yet."""
        snap = snapshot(
            code(), held(), slot("20", known()), slot("19", known(THEIRS), unmanaged_id="u"),
            slot("18"), slot("17"), replace(slot("16"), reading=None),
        )  # fmt: skip
        assert views.device(snap, [])["counts"] == {
            "access_codes": 1,
            "on_lock": 1,
            "unmanaged": 1,
            "managed_slots": 20,
            "slots_free": 2,
            "slots_not_read_yet": 16,
        }

    def test_a_lock_that_nobody_saw_has_few_properties(self) -> None:
        """And one that is not configured any more goes by its id."""
        shown = views.device(
            snapshot(device(None, policy=None, seen_identity=None)), [OF_LOCK, WARNING, OF_CODE]
        )
        assert (shown["name"], shown["driver"], shown["capabilities_supported"]) == (DOOR, None, [])
        assert set(shown["properties"]) == {"online", "online_since"}
        assert [entry["error_code"] for entry in shown["errors"]] == ["device_disconnected"]
        assert [entry["warning_code"] for entry in shown["warnings"]] == ["device_paused"]

    def test_a_lock_in_use_shows_what_it_can_do(self) -> None:
        """Codes, constraints, battery, identity, pause."""
        lock = device(CAN_CHOOSE, battery=0.5, link_since=NOON, paused_until=NOON + MINUTE)
        shown = views.device(snapshot(lock), [])
        properties = shown["properties"]
        assert properties["battery"] == {"level": 0.5}
        assert properties["supported_code_lengths"] == [6]
        assert properties["code_constraints"] == [{"constraint_type": "cannot_start_with_12"}]
        assert properties["serial_number"] == "17"
        assert (shown["is_paused"], shown["paused_until"]) == (True, "2026-07-01T12:01:00.000Z")

    @pytest.mark.parametrize(
        ("lock", "online"),
        [
            (device(), True),
            (device(link=Link.UNREACHABLE), False),
            (device(authority_lost_at=NOON), False),
        ],
    )
    def test_online_means_that_server_and_lock_answer(self, lock: Device, *, online: bool) -> None:
        """Both."""
        assert views.device(snapshot(lock), [])["properties"]["online"] is online
