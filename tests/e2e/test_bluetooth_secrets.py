"""Keys, PINs and ids of Bluetooth locks are told to nobody: a whole life, read byte by byte."""

import base64
from pathlib import Path

import pytest

from tests.ble_bed.doors import ADDRESSES
from tests.ble_bed.yale.lock import KEY, KEY_SLOT
from tests.e2e.bluetooth import LOCKS, PINS, Hub
from tests.e2e.secrecy import found

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]
WRONG_PIN, WRONG_KEY, MISTYPED = "8642", bytes(range(100, 116)), "997788"
BY_APP = "986532"


async def test_a_whole_life_leaks_nothing(hub: Hub) -> None:
    """Mishaps, refusals, a kill, edits from outside and a second pairing included; all loggers speak."""
    secrets: dict[str, bytes | str] = {
        "wrong security PIN": WRONG_PIN,
        "wrong key": WRONG_KEY,
        "mistyped": MISTYPED,
    }
    await wrong_keys(hub)
    await hub.pair(*LOCKS)
    secrets |= await secrets_of(hub)
    for lock in LOCKS:
        await a_life(hub, lock)
    files = all_of(hub.data)
    await hub.kill()
    files += all_of(hub.data)
    await hub.start()
    await again_with_keys(hub)
    secrets |= await secrets_of(hub)
    for lock in LOCKS:
        await hub.type("unpair", lock, "--yes")
    assert await hub.stop() == 0
    files += all_of(hub.data)
    assert b"SQLite format 3" in files
    log = hub.log.read_bytes()
    assert b" DEBUG " in log
    told = {"log": log, "files": files, "arguments": hub.arguments, "terminal": hub.printed.encode()}
    told |= {"messages": messages(hub, with_pins=True)}
    assert found(PINS[0], told["messages"]), "what may be told was not heard: nothing else would be either"
    leaks = {
        (name, where): found(secret, text) for name, secret in secrets.items() for where, text in told.items()
    }
    told["messages"] = messages(hub, with_pins=False)
    leaks |= {
        (f"PIN {number}", where): found(pin, text)
        for number, pin in enumerate((*PINS, BY_APP))
        for where, text in told.items()
    }
    assert {leak: shapes for leak, shapes in leaks.items() if shapes} == {}


async def wrong_keys(hub: Hub) -> None:
    """Pair with what is wrong, and give a PIN where none belongs."""
    await hub.order("hold_button", "cellar")
    await hub.type("pair", "nuki", "cellar", typed=[WRONG_PIN], status=1)
    await hub.type("pair", "yale", "attic", "--key-slot", str(KEY_SLOT), typed=[WRONG_KEY.hex()], status=1)
    refused = await hub.app.ask("devices/pair", device_id="cellar", given={WRONG_KEY.hex(): MISTYPED})
    assert WRONG_KEY.hex() not in str(refused)


async def a_life(hub: Hub, lock: str) -> None:
    """A code with everything that may happen to it, and codes of other people."""
    first, second, third = PINS[:3]
    code_id = await hub.create_set(lock, first)
    shown = await hub.do("access_codes/get", access_code_id=code_id)
    assert shown["access_code"]["code"] == first
    await hub.order("enter", lock, pin=first)
    await hub.order("enter", lock, pin=MISTYPED)
    await hub.order("add", lock, pin=BY_APP)
    await hub.order("let_pass", seconds=61)
    await hub.touched_until(lambda: hub.told("lock.unlocked", code_id), lock)
    await hub.order("edit", lock, old=first, new=second)
    await hub.sync(lock)
    await hub.hears("access_code.modified_external_to_gateway", code_id)
    await hub.holds(lock, first, BY_APP)
    twin = await hub.create(lock, BY_APP)
    await hub.order("break_link", lock, after=3)
    await hub.do("access_codes/update", access_code_id=code_id, code=third, name="Guest")
    await hub.order("let_pass", seconds=100)
    await hub.touched_until(lambda: hub.told("access_code.code_changed", code_id), lock)
    await hub.holds(lock, third, BY_APP)
    await hub.type("codes", "list", lock)
    for one in (code_id, twin):
        await hub.do("access_codes/delete", access_code_id=one)
    await hub.touched_until(lambda: hub.told("access_code.deleted", code_id), lock)


async def again_with_keys(hub: Hub) -> None:
    """Take the TTLock over once more, by the keys that it has now."""
    kept = await hub.order("secrets", "shed")
    await hub.order("touch", "shed")
    address = ADDRESSES["shed"]
    key = base64.b64decode(kept["key"].removeprefix("b64:")).hex()
    typed = [key, kept["admin number"], kept["unlock key"]]
    await hub.type("pair", "ttlock", "shed", "--keys", "--address", address, typed=typed)


async def secrets_of(hub: Hub) -> dict[str, bytes | str]:
    """Return what the locks and the hub share."""
    secrets: dict[str, bytes | str] = {"offline key": KEY}
    for lock in LOCKS:
        for name, secret in (await hub.order("secrets", lock)).items():
            is_key = secret.startswith("b64:")
            secrets[f"{lock}: {name}"] = base64.b64decode(secret[4:]) if is_key else secret
    assert len(secrets) >= len(("offline key", "security PIN", "key", "id", "key", "code", "admin", "unlock"))
    assert all(secrets.values())
    return secrets


def all_of(folder: Path) -> bytes:
    """Return what lies in a folder."""
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def messages(hub: Hub, *, with_pins: bool) -> bytes:
    """Return all topics and payloads but requests; replies about codes, which may have some, `with_pins`."""

    def is_private(topic: str) -> bool:
        _, _, kind, *rest = topic.split("/")
        return kind == "request" or (not with_pins and kind == "response" and rest[1] == "access_codes")

    return b"\n".join(
        one.topic.encode() + b" " + one.payload for one in hub.app.heard if not is_private(one.topic)
    )
