"""Reads the tables of the drivers and of the locks."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from drivers.ble.nuki.settings import NukiLockSettings
from drivers.ble.ttlock.settings import TTLockSettings
from drivers.ble.yale.settings import YaleLockSettings
from drivers.simulated.settings import SimulatedLockSettings
from drivers.zwave.settings import ZwaveLockSettings
from gateway.config import values
from gateway.config.errors import Unexpected
from gateway.config.reader import Reader
from gateway.domain.lock import LockPolicy

_ID = re.compile(r"[a-z0-9_-]{1,32}")
FROM_DRIVER = frozenset({"pin_rules"})
"""What the settings of a driver say for the policy of a lock; nobody configures it."""
_POLICY = frozenset(entry.name for entry in msgspec.structs.fields(LockPolicy)) - FROM_DRIVER


class Locks(Struct, kw_only=True):
    """All locks read so far: the policy of each, and what its driver wants to know."""

    policies: dict[str, LockPolicy] = field(default_factory=dict)
    zwave: dict[str, ZwaveLockSettings] = field(default_factory=dict)
    simulated: dict[str, SimulatedLockSettings] = field(default_factory=dict)
    nuki: dict[str, NukiLockSettings] = field(default_factory=dict)
    yale: dict[str, YaleLockSettings] = field(default_factory=dict)
    ttlock: dict[str, TTLockSettings] = field(default_factory=dict)


LOCK_SETTINGS: Mapping[str, type[Struct]] = {
    "simulated": SimulatedLockSettings,
    "zwave": ZwaveLockSettings,
    "nuki": NukiLockSettings,
    "yale": YaleLockSettings,
    "ttlock": TTLockSettings,
}
"""The drivers there are, and what each wants to know about one lock."""


def read_locks(reader: Reader, tables: Mapping[str, Any]) -> Locks:
    """Read every `[locks.<device_id>]`; what is wrong is noted in the reader."""
    locks = Locks()
    for device_id in tables:
        at = f"locks.{device_id}"
        if not _ID.fullmatch(device_id):
            reader.wrong(at, "the id of a lock is 1 to 32 of a-z, 0-9, _ and -")
        table = reader.table(tables, device_id, "locks")
        if table is None:
            continue
        policy = reader.struct(
            LockPolicy,
            {"name": device_id} | {key: table[key] for key in table.keys() & _POLICY},
            at,
            {
                "driver": _driver,
                "managed_slots": values.slots,
                "audit": values.audit,
                "pin_length": values.pin_length,
                "backup_pool": values.backup_pool,
            },
        )
        kind = LOCK_SETTINGS.get(str(table.get("driver")))
        if kind is None:
            continue
        reader.known(table, _POLICY | {entry.name for entry in msgspec.structs.fields(kind)}, at)
        settings = reader.struct(kind, {key: table[key] for key in table.keys() - _POLICY}, at)
        if policy is not None:
            if isinstance(settings, NukiLockSettings | YaleLockSettings | TTLockSettings):
                policy = msgspec.structs.replace(policy, pin_rules=settings.pin_rules)
            locks.policies[device_id] = policy
        match settings:
            case ZwaveLockSettings():
                locks.zwave[device_id] = settings
            case SimulatedLockSettings():
                locks.simulated[device_id] = settings
            case NukiLockSettings():
                locks.nuki[device_id] = settings
            case YaleLockSettings():
                locks.yale[device_id] = settings
            case TTLockSettings():
                locks.ttlock[device_id] = settings
            case _:
                pass
    return locks


def _driver(value: object) -> str:
    if isinstance(value, str) and value in LOCK_SETTINGS:
        return value
    raise Unexpected("expected one of " + ", ".join(f'"{name}"' for name in sorted(LOCK_SETTINGS)))
