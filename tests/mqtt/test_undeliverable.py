"""No message silences the hub, be it that it breaks the connection or cannot be read or answered."""

import asyncio
import logging
import tracemalloc
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers

from gateway.daemon.wiring import Gateway
from gateway.mqtt.link_connection import Incoming
from gateway.mqtt.link_errors import MessageTooLarge
from gateway.system_clock import SystemClock
from storage.store import SqliteStore
from storage.vault import Vault
from tests.daemon.bed import running, settings, somebody
from tests.mqtt.broker import Broker, Peer, eventually
from tests.mqtt.link_bed import COMMANDS, Version, bed
from tests.mqtt.wire import listening, proxy, saying

pytestmark = pytest.mark.mosquitto

both_versions = pytest.mark.parametrize("version", ["3.1.1", "5"])

COMMAND = COMMANDS.replace("#", "app/list")
SMALL_PACKETS = "max_packet_size 6000"
"""Room for every state of a hub with one lock, and not for a list of a dozen codes."""


@both_versions
class TestBreakingTheConnection:
    """A message that breaks the connection again and again while it is handled."""

    async def test_is_acknowledged_the_third_time_before_it_is_handed_over(
        self, broker: Broker, other: Peer, version: Version
    ) -> None:
        """The handler is told, without where to answer, and what it does then can break nothing for ever."""
        async with proxy(broker.port) as line:
            hub = bed(line.port, version)

            async def break_on_bad(message: Incoming) -> None:
                if message.payload == b"bad" and not message.unanswerable:
                    line.cut()
                    await eventually(lambda: not hub.link.connected.is_set())

            hub.handler = break_on_bad
            async with hub.running():
                await other.publish(COMMAND, b"bad")
                await other.publish(COMMAND, b"good")
                await eventually(lambda: b"good" in hub.payloads)
        assert [(one.payload, one.unanswerable) for one in hub.seen[:3]] == [
            (b"bad", False),
            (b"bad", False),
            (b"bad", True),
        ]
        assert hub.payloads[3:] == [b"good"]


@both_versions
async def test_an_answer_larger_than_the_broker_takes_is_told_so_and_the_next_command_answered(
    tmp_path: Path, version: Version, caplog: pytest.LogCaptureFixture
) -> None:
    """The client learns what to do instead, and gets what it asks for in portions."""
    caplog.set_level(logging.INFO)
    async with Broker(tmp_path, extra=SMALL_PACKETS) as broker, somebody(broker.port, patience_s=30) as app:
        how = settings(tmp_path, broker.port, mqtt_extra=f'version = "{version}"')
        async with running(how, app):
            for number in range(12):
                made = await app.ask("access_codes/create", device_id="front", name=f"Guest {number}")
                assert made["status"] == "ok"
            refusal = await app.ask("access_codes/list")
            assert refusal["error"]["type"] == "answer_not_delivered"
            assert "page_cursor" in refusal["error"]["message"]
            assert (await app.ask("access_codes/list", limit=2))["status"] == "ok"
            # MQTT 5 says beforehand what the broker takes: there the connection does not break at all.
            assert ("oversize packet" in broker.log()) == (version == "3.1.1")
            # Over 3.1.1 nobody knows how large the answer was that broke the connection.
            told = ["begins", "ends"] if version == "3.1.1" else ["begins"]
            # The broker may hand the answer on before the daemon hears that it has it.
            await eventually(lambda: [state for state, _ in answers_refused(caplog)] == told)
    assert [state for state, _ in answers_refused(caplog)] == told


