"""Bluetooth: listens for locks, without connecting to any, and asks which are ours."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from drivers.ble.survey import HeardLock, listen_for_locks, look_for_bluetooth
from drivers.ble.yale.settings import YaleLockSettings
from gateway.cli.init.draft import LockDraft
from gateway.cli.init.locks import ask_name_and_id, ask_slots
from gateway.cli.init.questions import Questions
from gateway.cli.output import plain
from gateway.doctor.bluetooth import check_bluetooth
from gateway.doctor.finding import Severity

LISTEN_S = 10.0
NEAR_DBM = -80
"""Weaker ones may well be a neighbour's."""
_FAMILIES = {"nuki": "Nuki", "yale": "Yale or August", "ttlock": "TTLock"}


def hear_locks(questions: Questions) -> list[HeardLock]:
    """Listen as often as the person likes; return the locks that were heard, the strongest first."""
    questions.heading("Bluetooth")
    with questions.progress("Looking for an adapter"):
        facts = asyncio.run(look_for_bluetooth())
    findings = list(check_bluetooth(facts, None))
    questions.findings(findings)
    if any(finding.severity is Severity.PROBLEM for finding in findings):
        questions.say("So no Bluetooth locks are looked for. If you have none, nothing is to be done.")
        return []
    questions.say("Nuki, Yale, August and TTLock can be heard. TTLocks sleep: touch their keypads meanwhile.")
    heard: dict[str, HeardLock] = {}
    ask, default = f"Listen for locks for {LISTEN_S:.0f} s", True
    while questions.yes(ask, default=default):
        with questions.progress("Listening"):
            found = asyncio.run(listen_for_locks(LISTEN_S))
        if found is None:
            questions.say("The adapter cannot listen now; another program may use it.")
        heard |= {lock.address: lock for lock in found or ()}
        questions.list([describe(lock) for lock in heard.values()] or ["no lock was heard"])
        ask, default = "Listen again", False
    return sorted(heard.values(), key=lambda lock: -lock.rssi)


def ask_heard(
    questions: Questions, heard: Sequence[HeardLock], taken: Collection[str]
) -> Iterator[LockDraft]:
    """Ask of every lock that was heard whether to manage it. `taken` are ids of other locks."""
    ids = set(taken)
    for lock in heard:
        questions.list(["", describe(lock)])
        if not questions.yes("Is it yours, and to be managed", default=lock.rssi >= NEAR_DBM):
            continue
        name, device_id = ask_name_and_id(questions, lock.name or _FAMILIES[lock.family], ids)
        ids.add(device_id)
        yield LockDraft(
            id=device_id,
            settings={"name": name, "driver": lock.family} | _particular(questions, lock),
            found_as=plain(describe(lock)),
            pair=_pairing(lock, device_id),
        )


def describe(lock: HeardLock) -> str:
    """Return a lock in one line."""
    parts = [
        _FAMILIES[lock.family],
        lock.name,
        lock.address,
        f"{lock.rssi} dBm",
        "waits to be paired" if lock.is_pairing else None,
    ]
    return ", ".join(part for part in parts if part)


def _particular(questions: Questions, lock: HeardLock) -> dict[str, Any]:
    match lock.family:
        case "nuki":
            question = "  Is a Nuki Bridge, or its own Wi-Fi or Thread, in use"
            return {"register_as": "app" if questions.yes(question, default=False) else None}
        case "yale":
            # The address may be one that changes; the name is made of the serial number.
            found_by = {"bluetooth_name": plain(lock.name)} if lock.name else {"address": lock.address}
            count = YaleLockSettings(address=lock.address).slots
            return found_by | {"managed_slots": ask_slots(questions, count)}
    return {}


def _pairing(lock: HeardLock, device_id: str) -> str:
    match lock.family:
        case "nuki":
            return f"pair nuki {device_id} --address {lock.address}"
        case "yale":
            return f"pair yale {device_id} --key-slot N"
    return f"pair ttlock {device_id}"
