"""Writes docs/asyncapi.json, the MQTT interface as AsyncAPI 3.0, from the types in the code.

python -m scripts.make_asyncapi
"""

import json
import logging
import tomllib
from pathlib import Path
from typing import Any

from gateway.domain.events import EVENTS
from gateway.engine.commands.desk import VERBS, Verb
from gateway.mqtt.topics import Topics
from scripts import asyncapi_schemas as schemas
from scripts import interface_examples as examples

type Json = dict[str, Any]

PROJECT = Path(__file__).parent.parent
FILE = PROJECT / "docs" / "asyncapi.json"
_TOPICS = Topics("pinsmith/{gateway_id}")
_SENT_ONCE = {"mqtt": {"qos": 1, "retain": False, "bindingVersion": "0.2.0"}}
_RETAINED = {"mqtt": {"qos": 1, "retain": True, "bindingVersion": "0.2.0"}}
_PARAMETERS = {
    "gateway_id": {"description": "`gateway.id` of the configuration"},
    "client": {"description": "The name of who asks: 1 to 64 of letters, digits, `_` and `-`"},
    "device_id": {
        "description": "The name of a lock in the configuration; of events of the gateway itself its id"
    },
    "access_code_id": {"description": "The id that the gateway gave the code"},
    "event_type": {"description": "What happened", "enum": list(EVENTS)},
}
_STATES = {
    "bridge_state": (_TOPICS.bridge_state, "BridgeState", "Whether the gateway is there; also its will"),
    "bridge_info": (_TOPICS.bridge_info, "BridgeInfo", "What the gateway is; told with every connection"),
    "bridge_health": (
        _TOPICS.bridge_health,
        "BridgeHealth",
        "How the gateway is; told every minute, and when a trouble comes or goes",
    ),
    "bridge_homeassistant": (
        _TOPICS.below("bridge/homeassistant"),
        "HubState",
        "What Home Assistant shows of the gateway; only where discovery is on",
    ),
    "lock_homeassistant": (
        _TOPICS.below("lock/{device_id}/homeassistant"),
        "LockState",
        "What Home Assistant shows of a lock; only where discovery is on",
    ),
    "lock_state": (_TOPICS.below("lock/{device_id}/state"), "Device", "The lock as it is now"),
    "access_code_state": (
        _TOPICS.below("access_code/{access_code_id}/state"),
        "AccessCodeState",
        "The access code without its PIN; the topic is emptied when the code is gone",
    ),
}
RETAINED = tuple(address for address, _, _ in _STATES.values())
_DESCRIPTION = """\
Everything is asked and told over MQTT, below one root: `pinsmith/{gateway_id}`, or `mqtt.root` of the
configuration. Payloads are JSON, times UTC in ISO 8601 with milliseconds and `Z`, QoS 1 throughout.

Answers go to `response/{client}/{verb}`, or with MQTT 5 to the response topic of the command if that is
below `response/{client}/`. A client must expect fields, events, errors and warnings that are new to it.
What all of this means: `docs/mqtt.md`. This document is generated from the code.
"""


def document() -> Json:
    """Return the document as it should be."""
    channels: Json = {}
    operations: Json = {}
    messages: Json = {
        "refused": _message("A command was refused, and nothing was changed", schemas.refused())
    }
    for name, (address, schema, summary) in _STATES.items():
        messages[name] = _message(summary, schemas.ref(schema))
        channels[name] = _channel(address, [name])
        operations[name] = _sends(name, summary, _RETAINED)
    for event_type, kind in EVENTS.items():
        messages[f"event.{event_type}"] = _message(
            schemas.sentence(kind.when), schemas.ref(f"event.{event_type}")
        )
    events = [f"event.{event_type}" for event_type in EVENTS]
    channels["event"] = _channel(_TOPICS.event("{device_id}", "{event_type}"), events)
    operations["event"] = _sends("event", "What happened", _SENT_ONCE)
    for verb, known in VERBS.items():
        _add_command(verb, known, channels, operations, messages)
    _add_examples(messages)
    return {
        "asyncapi": "3.0.0",
        "info": _info(),
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "parameters": _PARAMETERS,
            "schemas": schemas.components(),
            "securitySchemes": {"password": {"type": "userPassword"}},
        },
    }


