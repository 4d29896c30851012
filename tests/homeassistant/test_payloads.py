"""Discovery as Home Assistant demands it, without Home Assistant: demands.json is the list of its schemas."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET
from msgspec import json as msgspec_json
from msgspec.structs import replace

from gateway.domain.events import EVENTS
from gateway.engine import wire
from gateway.mqtt.homeassistant_payloads import Discovery
from gateway.mqtt.homeassistant_states import HubState, LockState
from gateway.mqtt.topics import Topics
from tests.homeassistant.locks import shown_lock

DEMANDS = json.loads((Path(__file__).parent / "demands.json").read_text())
DISCOVERY = Discovery(
    topics=Topics("pinsmith/hub"), gateway_id="hub", version="1.2", prefix="homeassistant", user="ha"
)
DRIVERS = ("nuki", "simulated", "zwave")
FIELD = re.compile(r"\{\{ value_json\.(\w+)(?:\.\w+)?(?: \| to_json)? \}\}")
LOCKS = {
    "with battery": shown_lock(),
    "without battery": shown_lock(battery=UNSET),
    "that tells no use": shown_lock(has_native_entry_events=False),
    "not seen yet": shown_lock(
        battery=UNSET, has_native_entry_events=UNSET, manufacturer=UNSET, model=UNSET, serial_number=UNSET
    ),
}


def payloads() -> dict[str, dict[str, Any]]:
    """Every kind of payload."""
    return {"the hub": DISCOVERY.hub({"simulated"}, DRIVERS)} | {
        name: DISCOVERY.lock(shown) for name, shown in LOCKS.items()
    }


def components(payload: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Those that are there, not those that are told to go."""
    for key, one in payload["components"].items():
        if len(one) > 1:
            yield key, one


def fits(demand: dict[str, list[str]], found: dict[str, Any]) -> None:
    """All that must be there is, and nothing that nobody knows."""
    assert set(demand["must"]) <= found.keys()
    assert found.keys() <= {*demand["must"], *demand["may"]}


def overlap(one: str, other: str) -> bool:
    """Say whether a topic may fit both filters; neither ends in `#`."""
    levels = one.split("/"), other.split("/")
    return len(levels[0]) == len(levels[1]) and all(
        a == b or "+" in {a, b} for a, b in zip(*levels, strict=True)
    )


@pytest.mark.parametrize("name", payloads())
class TestEveryPayload:
    """The hub and locks of all kinds."""

    def test_has_what_must_be_there_and_nothing_unknown(self, name: str) -> None:
        """Home Assistant drops the whole message for one, and ignores the other without a word."""
        payload = payloads()[name]
        fits(DEMANDS["device_discovery"], payload)
        fits(DEMANDS["device"], payload["device"])
        fits(DEMANDS["origin"], payload["origin"])
        assert payload["device"]["identifiers"]
        for key, one in components(payload):
            known = DEMANDS["platforms"][one["platform"]]
            fits(known, {field: value for field, value in one.items() if field != "platform"} | {"name": key})

    def test_hears_no_message_twice(self, name: str) -> None:
        """On MQTT 5 a broker delivers one for each filter that fits, and Home Assistant takes every copy."""
        filters = {
            str(one[field])
            for _, one in components(payloads()[name])
            for field in one
            if field.endswith("_topic") and field != "command_topic"
        } | {one["topic"] for one in payloads()[name]["availability"]}
        assert len(filters) >= 2
        assert [pair for pair in combinations(sorted(filters), 2) if overlap(*pair)] == []

    def test_uses_classes_that_exist(self, name: str) -> None:
        """A class that nobody knows drops the entity."""
        for _, one in components(payloads()[name]):
            if "device_class" in one:
                assert one["device_class"] in DEMANDS["device_classes"][one["platform"]]
            assert one.get("state_class", "measurement") in DEMANDS["state_classes"]
            assert one.get("entity_category", "config") in {"config", "diagnostic"}

    def test_names_every_entity_once_and_for_ever(self, name: str) -> None:
        """By lock and kind, so that neither a new name of the lock nor a restart makes another entity."""
        found = [one for _, one in components(payloads()[name])]
        ids = [one["unique_id"] for one in found]
        assert len(set(ids)) == len(ids)
        for one in found:
            assert re.fullmatch(rf"{one['platform']}\.pinsmith_[a-z0-9_]+", one["default_entity_id"])

    def test_reads_only_fields_that_there_are(self, name: str) -> None:
        """Of the state that belongs to it: a template on a missing field would show nothing."""
        payload = payloads()[name]
        kinds = {"bridge/homeassistant": HubState, "lock/front/homeassistant": LockState}
        read = 0
        for _, one in components(payload):
            for topic, template in (
                ("state_topic", "value_template"),
                ("json_attributes_topic", "json_attributes_template"),
            ):
                kind = kinds.get(str(one.get(topic)).removeprefix("pinsmith/hub/"))
                if kind is not None:
                    found = FIELD.fullmatch(one[template])
                    assert found is not None, one[template]
                    assert found[1] in kind.__struct_fields__
                    read += 1
        assert read >= 2


