"""A real Home Assistant, a real broker with the documented access list, the daemon with two simulated locks.

`make test-homeassistant` installs the first and says where it is; without it these tests are not there.
"""

import asyncio
import contextlib
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from drivers.simulated import keypad
from gateway.domain.pin import Pin
from gateway.system_clock import SystemClock
from tests.daemon.bed import PINS, Somebody
from tests.homeassistant.bed import IN_A_HOUSE, INSTALLED, LOCKS, Hub, complaints, create, notices
from tests.homeassistant.house import PATIENCE_S, House, until
from tests.mqtt.broker import eventually
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import BedConfig, Faults, NodeConfig

pytestmark = IN_A_HOUSE
HERE = Path(__file__).parent
NODE = 2
GATE = """
[drivers.zwave]
url = "{url}"
[locks.gate]
name = "Gate"
driver = "zwave"
node = {node}
"""


async def test_the_house_shows_the_hub_and_its_locks_and_can_ask_for_a_look(
    hub: Hub, home: House, alice: Somebody, watcher: Somebody
) -> None:
    """One day: it is there, a guest comes in, somebody meddles, restarts, and in the end all is gone."""
    await the_entities_are_there(home)
    guest = await a_guest_comes_in(hub, home, alice, watcher)
    await somebody_meddles(hub, home, guest)
    await somebody_else_has_a_code(hub, home)
    await the_button_makes_the_hub_look(home, alice)
    await an_arrival_is_at_risk(home, alice, watcher)
    usual = await it_is_unavailable_without_the_hub(hub, home)
    await it_comes_back_after_a_restart_of_the_house(home, watcher, usual)
    await what_is_removed_is_gone(hub, home, alice)
    assert not any(pin in home.log() for pin in PINS)
    assert complaints(home) == []


async def test_a_lock_on_the_air_shows_its_battery_and_that_it_does_not_answer(
    hub: Hub, home: House, alice: Somebody
) -> None:
    """What is known of it stays in sight and what is wrong too; what would be untrue is unavailable."""
    gate = BedConfig(nodes=[NodeConfig(node_id=NODE, model="v2_s2", name="Gate")])
    async with ZwaveBed.start(gate) as bed:
        await hub.start(locks=GATE.format(url=bed.ws, node=NODE))
        await until(lambda: home.state("binary_sensor.pinsmith_gate_in_sync") == "on")
        await bed.battery(NODE, 42)
        await until(lambda: home.state("sensor.pinsmith_gate_battery") == "42")

        await bed.fault(NODE, Faults(dead=True))
        answer = await alice.ask("access_codes/create", device_id="gate", code=PINS[0])
        assert answer["status"] == "ok", answer
        await until(lambda: home.state("binary_sensor.pinsmith_gate_in_sync") == "unavailable")
        assert home.state("sensor.pinsmith_gate_battery") == "unavailable"
        assert home.state("binary_sensor.pinsmith_hub_online") == "on"
        await until(lambda: home.state("binary_sensor.pinsmith_gate_problem") == "on")
        assert home.state("sensor.pinsmith_gate_last_error") == "device_disconnected"

        await bed.alive(NODE)
        await until(lambda: home.state("sensor.pinsmith_gate_battery") == "42")
        await until(lambda: home.state("sensor.pinsmith_gate_codes") == "1")
        assert home.state("binary_sensor.pinsmith_gate_problem") == "off"
        await hub.stop()
    assert complaints(home) == []


