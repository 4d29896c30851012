"""The schemas of docs/asyncapi.json: those of the types in the code, and the envelopes around them."""

import inspect
import typing
from collections.abc import Callable
from typing import Any

import msgspec

from gateway.domain.catalogue import CATALOGUE
from gateway.domain.errors import CommandError
from gateway.domain.events import EVENTS, EventKind
from gateway.engine import told, wire
from gateway.engine.commands.desk import VERBS, Verb
from gateway.engine.replies import PlanView
from gateway.mqtt.homeassistant_states import HubState, LockState

type Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_TOLD = (
    told.EventEnvelope,
    told.EventFields,
    told.BridgeState,
    told.BridgeInfo,
    told.BridgeHealth,
    wire.Device,
    wire.AccessCodeState,
    PlanView,
    HubState,
    LockState,
)
_TRANSACTION: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": 128,
    "description": "New for every command that changes something; a repeat gets the stored answer",
}
_EXPIRES_AT: Json = {
    "type": ["string", "null"],
    "format": "date-time",
    "description": "The command is refused with `expired` when it comes later",
}
_DRY_RUN: Json = {
    "type": "boolean",
    "default": False,
    "description": "Change nothing, and answer what would happen",
}


def ref(name: str) -> Json:
    """Return a reference to a schema of the document."""
    return {"$ref": _REF.format(name=name)}


def first_line(documented: Callable[..., object]) -> str:
    """Return the first line of a docstring."""
    return (inspect.getdoc(documented) or "").partition("\n")[0]


def sentence(text: str) -> str:
    """Return a text of the code with a capital letter at its beginning."""
    return text[0].upper() + text[1:]


def replies(known: Verb) -> list[Any]:
    """Return the types a command may be answered with: what its use case returns."""
    returned = typing.get_type_hints(known.use_case)["return"]
    return list(typing.get_args(returned)) or [returned]


def request(known: Verb) -> Json:
    """Return the schema of a command: its parameters, and what goes with every command."""
    _, found = _schemas([known.params])
    plain: Json = found[known.params.__name__]
    envelope = {"transaction": _TRANSACTION, "expires_at": _EXPIRES_AT}
    if known.changes:
        envelope["dry_run"] = _DRY_RUN
    else:
        envelope["transaction"] = _TRANSACTION | {"type": ["string", "null"]}
    required = (["transaction"] if known.changes else []) + plain["required"]
    return plain | {"properties": envelope | plain["properties"], "required": required}


def answer(known: Verb, *, dry_run: bool = False) -> Json:
    """Return the schema of the answer to a command that was carried out, or only tried."""
    kinds = [ref(reply.__name__) for reply in replies(known)]
    data: Json = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    if dry_run:
        data = _object(
            {
                "dry_run": {"const": True},
                "would_reply": data,
                "plans": {"type": "array", "items": ref("PlanView")},
            }
        )
    transaction: Json = {"type": "string" if known.changes else ["string", "null"]}
    return _object(
        {"transaction": transaction, "status": {"const": "ok"}, "data": data, "error": {"type": "null"}}
    )


def refused() -> Json:
    """Return the schema of the answer to a command that was refused."""
    return _object(
        {
            "transaction": {"type": ["string", "null"]},
            "status": {"const": "error"},
            "data": {"type": "null"},
            "error": ref("CommandError"),
        }
    )


def components() -> Json:
    """Return every schema that has a name, sorted."""
    named: list[Any] = [reply for known in VERBS.values() for reply in replies(known)]
    _, found = _schemas([*dict.fromkeys(named), *_TOLD])
    _, asked = _schemas([known.params for known in VERBS.values()])
    # Those of commands themselves are part of the messages, with the envelope.
    parts = asked.keys() - {known.params.__name__ for known in VERBS.values()}
    found |= {name: asked[name] for name in parts}
    envelope, fields = found.pop("EventEnvelope"), found.pop("EventFields")["properties"]
    for kind in EVENTS.values():
        found[f"event.{kind.event_type}"] = _event(kind, envelope, fields)
    found["Event"] = {
        "description": "One of all events",
        "anyOf": [ref(f"event.{event_type}") for event_type in EVENTS],
    }
    found["EventsReply"]["properties"]["events"]["items"] = ref("Event")
    found["EventReply"]["properties"]["event"] = ref("Event")
    for entry, level in (("ErrorEntry", "error"), ("WarningEntry", "warning")):
        codes = [kind.code for kind in CATALOGUE.values() if kind.level == level]
        found[entry]["properties"][f"{level}_code"]["enum"] = codes
    found["CommandError"] = _command_error()
    return dict(sorted(found.items()))


def _schemas(types: list[Any]) -> tuple[Any, Json]:
    return msgspec.json.schema_components(types, ref_template=_REF)


def _event(kind: EventKind, envelope: Json, fields: Json) -> Json:
    """Return the schema of one type of event: the envelope and its own fields, all of them always there."""
    own = {name: fields[name] for name in kind.fields}
    for level in ("error_code", "warning_code"):
        if level in own:
            codes = [issue.code for issue in CATALOGUE.values() if issue.event == kind.event_type]
            own[level] = {"type": "string", "enum": codes}
    is_type = {"event_type": {"const": kind.event_type}}
    return _object(envelope["properties"] | is_type | own) | {"description": sentence(kind.when)}


def _command_error() -> Json:
    kinds = CommandError.__subclasses__()
    listed = "\n".join(f"- `{kind.type}`: {first_line(kind)}" for kind in kinds)
    return _object(
        {
            "type": {"type": "string", "enum": [kind.type for kind in kinds]},
            "message": {"type": "string", "description": "For people; never repeats a value"},
            "data": {"type": "object", "description": "For programs, such as the `field` that is wrong"},
        }
    ) | {"description": f"Why a command was refused.\n\n{listed}"}


def _object(properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}
