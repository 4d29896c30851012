"""The access list that the documentation offers, on a real broker."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from gateway.config import Settings
from tests.daemon.bed import PINS, ROOT, Somebody, running, settings, somebody
from tests.mqtt.broker import Broker, eventually

pytestmark = pytest.mark.mosquitto

ACL = Path(__file__).parents[2] / "docs" / "mosquitto.acl"
PASSWORDS = {"pinsmith": "p1", "homeassistant": "h1", "alice": "a1", "mallory": "m1"}


class AsWritten(Broker):
    """A broker with the configuration at the head of the list, on a port and with files of its own."""

    async def _write_config(self) -> Path:
        config = await super()._write_config()
        own = [line for line in config.read_text().splitlines() if line.startswith(("log_dest ", "user "))]
        text = "\n".join([*re.findall(r"^#   (\S.*?)(?: {3,}.*)?$", ACL.read_text(), re.MULTILINE), *own, ""])
        for shown, real in (
            ("/etc/mosquitto/passwords", f"{self._folder}/passwords"),
            ("/etc/mosquitto/pinsmith.acl", f"{self._folder}/acl"),
            ("1883", str(self.port)),
        ):
            assert text.count(shown) == 1, shown
            text = text.replace(shown, real)
        config.write_text(text)
        return config


async def test_the_lines_at_its_head_let_in_who_has_a_password_and_nobody_else(tmp_path: Path) -> None:
    """Without its own `listener` mosquitto lets in everybody on the machine, whatever else is said."""
    async with AsWritten(tmp_path, passwords=PASSWORDS, acl=ACL.read_text()) as broker:
        for user, password in ((None, None), ("pinsmith", "wrong"), ("stranger", "p1")):
            assert not await let_in(broker.port, user, password), user
        assert await let_in(broker.port, "pinsmith", PASSWORDS["pinsmith"])


async def let_in(port: int, user: str | None, password: str | None) -> bool:
    """Say whether the broker takes a connection."""
    answers: list[ReasonCode] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
    client.username_pw_set(user, password)
    client.on_connect = lambda *heard: answers.append(heard[3])
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        await eventually(lambda: answers)
    finally:
        client.disconnect()
        client.loop_stop()
    return not answers[0].is_failure


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Broker]:
    """A broker with passwords and the access list."""
    async with Broker(tmp_path, passwords=PASSWORDS, acl=ACL.read_text()) as broker:
        yield broker


@pytest.fixture
def how(tmp_path: Path, guarded: Broker) -> Settings:
    """The gateway under its own user."""
    (tmp_path / "password").write_text(PASSWORDS["pinsmith"])
    return settings(tmp_path, guarded.port, mqtt_extra='username = "pinsmith"\npassword_file = "password"')


@pytest.fixture
async def alice(guarded: Broker) -> AsyncIterator[Somebody]:
    """Somebody who gives commands."""
    async with somebody(guarded.port, "alice", user="alice", password=PASSWORDS["alice"]) as one:
        yield one


async def test_nobody_reads_the_replies_of_another(how: Settings, guarded: Broker, alice: Somebody) -> None:
    """Alice gets her PIN; others, subscribed to everything, see neither request nor reply of hers."""
    mallory = somebody(guarded.port, "mallory", user="mallory", password=PASSWORDS["mallory"])
    watcher = somebody(guarded.port, "watcher", user="homeassistant", password=PASSWORDS["homeassistant"])
    async with mallory as other, watcher as house, running(how, alice):
        answer = await alice.ask("access_codes/create", device_id="front", code=PINS[0])
        assert answer["data"]["access_code"]["code"] == PINS[0]
        await eventually(lambda: "access_code.set_on_device" in house.event_types())
        assert (await other.ask("access_codes/get", device_id="front", code=PINS[1]))["status"] == "error"
    assert {message.topic for message in other.heard} == {
        f"{ROOT}/bridge/state",
        f"{ROOT}/response/mallory/access_codes/get",
    }
    assert house.under("request/") == house.under("response/") == []
    assert not any(PINS[0].encode() in message.payload for message in other.heard + house.heard)


async def test_nobody_gives_commands_in_the_name_of_another(
    how: Settings, guarded: Broker, alice: Somebody
) -> None:
    """A command under alice's name by somebody else never reaches the gateway."""
    mallory = somebody(guarded.port, "mallory", user="mallory", password=PASSWORDS["mallory"])
    async with mallory as other, running(how, alice):
        await other.send(
            f"{ROOT}/request/alice/access_codes/create", b'{"transaction":"m","device_id":"front"}'
        )
        # Answered after it, in the order of arrival.
        listed = await alice.ask("access_codes/list")
    assert listed["data"]["access_codes"] == []
    assert "Denied PUBLISH from test-mallory" in guarded.log()


async def test_the_command_may_follow_events_as_the_gateway_s_user(
    how: Settings, guarded: Broker, alice: Somebody
) -> None:
    """`pinsmith events --follow` reads the configuration of the gateway, and so logs in as it."""
    same_user = somebody(guarded.port, "cli", user="pinsmith", password=PASSWORDS["pinsmith"])
    async with same_user as command, running(how, alice):
        await alice.ask("access_codes/create", device_id="front")
        await eventually(lambda: "access_code.set_on_device" in command.event_types())
    assert command.under("response/") == []


async def test_home_assistant_is_told_and_asks_and_only_the_gateway_tells(
    tmp_path: Path, guarded: Broker, alice: Somebody
) -> None:
    """Discovery reaches its user, whose button gives a command; others neither read nor write there."""
    (tmp_path / "password").write_text(PASSWORDS["pinsmith"])
    login = 'username = "pinsmith"\npassword_file = "password"\n[mqtt.homeassistant]\nenabled = true'
    how = settings(tmp_path, guarded.port, mqtt_extra=login)
    house = somebody(guarded.port, "homeassistant", user="homeassistant", password=PASSWORDS["homeassistant"])
    front = "homeassistant/device/pinsmith/hub-LOCK-front/config"
    async with house as home, running(how, alice):
        await eventually(lambda: [one for one in home.heard if one.topic == front])
        already = len(home.heard)
        await home.send("homeassistant/status", b"online")
        await eventually(lambda: [one for one in home.heard[already:] if one.topic == front])
        assert (await home.ask("devices/sync", device_id="front"))["status"] == "ok"
        await alice.send(front, b"{}", retain=True)
        same_user = somebody(guarded.port, "cli", user="pinsmith", password=PASSWORDS["pinsmith"])
        async with same_user as hub:
            await hub.send("homeassistant/device/another/config", b"{}", retain=True)
    assert not [one for one in alice.heard if one.topic.startswith("homeassistant/")]
    refused = [line for line in guarded.log().splitlines() if "Denied PUBLISH" in line]
    assert [("test-alice" in line, "test-cli" in line) for line in refused] == [(True, False), (False, True)]


async def test_the_gateway_may_do_all_it_needs(how: Settings, guarded: Broker, alice: Somebody) -> None:
    """Retained commands are cleared, states and events get out, and nothing is refused."""
    await alice.send(f"{ROOT}/request/alice/devices/list", b"{}", retain=True)
    async with running(how, alice):
        await eventually(lambda: alice.under("response/"))
        await alice.ask("devices/list")
    assert "Denied PUBLISH from pinsmith-hub" not in guarded.log()
    async with somebody(guarded.port, "pinsmith", user="pinsmith", password=PASSWORDS["pinsmith"]) as hub:
        await hub.send(f"{ROOT}/bridge/probe", b"{}")
        assert hub.under("request/") == []
