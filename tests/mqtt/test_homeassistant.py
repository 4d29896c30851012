"""What is retained for Home Assistant: told, told again when it starts, and taken back when it is gone."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Settings
from gateway.domain.clock import TimeView
from gateway.domain.store import LastingFailure, Tx
from gateway.mqtt.homeassistant import HomeAssistant
from gateway.mqtt.homeassistant_states import LockNews
from tests.daemon.bed import PINS, ROOT, Somebody, running, settings, somebody
from tests.docs.test_mqtt_examples import PageClock
from tests.mqtt.broker import Broker, eventually

pytestmark = pytest.mark.mosquitto

ON = "[mqtt.homeassistant]\nenabled = true\n"
HUB = "homeassistant/device/pinsmith/hub/config"
FRONT = "homeassistant/device/pinsmith/hub-LOCK-front/config"
SIDE = "homeassistant/device/pinsmith/hub-LOCK-side/config"
VALUES = (f"{ROOT}/bridge/homeassistant", f"{ROOT}/lock/front/homeassistant")
TWO = '[locks.front]\ndriver = "simulated"\n[locks.side]\ndriver = "simulated"\n'

type With = Callable[..., Settings]


@pytest.fixture
def house(tmp_path: Path, broker: Broker) -> With:
    """Write a configuration with discovery, unless it says else."""

    def write(extra: str = ON, locks: str | None = None) -> Settings:
        return settings(tmp_path, broker.port, mqtt_extra=extra, locks=locks)

    return write


def told(one: Somebody, topic: str) -> list[dict[str, Any]]:
    """Return what was told on a topic, oldest first; an empty one where it was emptied."""
    return [message.json for message in one.heard if message.topic == topic]


def newest(one: Somebody, topic: str) -> dict[str, Any]:
    """Return what was told last."""
    return (told(one, topic) or [{"nothing": "yet"}])[-1]


async def kept(broker: Broker) -> set[str]:
    """Return the topics that the broker keeps for Home Assistant."""
    async with somebody(broker.port, "late") as late, somebody(broker.port, "probe") as probe:
        # Comes behind what is retained.
        await probe.send("probe", b"x")
        await eventually(lambda: any(message.topic == "probe" for message in late.heard))
        return {message.topic for message in late.heard if "homeassistant" in message.topic}


@pytest.fixture
async def app(broker: Broker) -> Any:  # noqa: ANN401 - a generator of Somebody
    """Somebody who hears everything."""
    async with somebody(broker.port) as one:
        yield one


class TestBeingTold:
    """What there is."""

    async def test_names_the_hub_and_each_lock_and_keeps_their_values(
        self, house: With, app: Somebody, broker: Broker
    ) -> None:
        """Retained, so that a Home Assistant that comes later finds them."""
        async with running(house(), app):
            await app.create(PINS[0], name="Ada")
            await eventually(lambda: newest(app, VALUES[1]).get("codes_on_lock") == 1)
            assert await kept(broker) == {HUB, FRONT, *VALUES}
        assert newest(app, FRONT)["device"]["via_device"] in newest(app, HUB)["device"]["identifiers"]
        told_of_ada = [message for message in app.heard if b"Ada" in message.payload]
        assert not [message for message in told_of_ada if "homeassistant" in message.topic]
        assert not [
            message
            for message in app.heard
            if "homeassistant" in message.topic and PINS[0].encode() in message.payload
        ]

    async def test_is_off_unless_asked_for(self, house: With, app: Somebody, broker: Broker) -> None:
        """Nothing is written outside the own topics."""
        async with running(house(""), app):
            await app.create(PINS[0])
        assert await kept(broker) == set()

    async def test_happens_again_when_home_assistant_starts(self, house: With, app: Somebody) -> None:
        """After some seconds, because all devices are asked at once; nothing else it says matters."""
        async with running(house(), app):
            await eventually(lambda: told(app, FRONT) and told(app, HUB))
            before = len(told(app, FRONT)), len(told(app, VALUES[1]))
            await app.send("homeassistant/status", b"offline")
            await app.send("homeassistant/status", b"online")
            await eventually(lambda: len(told(app, FRONT)) > before[0])
            assert len(told(app, VALUES[1])) > before[1]
            answer = await app.ask("devices/list")
            assert answer["status"] == "ok"
            await eventually(lambda: app.under("bridge/health"))
            assert "malformed_topics" not in app.last("bridge/health")["counters"]


async def test_an_arrival_becomes_a_risk_as_time_passes(house: With, app: Somebody) -> None:
    """Two hours before it is none, half an hour before it is one, and nothing about the code has changed."""
    full = TWO.replace('"simulated"\n', '"simulated"\nmanaged_slots = ["20"]\n', 1)
    clock = PageClock()
    async with running(house(locks=full), app, clock=clock):
        await app.create(PINS[0])
        starts_at = (clock.now() + timedelta(hours=2)).isoformat()
        late = {"starts_at": starts_at, "ends_at": (clock.now() + timedelta(days=1)).isoformat()}
        answer = await app.ask("access_codes/create", device_id="front", code=PINS[1], **late)
        await eventually(lambda: newest(app, VALUES[1]).get("problem") == "ON")
        assert newest(app, VALUES[1])["arrival_at_risk"] == "OFF"
        clock.skip(90 * 60)
        await app.ask("devices/sync", device_id="side")
        await eventually(lambda: newest(app, VALUES[1])["arrival_at_risk"] == "ON")
    code_id = answer["data"]["access_code"]["access_code_id"]
    assert newest(app, VALUES[1])["arrival_details"]["access_codes"] == [code_id]


@pytest.mark.parametrize("model", ["readable", "masked"])
async def test_an_arrival_whose_code_waits_on_the_lock_is_no_risk(
    house: With, app: Somebody, model: str
) -> None:
    """It is there half an hour before the start, disabled where the lock can do that: all is well."""
    lock = f'[locks.front]\ndriver = "simulated"\nmodel = "{model}"\n'
    clock = PageClock()
    async with running(house(locks=lock), app, clock=clock):
        begin, end = (clock.now() + timedelta(minutes=late) for late in (20, 60))
        dates = {"starts_at": begin.isoformat(), "ends_at": end.isoformat()}
        answer = await app.ask("access_codes/create", device_id="front", code=PINS[0], **dates)
        code_id = answer["data"]["access_code"]["access_code_id"]
        await eventually(lambda: newest(app, f"{ROOT}/access_code/{code_id}/state").get("evidence"))
        assert newest(app, f"{ROOT}/access_code/{code_id}/state")["status"] == "setting"
        await eventually(
            lambda: (
                (it := newest(app, VALUES[1])).get("codes_on_lock") == 1
                and (it["arrival_at_risk"], it["in_sync"], it["problem"]) == ("OFF", "ON", "OFF")
            )
        )


async def test_a_lock_that_does_not_open_in_memory_keeps_its_codes_in_trouble(
    house: With, app: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody looks where the number falls."""
    skipped: list[str] = []
    whole = HomeAssistant._news_of

    def broken(self: HomeAssistant, tx: Tx, device_id: str, t: TimeView) -> LockNews:
        if device_id == "front":
            skipped.append(device_id)
            raise LastingFailure("this row does not open")
        return whole(self, tx, device_id, t)

    full = TWO.replace('"simulated"\n', '"simulated"\nmanaged_slots = ["20"]\n')
    async with running(house(locks=full), app):
        for pin in PINS[:2]:
            await app.ask("access_codes/create", device_id="front", code=pin)
        await eventually(lambda: newest(app, VALUES[0]).get("codes_in_trouble") == 1)
        monkeypatch.setattr(HomeAssistant, "_news_of", broken)
        await app.ask("devices/sync", device_id="front")
        await eventually(lambda: skipped)
        for pin in PINS[:2]:
            await app.ask("access_codes/create", device_id="side", code=pin)
        await eventually(lambda: newest(app, VALUES[1].replace("front", "side")).get("problem") == "ON")
        await eventually(lambda: newest(app, VALUES[0]).get("codes_in_trouble") == 2)
        assert 0 not in [one["codes_in_trouble"] for one in told(app, VALUES[0])[-2:]]


