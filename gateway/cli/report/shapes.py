"""Which fields of what the daemon tells, and of the settings, may be handed on."""

import types
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from ipaddress import ip_address
from typing import Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from gateway.cli.report.scrub import Scrub
from gateway.config import BrokerUrl
from gateway.domain.catalogue import CATALOGUE
from gateway.engine import replies, told, wire

_PRIVATE = frozenset(
    {"appearance", "client", "common_code_key", "generated_code", "name", "result", "serial_number"}
)
"""Names of people and things, and what clients call themselves."""
_FROM_FACTORY = frozenset({"manufacturer", "model", "version"})
"""Their digits say something; known secrets are taken out of them as well."""
_BY_NAME = frozenset({"counters", "drivers", "problems", "locks"})
"""Mappings whose keys are data: ids of locks, names of drivers."""


def _fields() -> frozenset[str]:
    found: set[str] = set()
    for module in (replies, told, wire):
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, Struct):
                found.update(field.encode_name for field in msgspec.structs.fields(kind))
    return frozenset(found - _PRIVATE)


_HARMLESS = _fields()


def told_by_daemon(value: object, scrub: Scrub, key: str = "") -> object:
    """Return what may be handed on of an answer, an event or a retained state."""
    match value:
        case Mapping():
            open_ended = key in _BY_NAME
            return {
                scrub.known(str(name)): told_by_daemon(inner, scrub, "" if open_ended else str(name))
                for name, inner in value.items()
                if open_ended or name in _HARMLESS
                # A PIN has the same name as the code of an error.
                if name != "code" or str(inner) in CATALOGUE
            }
        case list() | tuple():
            return [told_by_daemon(inner, scrub, key) for inner in value]
        case str():
            return scrub.known(value) if key in _FROM_FACTORY else scrub.text(value)
        case _:
            return value


def settings(value: object) -> object:
    """Return settings without any text that somebody made up: such a text is only said to be there."""
    match value:
        case BrokerUrl():
            return {"scheme": value.scheme, "host": _kind_of_host(value.host), "port": value.port}
        case Struct():
            hints = get_type_hints(type(value), include_extras=False)
            return {
                field.name: _setting(getattr(value, field.name), hints[field.name], field.name)
                for field in msgspec.structs.fields(type(value))
            }
        case _:
            return _setting(value, object, "")


def _setting(value: object, kind: object, name: str) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case timedelta():
            return f"{value.total_seconds():g}s"
        case ZoneInfo():
            return value.key
        case BrokerUrl() | Struct():
            return settings(value)
        case list() | tuple() | set() | frozenset():
            return list(value) if all(isinstance(one, int) for one in value) else {"entries": len(value)}
        case str() if name == "url":
            parts = urlsplit(value)
            return {"scheme": parts.scheme, "host": _kind_of_host(parts.hostname or ""), "port": parts.port}
        case str() if value in _choices(kind):
            return value
        case _:
            return "set"


def _choices(kind: object) -> tuple[Any, ...]:
    """Return the values of a setting that can only be one of a few; none where anything can be typed."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    if isinstance(kind, types.UnionType):
        return tuple(choice for one in get_args(kind) for choice in _choices(one))
    return tuple(kind) if isinstance(kind, type) and issubclass(kind, Enum) else ()


def _kind_of_host(host: str) -> str:
    """Say where a host is, and not which it is."""
    if host == "localhost":
        return "loopback"
    try:
        address = ip_address(host)
    except ValueError:
        return "a name"
    if address.is_loopback:
        return "loopback"
    return "a private address" if address.is_private else "a public address"