async def the_entities_are_there(home: House) -> None:
    """All of them, with values and under the ids that they ask for."""
    await until(lambda: home.state("binary_sensor.pinsmith_front_in_sync") == "on")
    await until(lambda: home.state("sensor.pinsmith_front_slots_free") == "20")
    await until(lambda: home.state("sensor.pinsmith_hub_events_waiting") == "0")
    shown = {name: one["state"] for name, one in home.states().items() if ".pinsmith_" in name}
    automations = ("guests_have_arrived", "somebody_might_stand_before_a_closed_door")
    assert {home.state(f"automation.{name}") for name in automations} == {"on"}
    of_the_hub = {
        "binary_sensor.pinsmith_hub_online": "on",
        "binary_sensor.pinsmith_hub_clock_trusted": "on",
        "binary_sensor.pinsmith_hub_storage": "off",
        "binary_sensor.pinsmith_hub_link_simulated": "on",
        "sensor.pinsmith_hub_events_waiting": "0",
        "sensor.pinsmith_hub_codes_in_trouble": "0",
    }
    of_a_lock = {
        "binary_sensor.pinsmith_{}_problem": "off",
        "binary_sensor.pinsmith_{}_in_sync": "on",
        "binary_sensor.pinsmith_{}_arrival_at_risk": "off",
        "sensor.pinsmith_{}_codes": "0",
        "sensor.pinsmith_{}_last_error": "unknown",
        "sensor.pinsmith_{}_last_use": "unknown",
        "event.pinsmith_{}_use": "unknown",
        "event.pinsmith_{}_first_use": "unknown",
        "event.pinsmith_{}_tamper": "unknown",
        "event.pinsmith_{}_outside_change": "unknown",
        "event.pinsmith_{}_other_code": "unknown",
        "button.pinsmith_{}_resync": "unknown",
    }
    assert shown == of_the_hub | {
        name.format(lock): state for lock in ("front", "back") for name, state in of_a_lock.items()
    } | {"sensor.pinsmith_front_slots_free": "20", "sensor.pinsmith_back_slots_free": "1"}
    device = "device_attr('button.pinsmith_front_resync', '{}')"
    assert home.render(f"{{{{ {device.format('name')} }}}}") == "Front door"
    via = f"{{{{ device_attr({device.format('via_device_id')}, 'name') }}}}"
    assert home.render(via) == "Pinsmith hub"


async def a_guest_comes_in(hub: Hub, home: House, alice: Somebody, watcher: Somebody) -> str:
    """The code shows, its use is an event and a time, and the automation tells its first use by name."""
    code = await create(alice, watcher, device_id="front", code=PINS[0], name="Ada")
    await until(lambda: home.state("sensor.pinsmith_front_codes") == "1")
    keypad.open_door(hub.locks, "front", Pin(PINS[0]), at=SystemClock().now())
    await until(lambda: home.state("event.pinsmith_front_use") != "unknown")
    used = home.states()["event.pinsmith_front_use"]["attributes"]
    assert (used["event_type"], used["access_code_id"]) == ("lock.unlocked", code)
    await until(lambda: home.state("sensor.pinsmith_front_last_use") != "unknown")
    assert home.states()["sensor.pinsmith_front_last_use"]["attributes"]["who"] == "Ada"
    await until(lambda: home.states()["automation.guests_have_arrived"]["attributes"]["last_triggered"])
    await eventually(lambda: notices(watcher, "first-use"))
    assert notices(watcher, "first-use")[0].startswith("The code Ada was used for the first time, ")
    return code


async def somebody_meddles(hub: Hub, home: House, code: str) -> None:
    """A PIN changed at the keypad is an outside change, wrong PINs are tampering."""
    held = keypad.show(hub.locks, "front")
    slot = next(slot for slot, one in held.items() if one.pin == Pin(PINS[0]))
    keypad.set_code(hub.locks, "front", slot, Pin(PINS[1]), at=SystemClock().now())
    keypad.open_door(hub.locks, "front", Pin(PINS[2]), at=SystemClock().now())
    await until(lambda: home.state("event.pinsmith_front_tamper") != "unknown")
    # Right after an own write the lock's report counts as its echo, so the hub is told to look.
    await press(home)
    changed = "event.pinsmith_front_outside_change"
    await until(lambda: home.state(changed) != "unknown")
    attributes = home.states()[changed]["attributes"]
    assert attributes["event_type"] == "access_code.modified_external_to_gateway"
    assert attributes["access_code_id"] == code
    await until(lambda: home.state("binary_sensor.pinsmith_front_in_sync") == "on")


async def somebody_else_has_a_code(hub: Hub, home: House) -> None:
    """It is told when it is found and when it is gone."""

    def told() -> object:
        return home.states()["event.pinsmith_front_other_code"]["attributes"].get("event_type")

    slot = keypad.set_code(hub.locks, "front", None, Pin(PINS[5]), at=SystemClock().now())
    await press(home)
    await until(lambda: told() == "access_code.unmanaged.created")
    keypad.delete(hub.locks, "front", slot, at=SystemClock().now())
    await press(home)
    await until(lambda: told() == "access_code.unmanaged.removed")


