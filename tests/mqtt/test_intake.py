"""Commands on a real broker: carried out once, answered to whoever asked, survived whatever they are."""

import asyncio
import json
import random
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from drivers.simulated import keypad
from gateway.config import Settings
from gateway.daemon.wiring import Gateway
from gateway.mqtt.link_connection import Incoming
from gateway.system_clock import SystemClock
from storage.store import SqliteStore
from storage.vault import Vault
from tests.daemon.bed import PINS, ROOT, Somebody, running, settings, somebody
from tests.mqtt.broker import Broker, eventually

pytestmark = pytest.mark.mosquitto

LOCKS = Path("data/simulated")


@pytest.fixture
def how(tmp_path: Path, broker: Broker) -> Settings:
    """A gateway with one simulated lock."""
    return settings(tmp_path, broker.port)


@pytest.fixture
async def app(broker: Broker) -> AsyncIterator[Somebody]:
    """Somebody who sends commands."""
    async with somebody(broker.port) as one:
        yield one


class TestCarryingOut:
    """From a command to the lock and back."""

    async def test_a_code_asked_for_is_on_the_lock_and_told(
        self, how: Settings, app: Somebody, tmp_path: Path
    ) -> None:
        """A create is answered with its PIN, reaches the lock and is told as set."""
        async with running(how, app):
            await app.create(PINS[0], name="Guest")
            assert [held.pin.reveal() for held in keypad.show(tmp_path / LOCKS, "front").values()] == [
                PINS[0]
            ]
        assert app.event_types() == [
            "device.added",
            "access_code.created",
            "access_code.changed",
            "access_code.changed",
            "access_code.set_on_device",
        ]

    async def test_a_repeat_is_answered_from_memory(self, how: Settings, app: Somebody) -> None:
        """The same command again, also after a restart, gets the same answer and makes no second code."""
        async with running(how, app):
            first = await app.ask("access_codes/create", transaction="t", device_id="front")
            again = await app.ask("access_codes/create", transaction="t", device_id="front")
        async with running(how, app):
            once_more = await app.ask("access_codes/create", transaction="t", device_id="front")
            listed = await app.ask("access_codes/list")
        assert first["status"] == "ok"
        assert first == again == once_more
        assert len(listed["data"]["access_codes"]) == 1

    async def test_a_client_that_sends_without_end_does_not_fill_the_disk(
        self, how: Settings, app: Somebody, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Beyond so many its oldest replies are forgotten and counted; their repeat is a new command."""
        monkeypatch.setattr("gateway.mqtt.intake.REPLIES_PER_CLIENT", 2)
        async with running(how, app):
            for number in range(3):
                await app.ask("access_codes/create", transaction=str(number), device_id="front")
        async with running(how, app):
            await eventually(lambda: app.last("bridge/health")["counters"] == {"replies_dropped": 1})
            for number in (2, 1, 0):
                await app.ask("access_codes/create", transaction=str(number), device_id="front")
            listed = await app.ask("access_codes/list")
        assert len(listed["data"]["access_codes"]) == 4

    async def test_commands_wait_for_a_hub_that_is_away(self, how: Settings, app: Somebody) -> None:
        """What is sent between two runs is carried out by the second, in order."""
        async with running(how, app):
            pass
        topic = f"{ROOT}/request/app/access_codes/create"
        for number, pin in enumerate(PINS[:3]):
            body = b'{"transaction":"%d","device_id":"front","code":"%s"}' % (number, pin.encode())
            await app.send(topic, body)
        async with running(how, app):
            await eventually(lambda: len(app.under("response/")) == 3)
        assert [message.json["transaction"] for message in app.under("response/")] == ["0", "1", "2"]


class TestAnswering:
    """Where answers go."""

    async def test_a_response_topic_of_its_own_is_honoured_with_correlation_data(
        self, how: Settings, app: Somebody
    ) -> None:
        """MQTT 5 request and response: the client chooses among its own topics and gets its data back."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it so
        properties.ResponseTopic = f"{ROOT}/response/app/mine"
        properties.CorrelationData = b"\x00\xff42"
        async with running(how, app):
            await app.send(f"{ROOT}/request/app/devices/list", b"{}", properties=properties)
            await eventually(lambda: app.under("response/"))
        [answer] = app.under("response/")
        assert (answer.topic, answer.correlation_data) == (f"{ROOT}/response/app/mine", b"\x00\xff42")
        assert not answer.retain

    async def test_a_response_topic_of_somebody_else_is_not(self, how: Settings, app: Somebody) -> None:
        """An answer that was to go to others goes to the one who asked."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it so
        properties.ResponseTopic = f"{ROOT}/response/other/devices/list"
        async with running(how, app):
            await app.send(f"{ROOT}/request/app/devices/list", b"{}", properties=properties)
            await eventually(lambda: app.under("response/"))
        assert [answer.topic for answer in app.under("response/")] == [f"{ROOT}/response/app/devices/list"]


class TestRefusing:
    """What is not carried out."""

    async def test_a_retained_command_is_cleared_and_reported(
        self, how: Settings, app: Somebody, broker: Broker
    ) -> None:
        """It is neither carried out nor left on the broker; its sender and everybody else are told."""
        topic = f"{ROOT}/request/app/access_codes/create"
        await app.send(topic, b'{"transaction":"r","device_id":"front"}', retain=True)
        async with running(how, app):
            await eventually(lambda: "gateway.retained_command" in app.event_types())
            listed = await app.ask("access_codes/list")
        [refusal] = [m.json for m in app.under("response/app/access_codes/create")]
        assert (refusal["transaction"], refusal["error"]["type"]) == ("r", "invalid_input")
        assert listed["data"]["access_codes"] == []
        [event] = [one for one in app.events() if one["event_type"] == "gateway.retained_command"]
        assert (event["device_id"], event["client"], event["verb"]) == ("hub", "app", "access_codes/create")
        async with somebody(broker.port, "late") as late:
            await eventually(lambda: late.under("bridge/state"))
            assert late.under("request/") == []

    async def test_a_command_retained_while_the_gateway_listens_is_not_carried_out_either(
        self, how: Settings, app: Somebody, broker: Broker
    ) -> None:
        """MQTT 5 tells it apart; clearing it is no command that would have to be cleared in turn."""
        topic = f"{ROOT}/request/app/access_codes/create"
        async with running(how, app):
            await app.send(topic, b'{"transaction":"r","device_id":"front"}', retain=True)
            await eventually(lambda: app.under("response/"))
            listed = await app.ask("access_codes/list")
            await eventually(lambda: [m.payload for m in app.under("request/app/access_codes/create")][1:])
            await app.ask("devices/list")
        [refusal] = [m.json for m in app.under("response/app/access_codes/create")]
        assert (refusal["transaction"], refusal["error"]["type"]) == ("r", "invalid_input")
        assert listed["data"]["access_codes"] == []
        assert app.event_types().count("gateway.retained_command") == 1
        assert [m.payload for m in app.under("request/app/access_codes/create")][1:] == [b""]
        async with somebody(broker.port, "late") as late:
            await eventually(lambda: late.under("bridge/state"))
            assert late.under("request/") == []

    async def test_a_retained_message_without_a_client_is_cleared_too(
        self, how: Settings, app: Somebody, broker: Broker
    ) -> None:
        """Nobody can be answered, but it must not come back with every connection."""
        await app.send(f"{ROOT}/request/not a client/x", b"{}", retain=True)
        async with running(how, app):
            await eventually(lambda: app.under("request/")[-1].payload == b"")
        async with somebody(broker.port, "late") as late:
            await eventually(lambda: late.under("bridge/state"))
            assert late.under("request/") == []

    async def test_a_command_that_is_too_large_is_answered_unread(
        self, tmp_path: Path, broker: Broker, app: Somebody
    ) -> None:
        """Beyond the limit there is a typed error that names the limit."""
        async with running(settings(tmp_path, broker.port, mqtt_extra="max_payload_bytes = 1024"), app):
            await app.send(f"{ROOT}/request/app/devices/list", b" " * 1025)
            await eventually(lambda: app.under("response/"))
            [refusal] = [message.json for message in app.under("response/")]
            assert refusal["error"]["type"] == "overloaded"
            assert refusal["error"]["data"] == {"limit": 1024}
            assert (await app.ask("devices/list"))["status"] == "ok"

    async def test_what_is_no_command_is_counted_and_dropped(
        self, how: Settings, app: Somebody, broker: Broker
    ) -> None:
        """Malformed topics and empty messages are not answered; the health report counts them."""
        async with running(how, app):
            await app.send(f"{ROOT}/request/not a client/devices/list", b"{}")
            await app.send(f"{ROOT}/request/app", b"{}")
            await app.send(f"{ROOT}/request/app/devices/list", b"")
            await app.ask("devices/list")
            assert len(app.under("response/")) == 1
            await broker.kill()
            await broker.start()
            counted = {"empty_commands": 1, "malformed_topics": 2}
            await eventually(lambda: app.last("bridge/health")["counters"] == counted)


class TestStorageTrouble:
    """A database that cannot be written."""

    @pytest.mark.slow
    async def test_a_command_waits_on_the_broker_until_it_can_be_stored(
        self, how: Settings, app: Somebody, tmp_path: Path
    ) -> None:
        """Another program holds the database: the command is not lost, and the trouble is told and ended."""
        async with running(how, app):
            await eventually(lambda: app.under("bridge/health"))
            other = sqlite3.connect(tmp_path / "data/pinsmith.db", isolation_level=None)
            try:
                other.execute("BEGIN EXCLUSIVE")
                await app.send(
                    f"{ROOT}/request/app/access_codes/create", b'{"transaction":"t","device_id":"front"}'
                )
                await eventually(lambda: app.last("bridge/health")["storage_trouble"], 30)
                assert app.under("response/") == []
            finally:
                other.close()
            await eventually(lambda: app.under("response/"), 60)
            await eventually(lambda: app.last("bridge/health")["storage_trouble"] is None, 30)
        [answer] = [message.json for message in app.under("response/")]
        assert (answer["transaction"], answer["status"]) == ("t", "ok")
        assert app.last("bridge/health")["mqtt"]["not_stored"] >= 1


class TestGarbage:
    """Whatever comes, the next command is carried out."""

    async def test_noise_on_the_broker_is_survived(self, how: Settings, app: Somebody) -> None:
        """Hundreds of random payloads are each answered with an error, then a real command with success."""
        noise = random.Random(7)
        async with running(how, app):
            for _ in range(300):
                app.client.publish(f"{ROOT}/request/app/access_codes/create", noise.randbytes(20), 1)
            await eventually(lambda: len(app.under("response/")) == 300)
            assert {answer.json["status"] for answer in app.under("response/")} == {"error"}
            assert (await app.ask("devices/list"))["status"] == "ok"

    @examples(max_examples=30)
    @given(
        st.lists(
            st.builds(
                Incoming,
                topic=st.one_of(
                    st.text(max_size=20),
                    st.text(max_size=10).map(lambda tail: f"{ROOT}/request/me/{tail}"),
                    st.sampled_from(
                        [
                            f"{ROOT}/request/me/access_codes/create",
                            f"{ROOT}/request/me/access_codes/update",
                            f"{ROOT}/request/me/events/list",
                        ]
                    ),
                ),
                payload=st.one_of(
                    st.binary(max_size=50),
                    st.recursive(
                        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
                        lambda inner: st.dictionaries(
                            st.sampled_from(
                                ["transaction", "device_id", "code", "starts_at", "expires_at", "limit", "x"]
                            ),
                            inner,
                            max_size=5,
                        ),
                    ).map(lambda value: json.dumps(value).encode()),
                ),
                retain=st.booleans(),
                response_topic=st.one_of(st.none(), st.text(max_size=10)),
                payload_too_large=st.booleans(),
                unreadable=st.booleans(),
                unanswerable=st.booleans(),
            ),
            max_size=30,
        )
    )
    def test_no_message_gets_the_better_of_the_intake(self, messages: list[Incoming]) -> None:
        """Any topic with any payload is taken and acknowledged: the handler never raises."""
        asyncio.run(_take_in(messages))


async def _take_in(messages: list[Incoming]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = await SqliteStore.open(Path(folder), Vault(bytes(32)))
        try:
            gateway = Gateway(settings(Path(folder), 1), store, SystemClock())
            await gateway.engine.start()
            for message in messages:
                await gateway._handle(message)
        finally:
            await store.close()
