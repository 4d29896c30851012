"""Puts probes and checks together. Radio libraries are loaded only where a configured lock needs them."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.config import Settings
from gateway.doctor.broker import as_of_now, check_broker
from gateway.doctor.finding import Finding, Severity
from gateway.doctor.locks import DRIVER_SAYS, check_lock
from gateway.doctor.machine import check_clock, check_disk
from gateway.doctor.memory import check_memory
from gateway.doctor.probe_broker import BrokerFacts, probe_broker
from gateway.doctor.probe_files import files_closed, files_open, user_of
from gateway.doctor.probe_machine import probe_clock, probe_disk
from gateway.doctor.probe_memory import MemoryFacts, probe_memory
from gateway.doctor.smells import FILE_CLOSED, check_settings

LISTEN_S = 6.0
"""How long Bluetooth locks are listened for while no daemon does it."""


async def examine(
    settings: Settings, *, client: str, credentials: Path | None, lock: str | None = None
) -> list[Finding]:
    """Look at everything, or at one lock, the way to it and what troubles the whole hub; worst first.

    `client` is the level of request topics that is ours, `credentials` what systemd names in
    $CREDENTIALS_DIRECTORY.
    """
    memory, broker = await asyncio.gather(
        asyncio.to_thread(probe_memory, settings.gateway.data_directory, credentials),
        asyncio.to_thread(_visit_broker, settings, client),
    )
    broker = as_of_now(broker, runs_here=memory.runs_here)
    ways, found = {lock}, list(_of_hub(settings, memory, broker))
    if settings.zwave_locks:
        found += await _of_zwave(settings, memory)
        ways |= {"zwave"} if lock in settings.zwave_locks else set()
    if any(_bluetooth_locks(settings)):
        found += await _of_bluetooth(settings, memory, broker)
        ways |= {"bluetooth"} if lock in _bluetooth_locks(settings) else set()
    found += _of_locks(settings, memory, broker, troubled={one.where for one in found if _is_bad(one)})
    if lock is not None:
        others = {*settings.policies, *(device.device_id for device in memory.devices)} - {lock}
        found = [one for one in found if one.where in ways or (_is_bad(one) and one.where not in others)]
    return sorted(found, key=lambda one: -list(Severity).index(one.severity))


def _visit_broker(settings: Settings, client: str) -> BrokerFacts:
    if settings.unseen:
        return BrokerFacts(failure="not_visited")
    return probe_broker(settings.mqtt, settings.topic_root, client)


def _of_hub(settings: Settings, memory: MemoryFacts, broker: BrokerFacts) -> Iterator[Finding]:
    clock = probe_clock()
    directory = settings.gateway.data_directory
    yield from check_settings(settings, memory.devices, files_open(settings))
    yield from _of_files(settings, memory)
    yield from check_clock(
        clock,
        policy=settings.clock.untrusted_policy,
        step=settings.clock.step,
        floor=memory.floor,
        zone=settings.gateway.time_zone.key,
        # Another hub of our name may answer, on a machine of its own.
        trusted=broker.clock_trusted and memory.runs_here is not False,
    )
    yield from check_disk(probe_disk(directory))
    yield from check_memory(memory, directory)
    yield from check_broker(
        broker,
        url=settings.mqtt.url,
        version=settings.mqtt.version,
        has_user=settings.mqtt.username is not None,
        has_password=settings.mqtt.password_file is not None,
        gateway=settings.gateway.id,
        runs_here=memory.runs_here,
        now=clock.now,
    )


def _of_files(settings: Settings, memory: MemoryFacts) -> Iterator[Finding]:
    """Root may read everything: what counts is the user of the daemon, whose data directory it is."""
    if memory.directory is not None and (user := user_of(memory.directory.owner)) is not None:
        for file in files_closed(settings, memory.directory.owner):
            yield FILE_CLOSED.found("configuration", user=user.pw_name, file=file)


async def _of_zwave(settings: Settings, memory: MemoryFacts) -> list[Finding]:
    from gateway.doctor.probe_zwave import probe_server  # noqa: PLC0415 - loads a radio library
    from gateway.doctor.zwave import check_node, check_server  # noqa: PLC0415 - same

    url = settings.zwave.url
    server, local = await probe_server(settings.zwave)
    found = list(check_server(server, local, url))
    pinned = {device.device_id: device.identity for device in memory.devices}
    if server.failure is None:
        for name, lock in settings.zwave_locks.items():
            found += check_node(name, lock, server.nodes, pinned.get(name))
    return found


async def _of_bluetooth(settings: Settings, memory: MemoryFacts, broker: BrokerFacts) -> list[Finding]:
    from drivers.ble.survey import listen_for_locks, look_for_bluetooth  # noqa: PLC0415 - loads a radio library
    from gateway.doctor.bluetooth import check_bluetooth, check_reach, check_silence  # noqa: PLC0415 - with it

    adapter = settings.ble.adapter
    found = list(check_bluetooth(await look_for_bluetooth(), adapter))
    if any(_is_bad(one) for one in found):
        return found
    if broker.state == "online":
        reached = _told(broker, "ble").get("locks") or {}
    else:
        serials = {device.device_id: device.identity.serial for device in memory.devices if device.identity}
        heard = await listen_for_locks(LISTEN_S, adapter)
        reached = {
            name: {"rssi": one.rssi, "heard_ago_s": 0}
            for one in heard or ()
            for name in _bluetooth_locks(settings)
            if _is_meant(settings, name, one.address, one.name or "", serials.get(name))
        }
        if heard is not None:
            # A lock without a number was never paired, which is said elsewhere: nobody knows it when heard.
            silent = {*settings.yale_locks, *(name for name in serials if serials[name])} - {*reached}
            found += [
                check_silence(name, LISTEN_S, sleeps=_sleeps(settings, name))
                for name in _bluetooth_locks(settings)
                if name in silent
            ]
    for name, figures in reached.items():
        silent_after_s = settings.ble.silent_after_s
        found += check_reach(name, figures, silent_after_s, sleeps=_sleeps(settings, name))
    return found


def _of_locks(
    settings: Settings, memory: MemoryFacts, broker: BrokerFacts, *, troubled: set[str]
) -> Iterator[Finding]:
    if not memory.key_fits:
        return  # Nothing is known of them, which is said elsewhere.
    known = {device.device_id: device for device in memory.devices}
    now = datetime.now(UTC)
    for name in dict.fromkeys((*settings.policies, *known)):
        yield from check_lock(
            name,
            known.get(name),
            memory.issues.get(name, ()),
            configured=name in settings.policies,
            codes=memory.codes.get(name),
            now=now,
        )
    for driver in ("zwave", "ble"):
        for name, why in (_told(broker, driver).get("problems") or {}).items():
            if name not in troubled:
                yield DRIVER_SAYS.found(name, why=why)


def _told(broker: BrokerFacts, driver: str) -> Mapping[str, Any]:
    """Return what the running daemon says of a driver, where we may read it."""
    if broker.state != "online" or broker.health is None:
        return {}
    told = (broker.health.get("drivers") or {}).get(driver)
    return told if isinstance(told, dict) else {}


def _bluetooth_locks(settings: Settings) -> tuple[str, ...]:
    return (*settings.nuki_locks, *settings.yale_locks, *settings.ttlock_locks)


def _sleeps(settings: Settings, lock: str) -> bool:
    """Say whether a lock is silent until somebody touches it."""
    ttlock = settings.ttlock_locks.get(lock)
    return ttlock is not None and ttlock.reach == "on_touch"


def _is_meant(settings: Settings, lock: str, address: str, name: str, serial: str | None) -> bool:
    yale = settings.yale_locks.get(lock)
    if yale is not None:
        return address == (yale.address or "").upper() or name == yale.bluetooth_name
    if not serial:
        return False
    if lock in settings.ttlock_locks:
        return address == serial
    # A Nuki's name ends with its number.
    return lock in settings.nuki_locks and name.upper().endswith(serial)


def _is_bad(finding: Finding) -> bool:
    return finding.severity is Severity.PROBLEM