async def the_button_makes_the_hub_look(home: House, alice: Somebody) -> None:
    """Each press is a command of its own, and is carried out."""
    await press(home)
    looks: list[str] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(looks) < 2:
            listed = await alice.ask("action_attempts/list", device_id="front", status="success")
            done = [one["action_type"] for one in listed["data"]["action_attempts"]]
            looks = [one for one in done if one == "SYNC_ACCESS_CODES"]


async def an_arrival_is_at_risk(home: House, alice: Somebody, watcher: Somebody) -> None:
    """The only slot is taken, and a guest arrives in half an hour: the automation tells it."""
    await create(alice, watcher, device_id="back", code=PINS[3], name="Cleaner")
    begin = datetime.now(UTC) + timedelta(minutes=45)
    late = {"starts_at": begin.isoformat(), "ends_at": (begin + timedelta(days=1)).isoformat()}
    answer = await alice.ask("access_codes/create", device_id="back", code=PINS[4], name="Grace", **late)
    assert answer["status"] == "ok", answer
    await until(lambda: home.state("binary_sensor.pinsmith_back_arrival_at_risk") == "on")
    await eventually(lambda: notices(watcher, "at-risk"))
    assert notices(watcher, "at-risk")[0].startswith("Back door: ")
    assert notices(watcher, "at-risk")[0].endswith(": Grace")
    await until(lambda: home.state("binary_sensor.pinsmith_back_problem") == "on")
    assert home.state("sensor.pinsmith_hub_codes_in_trouble") == "1"
    assert home.state("sensor.pinsmith_back_last_error") == "no_space_for_access_code_on_device"


async def it_is_unavailable_without_the_hub(hub: Hub, home: House) -> dict[str, str]:
    """Nothing is shown that nobody knows; the hub itself is shown as away. Return what is shown otherwise."""
    before = visible(home)
    await hub.stop()
    await until(lambda: home.state("binary_sensor.pinsmith_hub_online") == "off")
    shown = {one["state"] for name, one in home.states().items() if ".pinsmith_front" in name}
    assert shown == {"unavailable"}
    await hub.start()
    # Locks come and go once meanwhile: the hub has not heard of them yet when it begins.
    await until(lambda: visible(home) == before)
    return before


async def it_comes_back_after_a_restart_of_the_house(
    home: House, watcher: Somebody, usual: dict[str, str]
) -> None:
    """With the values of before, from what is retained; and it is told everything again."""
    front = "homeassistant/device/pinsmith/hub-LOCK-front/config"
    already = len(watcher.heard)
    await home.stop()
    await home.start()
    with contextlib.suppress(AssertionError):
        await until(lambda: visible(home) == usual)
    assert visible(home) == usual
    await eventually(lambda: any(one.topic == front for one in watcher.heard[already:]))


async def what_is_removed_is_gone(hub: Hub, home: House, alice: Somebody) -> None:
    """A lock that is not configured, one that is forgotten, and in the end the hub."""
    front = LOCKS.partition("[locks.back]")[0]
    await hub.start(locks=front)
    await until(lambda: not any(".pinsmith_back_" in name for name in home.states()))
    assert home.state("binary_sensor.pinsmith_front_in_sync") == "on"
    await hub.start(locks='[locks.side]\ndriver = "simulated"\n')
    await until(lambda: home.state("binary_sensor.pinsmith_side_problem") == "off")
    await until(lambda: not any(".pinsmith_front_" in name for name in home.states()))
    answer = await alice.ask("devices/forget", device_id="front")
    assert answer["status"] == "ok", answer
    await hub.start(locks=front, homeassistant="")
    await until(lambda: not any(".pinsmith_" in name for name in home.states()))


async def press(home: House) -> None:
    """Press the button."""
    button = {"entity_id": "button.pinsmith_front_resync"}
    await asyncio.to_thread(home.post, "/api/services/button/press", button)


def visible(home: House) -> dict[str, str]:
    """Return what is shown, but for when an event was, which is not kept across restarts in every version."""
    shown = home.states().items()
    return {name: one["state"] for name, one in shown if ".pinsmith_" in name and "button" not in name}


def test_what_it_demands_is_what_the_quick_tests_believe() -> None:
    """The list in demands.json is the one of this version's own schemas."""
    script = (HERE / "demands.py").read_bytes()
    answer = subprocess.run([Path(str(INSTALLED)) / "python"], input=script, capture_output=True, check=True)  # noqa: S603
    assert json.loads(answer.stdout) == json.loads((HERE / "demands.json").read_text())