class TestBeingTakenBack:
    """What is not there any more."""

    async def test_happens_to_a_lock_that_is_not_configured_any_more(
        self, house: With, app: Somebody, broker: Broker
    ) -> None:
        """Its codes may still open it, so the hub goes on telling its own topics."""
        async with running(house(locks=TWO), app):
            await eventually(lambda: told(app, SIDE) and told(app, FRONT))
        async with running(house(), app):
            await eventually(
                lambda: newest(app, SIDE) == newest(app, VALUES[1].replace("front", "side")) == {}
            )
            assert await kept(broker) == {HUB, FRONT, *VALUES}
            await eventually(lambda: app.under("lock/side/state")[-1].payload)

    async def test_does_not_happen_to_a_configured_lock_that_is_forgotten(
        self, house: With, app: Somebody, broker: Broker
    ) -> None:
        """It begins anew, and so do its values."""
        async with running(house(), app):
            await app.create(PINS[0])
            await eventually(lambda: newest(app, VALUES[1]).get("codes_on_lock") == 1)
            assert (await app.ask("devices/forget", device_id="front"))["status"] == "ok"
            await eventually(lambda: newest(app, VALUES[1]).get("codes_on_lock") == 0)
            assert await kept(broker) == {HUB, FRONT, *VALUES}

    async def test_happens_when_it_is_switched_off(self, house: With, app: Somebody, broker: Broker) -> None:
        """Also what was told under another prefix than the present one."""
        async with running(house(ON + 'discovery_prefix = "ha"'), app):
            await eventually(lambda: told(app, HUB.replace("homeassistant", "ha")))
        async with running(house(), app):
            await eventually(lambda: newest(app, HUB.replace("homeassistant", "ha")) == {})
            await eventually(lambda: told(app, FRONT))
        async with running(house(""), app):
            await eventually(lambda: newest(app, HUB) == {} and newest(app, FRONT) == {})
            await eventually(lambda: newest(app, VALUES[0]) == newest(app, VALUES[1]) == {})
        assert await kept(broker) == set()

    async def test_begins_with_discovery(self, house: With, app: Somebody) -> None:
        """Entities whose values vanish first would show nonsense before they go."""
        async with running(house(), app):
            await eventually(lambda: told(app, FRONT))
        before = len(app.heard)
        async with running(house(""), app):
            await eventually(lambda: newest(app, VALUES[0]) == newest(app, VALUES[1]) == {})
        emptied = [
            one.topic for one in app.heard[before:] if "homeassistant" in one.topic and not one.payload
        ]
        assert {*emptied[:2]} == {HUB, FRONT}
