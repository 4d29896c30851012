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
from gateway.domain.placement import Snapshot
from gateway.engine import lock_views, views, wire
from gateway.engine.mutations import instant
from gateway.engine.views import CodeViews
from tests.engine.bench import Bench
from tests.engine.build import (
    CAN_CHOOSE,
    DOOR,
    HOUR,
    IDENTITY,
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


def seen(shown: object) -> Any:  # noqa: ANN401 - JSON
    """Return what a client sees of an object."""
    return msgspec.json.decode(msgspec.json.encode(shown))


def code_object(snap: Snapshot, *issues: Issue) -> dict[str, Any]:
    """Return the access code object of `ana` with its PIN."""
    found: dict[str, Any] = seen(CodeViews(snap, issues, view(), TIMING).access_code(snap.codes["ana"]))
    return found


def code_state(snap: Snapshot, *issues: Issue) -> dict[str, Any]:
    """Return the access code object of `ana` without its PIN."""
    found: dict[str, Any] = seen(CodeViews(snap, issues, view(), TIMING).state(snap.codes["ana"]))
    return found


def lock_object(snap: Snapshot, *issues: Issue) -> dict[str, Any]:
    """Return the lock object."""
    found: dict[str, Any] = seen(lock_views.device(snap, issues, view(), TIMING))
    return found


def retained(bench: Bench, *, names: bool) -> dict[str, dict[str, Any]]:
    """Return the retained topics."""
    t = bench.guard.view()
    found: dict[str, dict[str, Any]] = seen(
        bench.store.do(lambda tx: views.retained_states(tx, DOOR, t, TIMING, publish_names=names))
    )
    return found


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
        code_id = await bench.create(PIN, name="Ana", ends_at=instant(NOON + HOUR))
        await bench.settle()

        topic = f"access_code/{code_id}/state"
        assert set(retained(bench, names=False)) == {f"lock/{DOOR}/state", topic}
        hidden, shown = retained(bench, names=False)[topic], retained(bench, names=True)[topic]
        assert set(shown) - set(hidden) == {
            "name",
            "appearance",
            "starts_at",
            "ends_at",
            "recurrence",
            "first_used_at",
        }
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
        shown = code_object(snap, OF_LOCK, OF_CODE, WARNING)
        assert shown == {
            "access_code_id": "ana",
            "device_id": DOOR,
            "name": "Ana",
            "display_status": "Active",
            "is_one_time_use": False,
            "is_offline_access_code": False,
            "is_backup": False,
            "is_backup_access_code_available": False,
            "pulled_backup_access_code_id": None,
            "common_code_key": None,
            "recurrence": None,
            "first_used_at": None,
            "pending_mutations": [],
            "evidence_by": "somebody opened the door with it",
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
        shown = code_state(snap, other)
        assert code_object(snap, other) == shown | {"code": "4711"}
        assert (shown["errors"], shown["warnings"]) == ([], [])
        assert (shown["slot"], shown["evidence"], shown["appearance"]) == (None, None, None)

    def test_an_error_of_its_own_says_so(self) -> None:
        """With the data of the error beside it."""
        issue = Issue(code="failed_to_expire", message="m", access_code_id="ana", data={"managed": 1})
        [entry] = code_state(snapshot(code()), issue)["errors"]
        assert entry["is_access_code_error"] is True
        assert entry["managed"] == 1
        assert entry["created_at"] is None

    def test_times_are_utc_with_milliseconds(self) -> None:
        """Whatever zone they came in."""
        there = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
        assert instant(there + timedelta(microseconds=1999)) == "2026-07-01T12:00:00.001Z"
        assert instant(None) is None


class TestUnmanaged:
    """A code of others."""

    @pytest.mark.parametrize("readable", [True, False])
    def test_its_digits_are_told_only_to_who_asks_for_this_very_code(self, *, readable: bool) -> None:
        """Its PIN is theirs."""
        reading = known(THEIRS, name="Cleaner") if readable else Unreadable()
        theirs = slot("3", reading, unmanaged_id="u", unmanaged_since=NOON)
        shown = seen(lock_views.unmanaged(DOOR, theirs, [OF_LOCK, WARNING], view(), with_pin=False))
        assert (shown["access_code_id"], shown["slot"], shown["is_managed"]) == ("u", "3", False)
        assert (shown["code"], shown["name"]) == (None, "Cleaner" if readable else None)
        asked = lock_views.unmanaged(DOOR, theirs, [], view(), with_pin=True)
        assert asked.code == (THEIRS if readable else None)
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
        assert lock_object(snap)["counts"] == {
            "access_codes": 1,
            "on_lock": 1,
            "unmanaged": 1,
            "managed_slots": 20,
            "slots_free": 2,
            "slots_not_read_yet": 16,
            "backups_available": 0,
        }

    def test_a_lock_that_nobody_saw_has_few_properties(self) -> None:
        """And one that is not configured any more goes by its id."""
        shown = lock_object(
            snapshot(device(None, policy=None, seen_identity=None)), OF_LOCK, WARNING, OF_CODE
        )
        assert (shown["name"], shown["driver"], shown["capabilities_supported"]) == (DOOR, None, [])
        assert set(shown["properties"]) == {"online", "online_since"}
        assert [entry["error_code"] for entry in shown["errors"]] == ["device_disconnected"]
        assert [entry["warning_code"] for entry in shown["warnings"]] == ["device_paused"]

    def test_a_lock_in_use_shows_what_it_can_do(self) -> None:
        """Codes, constraints, battery, identity, pause."""
        lock = device(CAN_CHOOSE, battery=0.5, link_since=NOON, paused_until=NOON + MINUTE)
        shown = lock_object(snapshot(lock))
        properties = shown["properties"]
        assert properties["battery"] == {"level": 0.5, "status": "good"}
        assert properties["supported_code_lengths"] == [6]
        assert properties["code_constraints"][0] == {"constraint_type": "cannot_start_with_12"}
        assert properties["serial_number"] == "17"
        assert (shown["is_paused"], shown["paused_until"]) == (True, "2026-07-01T12:01:00.000Z")

    def test_the_operators_word_on_lengths_is_what_is_shown(self) -> None:
        """It is what a PIN is refused by."""
        shown = lock_object(snapshot(device(reported_lengths=(6, 4))))
        assert shown["properties"]["supported_code_lengths"] == [4, 6]

    def test_a_model_that_nobody_told_stays_away(self) -> None:
        """Instead of being guessed."""
        lock = device(CAN_CHOOSE, seen_identity=replace(IDENTITY, product=None))
        assert "model" not in lock_object(snapshot(lock))["properties"]

    def test_how_well_it_is_reached_where_the_driver_tells(self) -> None:
        """Only then: what is not known stays away."""
        reached = wire.Radio(rssi=-67, connections_tried=12, connections_succeeded=11)
        shown = seen(lock_views.device(snapshot(), [], view(), TIMING, {DOOR: reached}.get))
        assert shown["properties"]["radio"] == {
            "rssi": -67,
            "connections_tried": 12,
            "connections_succeeded": 11,
        }
        assert "radio" not in lock_object(snapshot())["properties"]

    async def test_asking_and_listening_show_the_same_reception(self) -> None:
        """`devices/get` and the retained state."""
        bench = Bench(READABLE)
        await bench.start()
        reached = wire.Radio(rssi=None, connections_tried=1, connections_succeeded=0)
        bench.engine.radio = {DOOR: reached}.get
        asked = (await bench.do("devices/get", device_id=DOOR))["device"]
        t, radio = bench.guard.view(), bench.engine.radio
        told = bench.store.do(
            lambda tx: views.retained_states(tx, DOOR, t, TIMING, publish_names=False, radio=radio)
        )
        assert seen(told)[f"lock/{DOOR}/state"] == asked
        assert asked["properties"]["radio"]["rssi"] is None
        bench.store.close()

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
        assert lock_object(snapshot(lock))["properties"]["online"] is online
