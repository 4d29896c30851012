"""What becomes of the answers: the text of a configuration, each setting with a sentence."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

type Table = Mapping[str, Any]
"""Settings by key: texts, whole numbers, true or false, and lists of these. None is left out."""

_HEAD = """\
# Written by `pinsmith init`. docs/configuration.md explains every setting there is;
# `pinsmith config check` names mistakes. No secret belongs into this file.
"""
_SENTENCES = {
    "gateway.id": "Name of this hub in MQTT topics.",
    "gateway.time_zone": "Zone of the local times that people type and see.",
    "gateway.data_directory": "Where the database and its key are kept.",
    "mqtt.url": "The broker; mqtts:// is encrypted.",
    "mqtt.version": "The protocol that this broker speaks.",
    "mqtt.username": "User at the broker, and the file with that user's password.",
    "mqtt.ca_file": "Who vouches for the broker's certificate.",
    "mqtt.cert_file": "Certificate and key of this hub.",
    "mqtt.allow_plaintext": "PINs cross the network in clear: you allowed it.",
    "drivers.zwave.url": "Where zwave-js-server listens.",
    "drivers.zwave.allow_plaintext": "PINs cross the network in clear: you allowed it.",
    "lock.node": "Number of the lock in the Z-Wave network.",
    "lock.managed_slots": "Slots that the hub may use; the others are left to people. No line: all.",
    "lock.register_as": "As a bridge the hub would take the place of a Nuki Bridge or the lock's own Wi-Fi.",
    "lock.bluetooth_name": "The name under which the lock advertises.",
}


class LockDraft(Struct, frozen=True, kw_only=True):
    """One lock."""

    id: str
    settings: Table
    found_as: str
    """What was found, for a comment."""
    pair: str | None = None
    """The command that makes hub and lock known to each other; None where nothing is to be done."""


class Draft(Struct, frozen=True, kw_only=True):
    """A whole configuration."""

    gateway: Table
    mqtt: Table
    zwave: Table
    """Empty where there is no Z-Wave."""
    locks: tuple[LockDraft, ...]


def text_of(draft: Draft) -> str:
    """Return the content of the file."""
    parts = [
        _HEAD,
        *_section("gateway", "gateway", draft.gateway),
        *_section("mqtt", "mqtt", draft.mqtt),
        *_section("drivers.zwave", "drivers.zwave", draft.zwave),
    ]
    if not draft.locks:
        parts.append(
            "\n# No lock yet: add a table [locks.<id>] for each. config.example.toml shows all kinds.\n"
        )
    for lock in draft.locks:
        parts += _section(f"locks.{lock.id}", "lock", lock.settings, lock.found_as)
    return "".join(parts)


def _section(header: str, kind: str, table: Table, about: str = "") -> Iterator[str]:
    if not table:
        return
    yield f"\n[{header}]\n"
    if about:
        yield f"# {about}\n"
    for key, value in table.items():
        if value is None:
            continue
        sentence = _SENTENCES.get(f"{kind}.{key}")
        if sentence is not None:
            yield f"# {sentence}\n"
        # TOML's texts are JSON's, but for DEL, which `plain` has taken out of what was typed or heard.
        yield f"{key} = {json.dumps(value, ensure_ascii=False)}\n"