def answers_refused(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return what the log says of answers that did not get through, told apart as programs do it."""
    said = [record for record in caplog.records if vars(record).get("trouble") == "answers_refused"]
    return [(vars(record)["state"], record.getMessage()) for record in said if record.levelname != "DEBUG"]


async def test_mqtt_5_knows_what_the_broker_takes_before_it_sends(tmp_path: Path) -> None:
    """Too large a message is refused here, and the connection is not lost over it."""
    async with Broker(tmp_path, extra=SMALL_PACKETS) as broker, bed(broker.port).running() as link:
        with pytest.raises(MessageTooLarge):
            await link.publish("pinsmith/hub/event", b"x" * 6000)
        await link.publish("pinsmith/hub/event", b"x" * 5900, correlation_data=b"x" * 20)
        assert link.generation == 1


async def test_a_broker_that_drops_large_messages_and_says_so_is_understood(tmp_path: Path) -> None:
    """The message_size_limit of mosquitto is not told beforehand, but MQTT 5 hears of it afterwards."""
    async with (
        Broker(tmp_path, extra="message_size_limit 6000") as broker,
        bed(broker.port).running() as link,
    ):
        with pytest.raises(MessageTooLarge):
            await link.publish("pinsmith/hub/event", b"x" * 6001)
        assert link.generation == 1


class TestUnreadable:
    """What paho cannot make sense of."""

    async def test_a_text_with_a_byte_order_mark_is_none_of_it(self, broker: Broker) -> None:
        """MQTT 5 allows U+FEFF anywhere in a text, so a client may send it and is answered."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it so
        properties.UserProperty = ("note", "\ufeffhello")
        hub = bed(broker.port)
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        async with hub.running() as link:
            client.connect("127.0.0.1", broker.port)
            client.loop_start()
            client.publish(COMMAND, b"{}", 1, properties=properties).wait_for_publish(15)
            client.disconnect()
            client.loop_stop()
            await eventually(lambda: hub.payloads == [b"{}"])
            assert link.generation == 1

    @pytest.mark.parametrize("note", [("", ""), ("note", "some words")])
    async def test_any_number_of_user_properties_is_none_of_it(
        self, broker: Broker, note: tuple[str, str]
    ) -> None:
        """Paho takes a minute for what fits into a packet; the broker would give the connection up."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it so
        properties.UserProperty = [note] * (200_000 // (5 + len("".join(note))))
        properties.CorrelationData = b"\xef\xbb\xbf"
        hub = bed(broker.port)
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        async with hub.running():
            client.connect("127.0.0.1", broker.port)
            client.loop_start()
            await asyncio.to_thread(
                client.publish(COMMAND, b"{}", 1, properties=properties).wait_for_publish, 15
            )
            client.disconnect()
            client.loop_stop()
            await eventually(lambda: hub.seen, 2)
        assert hub.seen == [Incoming(COMMAND, b"{}", retain=False, correlation_data=b"\xef\xbb\xbf")]

    async def test_it_is_acknowledged_and_counted(self, tmp_path: Path) -> None:
        """The hub hears that there was something, and the connection stays."""
        acknowledged: list[bytes] = []

        # A property 0x7f, which there is not, in messages of QoS 0 and 1.
        messages = b"\x30\x06\x00\x01t\x02\x7f\x00", b"\x32\x08\x00\x01t\x00\x07\x02\x7f\x00"
        async with listening(saying(acknowledged, *messages)) as port:
            hub = bed(port)
            async with hub.running() as link:
                await eventually(lambda: acknowledged)
                assert link.generation == 1
        assert acknowledged == [b"\x00\x07"]
        assert hub.seen == [Incoming("", b"", retain=False, unreadable=True)] * 2
        store = await SqliteStore.open(tmp_path, Vault(bytes(32)))
        try:
            gateway = Gateway(settings(tmp_path, 1), store, SystemClock())
            await gateway._handle(hub.seen[0])
            report = gateway._health.report(gateway._link, None)
        finally:
            await store.close()
        assert report["counters"] == {"unreadable_messages": 1}


class TestTooLarge:
    """What would fill the memory."""

    @both_versions
    async def test_it_is_told_and_the_next_message_comes(
        self, broker: Broker, other: Peer, version: Version
    ) -> None:
        """The handler can answer it like any that is too large."""
        hub = bed(broker.port, version, max_payload_bytes=1024)
        async with hub.running() as link:
            await other.publish(COMMAND, bytes(3_000_000))
            await other.publish(COMMAND, b"small")
            await eventually(lambda: b"small" in hub.payloads)
            assert link.generation == 1
        too_large = Incoming(COMMAND, b"", retain=False, payload_too_large=True)
        assert hub.seen == [too_large, Incoming(COMMAND, b"small", retain=False)]

    async def test_it_is_not_held(self) -> None:
        """Of 50 MB hardly one is in memory at any time, however they are spread over the packet."""
        properties, payload = 10_000_000, 40_000_000
        packet = b"\x00\x01t\x00\x07" + VariableByteIntegers.encode(properties)  # type: ignore[no-untyped-call]  # paho leaves it so
        length = VariableByteIntegers.encode(len(packet) + properties + payload)  # type: ignore[no-untyped-call]  # paho leaves it so
        acknowledged: list[bytes] = []
        # A user property of 1 byte and 93 more, again and again: whole ones in any number of them.
        some = (b"\x26\x00\x01n\x00\x5e" + b"v" * 94) * 1000
        pieces = [some] * ((properties + payload) // len(some))
        async with listening(saying(acknowledged, b"\x32" + length + packet, *pieces)) as port:
            hub = bed(port)
            tracemalloc.start()
            try:
                async with hub.running():
                    await eventually(lambda: acknowledged, 30)
                    _, most = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
        assert [(one.unreadable, one.payload) for one in hub.seen] == [(True, b"")]
        assert most < 3_000_000
