"""What automations tell in a real Home Assistant, on MQTT 5: nothing twice, and nothing too little."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drivers.simulated import keypad
from gateway.domain.pin import Pin
from gateway.system_clock import SystemClock
from tests.daemon.bed import PINS, Somebody
from tests.homeassistant.bed import (
    AUTOMATIONS,
    IN_A_HOUSE,
    INSTALLED,
    ON,
    PASSWORDS,
    Hub,
    complaints,
    create,
    notices,
)
from tests.homeassistant.house import House, house, until
from tests.mqtt.broker import Broker, eventually

pytestmark = IN_A_HOUSE
AT_RISK = "binary_sensor.pinsmith_back_arrival_at_risk"


@pytest.fixture
async def home(tmp_path: Path, broker: Broker) -> AsyncIterator[House]:
    """Home Assistant that speaks MQTT 5: a broker then delivers a message once for each filter."""
    async with house(Path(str(INSTALLED)) / "hass", tmp_path / "house", AUTOMATIONS) as one:
        await one.add_broker(broker.port, "homeassistant", PASSWORDS["homeassistant"], protocol="5")
        yield one


async def test_every_guest_is_told_once(hub: Hub, home: House, alice: Somebody, watcher: Somebody) -> None:
    """The first use of a code, and arrivals at risk that overlap, while the hub and the house come and go."""
    await until(lambda: home.state(AT_RISK) == "off")
    await create(alice, watcher, device_id="front", code=PINS[0], name="Ada")
    keypad.open_door(hub.locks, "front", Pin(PINS[0]), at=SystemClock().now())
    await eventually(lambda: notices(watcher, "first-use"))

    await create(alice, watcher, device_id="back", code=PINS[1], name="Cleaner")
    await arrives(alice, PINS[2], "Grace", minutes=45)
    await eventually(lambda: who(watcher) == ["Grace"])
    await arrives(alice, PINS[3], "Linus", minutes=50)
    await eventually(lambda: len(who(watcher)) > 1)
    assert who(watcher) == ["Grace", "Linus"]

    await arrives(alice, PINS[4], "Grace", minutes=90)
    await hub.stop()
    await until(lambda: home.state(AT_RISK) == "unavailable")
    await hub.start(homeassistant=f'{ON}\narrival_notice = "2h"')
    await eventually(lambda: len(who(watcher)) > 2, seconds=30)
    assert who(watcher) == ["Grace", "Linus", "Grace"]

    # It forgets what it told: rather once more than never.
    await home.stop()
    await arrives(alice, PINS[5], "Alan", minutes=50)
    await home.start()
    await eventually(lambda: len(who(watcher)) > 3, seconds=30)
    assert [sorted(one.split(", ")) for one in who(watcher)[3:]] == [["Alan", "Grace", "Grace", "Linus"]]
    assert len(notices(watcher, "first-use")) == 1
    assert complaints(home) == []


async def arrives(alice: Somebody, pin: str, name: str, *, minutes: int) -> None:
    """Create a code for which the back door, with its one slot, has no room."""
    begin = datetime.now(UTC) + timedelta(minutes=minutes)
    dates = {"starts_at": begin.isoformat(), "ends_at": (begin + timedelta(days=1)).isoformat()}
    answer = await alice.ask("access_codes/create", device_id="back", code=pin, name=name, **dates)
    assert answer["status"] == "ok", answer


def who(watcher: Somebody) -> list[str]:
    """Return whom each notice about arrivals names."""
    return [one.rpartition("soon: ")[2] for one in notices(watcher, "at-risk")]