def _add_command(verb: str, known: Verb, channels: Json, operations: Json, messages: Json) -> None:
    """Add the channels of one verb, its messages, and that the gateway takes the one and gives the other."""
    name = verb.replace("/", ".")
    asked, answered = f"request.{name}", f"response.{name}"
    summary = schemas.first_line(known.use_case)
    messages[asked] = _message(summary, schemas.request(known))
    messages[asked]["bindings"] = {"mqtt": {"correlationData": {"type": "string"}, "bindingVersion": "0.2.0"}}
    answers = [answered, "refused"]
    messages[answered] = _message(f"Answer to {verb}", schemas.answer(known))
    if known.changes:
        messages[f"{answered}.dry_run"] = _message(
            f"Answer to {verb} with dry_run", schemas.answer(known, dry_run=True)
        )
        answers.insert(1, f"{answered}.dry_run")
    for message in [asked, *answers]:
        messages[message]["correlationId"] = {"location": "$message.payload#/transaction"}
    channels[asked] = _channel(_TOPICS.below(f"request/{{client}}/{verb}"), [asked])
    channels[answered] = _channel(_TOPICS.below(f"response/{{client}}/{verb}"), answers)
    operations[name] = {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{asked}"},
        "summary": summary,
        "tags": [{"name": verb.partition("/")[0]}],
        "bindings": _SENT_ONCE,
        "messages": [{"$ref": f"#/channels/{asked}/messages/{asked}"}],
        "reply": {
            "channel": {"$ref": f"#/channels/{answered}"},
            "messages": [{"$ref": f"#/channels/{answered}/messages/{message}"} for message in answers],
        },
    }


def _add_examples(messages: Json) -> None:
    """Show what is really sent, where the pages show it whole."""
    shown = [(f"event.{event_type}", payload) for event_type, payload in examples.of_events().items()]
    for topic, payload in examples.of_the_page():
        way, _, verb = topic.replace("/", ".").partition(".me.")
        if way == "response" and payload["status"] == "error":
            shown.append(("refused", payload))
        elif verb:
            shown.append((f"{way}.{verb}", payload))
    for name, payload in shown:
        messages[name].setdefault("examples", []).append({"payload": payload})


def _info() -> Json:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "title": "Pinsmith",
        "version": project["version"],
        "description": _DESCRIPTION,
        "license": {"name": project["license"]},
        "tags": [{"name": name} for name in dict.fromkeys(verb.partition("/")[0] for verb in VERBS)],
    }


def _servers() -> Json:
    will = {"topic": _TOPICS.bridge_state, "qos": 1, "retain": True, "message": '{"state":"offline"}'}
    binding = {"clientId": "pinsmith-{gateway_id}", "cleanSession": False, "lastWill": will}
    server = {
        "protocolVersion": "5.0",
        "variables": {"host": {"default": "localhost", "description": "Where the broker is"}},
        "security": [{"$ref": "#/components/securitySchemes/password"}],
        "bindings": {"mqtt": binding | {"bindingVersion": "0.2.0"}},
    }
    described = "{}. MQTT 3.1.1 works too, without response topic and correlation data"
    return {
        "plain": {"host": "{host}:1883", "protocol": "mqtt", "description": described.format("Unencrypted")}
        | server,
        "encrypted": {"host": "{host}:8883", "protocol": "mqtts", "description": described.format("With TLS")}
        | server,
    }


def _channel(address: str, messages: list[str]) -> Json:
    used = [name for name in _PARAMETERS if f"{{{name}}}" in address]
    return {
        "address": address,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "parameters": {name: {"$ref": f"#/components/parameters/{name}"} for name in used},
    }


def _sends(channel: str, summary: str, bindings: Json) -> Json:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "bindings": bindings,
    }


def _message(summary: str, payload: Json) -> Json:
    return {"summary": summary, "payload": payload}


def text() -> str:
    """Return the file as it should be."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    logging.disable()  # what the engine says while the examples come about
    FILE.write_text(text(), encoding="utf-8")