class TestALock:
    """What differs between locks."""

    @pytest.mark.parametrize(
        ("name", "gone"),
        [
            ("with battery", set()),
            ("without battery", {"battery"}),
            ("that tells no use", {"use", "first_use", "last_use"}),
            ("not seen yet", {"battery"}),
        ],
    )
    def test_drops_what_it_does_not_have(self, name: str, gone: set[str]) -> None:
        """With the platform alone, which takes away what was there before."""
        payload = DISCOVERY.lock(LOCKS[name])
        assert {key for key, one in payload["components"].items() if one.keys() == {"platform"}} == gone

    def test_is_available_on_two_levels_where_only_the_present_counts(self) -> None:
        """What is known stays visible while the lock does not answer, the rest does not pretend."""
        payload = DISCOVERY.lock(LOCKS["with battery"])
        both = ["pinsmith/hub/bridge/state", "pinsmith/hub/lock/front/homeassistant"]
        assert [one["topic"] for one in payload["availability"]] == both
        assert payload["availability_mode"] == "all"
        own = {key for key, one in components(payload) if "availability" in one}
        assert {"problem", "last_error", "use", "arrival_at_risk", "resync"} <= own
        assert own.isdisjoint({"in_sync", "battery", "slots_free"})
        for key in own:
            assert [one["topic"] for one in payload["components"][key]["availability"]] == both[:1]

    def test_hears_events_that_are_told_and_never_retained(self) -> None:
        """All below one pattern, of which each takes its own; the types are those of the hub."""
        shown = DISCOVERY.lock(LOCKS["with battery"])["components"]
        events = {key: one for key, one in shown.items() if one["platform"] == "event"}
        assert events.keys() == {"use", "first_use", "tamper", "outside_change", "other_code"}
        for one in events.values():
            assert one["state_topic"] == "pinsmith/hub/event/front/+"
            assert set(one["event_types"]) <= EVENTS.keys()
            assert f"value_json.event_type in {one['event_types']}" in one["value_template"]

    def test_asks_as_the_user_that_home_assistant_is(self) -> None:
        """The access list lets it give commands under its own name only."""
        button = DISCOVERY.lock(LOCKS["with battery"])["components"]["resync"]
        assert button["command_topic"] == "pinsmith/hub/request/ha/devices/sync"
        fields = re.sub(r"\{\{.*?\}\}", "x", button["command_template"])
        assert json.loads(fields) == {
            "transaction": "homeassistant-x-x",
            "expires_at": "x",
            "device_id": "front",
        }

    def test_shares_no_topic_with_a_hub_or_a_lock_of_another(self) -> None:
        """Whatever ids they have: the part between them has capitals, which no id has."""
        other = Discovery(
            topics=Topics("pinsmith/hub-a"),
            gateway_id="hub-a",
            version="1",
            prefix="homeassistant",
            user="ha",
        )
        assert DISCOVERY.lock_topic("a-b") != other.lock_topic("b")
        assert other.hub_topic != DISCOVERY.lock_topic("a")
        for topic in (DISCOVERY.hub_topic, DISCOVERY.lock_topic("a_b-c")):
            assert re.fullmatch(r"homeassistant/device/pinsmith/[a-zA-Z0-9_-]+/config", topic)


class TestTheHub:
    """Its own device."""

    def test_says_that_memory_is_in_trouble(self) -> None:
        """A lock whose row does not open keeps its last values: only here it is told that they are old."""
        one = DISCOVERY.hub({"simulated"}, DRIVERS)["components"]["storage"]
        assert (one["platform"], one["device_class"]) == ("binary_sensor", "problem")
        assert one["state_topic"] == "pinsmith/hub/bridge/health"
        assert "value_json.storage_trouble" in one["value_template"]

    def test_drops_the_links_of_drivers_that_are_not_used(self) -> None:
        """And is what the locks are reached by."""
        hub = DISCOVERY.hub({"simulated"}, DRIVERS)
        assert hub["components"]["link_zwave"] == {"platform": "binary_sensor"}
        assert hub["components"]["link_simulated"]["name"] == "Link simulated"
        assert DISCOVERY.lock(LOCKS["with battery"])["device"]["via_device"] in hub["device"]["identifiers"]

    def test_says_that_it_is_away_itself(self) -> None:
        """Everything else is unavailable then."""
        hub = DISCOVERY.hub({"simulated"}, DRIVERS)
        assert hub["components"]["online"]["availability"] == []
        assert [one["topic"] for one in hub["availability"]] == ["pinsmith/hub/bridge/state"]


def test_no_guest_is_in_any_payload() -> None:
    """Whatever errors the lock has: discovery shows what there is, not how it is."""
    error = wire.ErrorEntry(error_code="x", message="about Ada", remedy="", created_at=None)
    told = msgspec_json.encode(DISCOVERY.lock(replace(shown_lock(), errors=[error])))
    assert b"Ada" not in told
