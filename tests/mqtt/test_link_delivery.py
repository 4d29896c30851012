"""What comes in is handed over in order and acknowledged only when it was taken."""

import asyncio
import sys
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.mqtt.link_connection import Incoming
from gateway.mqtt.link_errors import LinkDown, NotStored
from gateway.mqtt.link_state import LinkKind
from tests.mqtt.broker import Broker, Peer, eventually, peer
from tests.mqtt.link_bed import COMMANDS, WILL, Version, bed
from tests.mqtt.wire import proxy

pytestmark = pytest.mark.mosquitto

both_versions = pytest.mark.parametrize("version", ["3.1.1", "5"])

COMMAND = COMMANDS.replace("#", "app/create")


async def never(_message: Incoming) -> None:
    """Handle for ever."""
    await asyncio.Event().wait()


@both_versions
class TestAcknowledging:
    """A message is acknowledged after the handler, or not at all."""

    async def test_a_link_stopped_while_handling_leaves_the_message_on_the_broker(
        self, broker: Broker, other: Peer, version: Version
    ) -> None:
        """The next run gets what the last one had in hand and what waited behind it, in order."""
        first = bed(broker.port, version)
        first.handler = never
        async with first.running():
            await other.publish(COMMAND, b"one")
            await other.publish(COMMAND, b"two")
            await eventually(lambda: first.payloads == [b"one"])
        second = bed(broker.port, version)
        async with second.running():
            await eventually(lambda: second.payloads == [b"one", b"two"])
        third = bed(broker.port, version)
        async with third.running():
            await other.publish(COMMAND, b"three")
            await eventually(lambda: third.payloads == [b"three"])

    @pytest.mark.slow
    async def test_a_killed_process_leaves_the_message_and_its_will(
        self, broker: Broker, other: Peer, version: Version
    ) -> None:
        """After kill -9 in the handler others are told, and the next process gets the message."""
        hub = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "import asyncio, sys\n"
            "from tests.mqtt.link_bed import bed\n"
            "from tests.mqtt.test_link_delivery import announce_and_hang\n"
            "hub = bed(int(sys.argv[1]), sys.argv[2])\n"
            "hub.handler = announce_and_hang\n"
            "asyncio.run(hub.link.run())\n",
            str(broker.port),
            version,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert hub.stdout is not None
        try:
            await eventually(lambda: "hub 1 pinsmith/hub/request" in broker.log())
            await other.publish(COMMAND, b"one")
            async with asyncio.timeout(15):
                assert await hub.stdout.readline() == b"handling\n"
            assert other.payloads(WILL.topic) == []
        finally:
            hub.kill()
            await hub.communicate()
        await eventually(lambda: other.payloads(WILL.topic) == [WILL.payload])
        heir = bed(broker.port, version)
        async with heir.running():
            await eventually(lambda: heir.payloads == [b"one"])

    async def test_a_message_in_hand_when_the_line_breaks_comes_again(
        self, broker: Broker, other: Peer, version: Version
    ) -> None:
        """The handler finishes, but the broker did not hear of it: at least once means twice here."""
        may_end = asyncio.Event()

        async def wait_for_leave(_message: Incoming) -> None:
            await may_end.wait()

        async with proxy(broker.port) as line:
            hub = bed(line.port, version)
            hub.handler = wait_for_leave
            async with hub.running() as link:
                await other.publish(COMMAND, b"one")
                await eventually(lambda: hub.payloads == [b"one"])
                line.cut()
                await eventually(lambda: not link.connected.is_set())
                may_end.set()
                await eventually(lambda: hub.payloads == [b"one", b"one"])
                await other.publish(COMMAND, b"two")
                await eventually(lambda: hub.payloads == [b"one", b"one", b"two"])

    async def test_a_message_the_handler_fails_on_is_not_sent_again(
        self, broker: Broker, other: Peer, version: Version, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is counted and logged without what it said, and the next one is served."""

        async def fail_on_bad(message: Incoming) -> None:
            if message.payload == b"bad 4711":
                raise ValueError(message.payload.decode())

        hub = bed(broker.port, version)
        hub.handler = fail_on_bad
        async with hub.running() as link:
            await other.publish(COMMAND, b"bad 4711")
            await other.publish(COMMAND, b"good")
            await eventually(lambda: hub.payloads == [b"bad 4711", b"good"])
            assert link.counters.handler_failures == 1
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert "ValueError" in caplog.text
        assert "4711" not in caplog.text
        again = bed(broker.port, version)
        async with again.running():
            await other.publish(COMMAND, b"next")
            await eventually(lambda: again.payloads == [b"next"])

    async def test_a_message_that_could_not_be_stored_comes_again_before_any_later_one(
        self, broker: Broker, other: Peer, version: Version
    ) -> None:
        """Each failure to store waits longer, until one succeeds; nothing overtakes."""
        failures = {b"one": 2, b"two": 1}

        async def store(message: Incoming) -> None:
            if failures[message.payload]:
                failures[message.payload] -= 1
                raise NotStored

        hub = bed(broker.port, version)
        hub.handler = store
        async with hub.running() as link:
            await other.publish(COMMAND, b"one")
            await other.publish(COMMAND, b"two")
            await eventually(lambda: len(hub.seen) == 5)
            assert hub.payloads == [b"one", b"one", b"one", b"two", b"two"]
            assert link.counters.not_stored == 3
        assert LinkKind.NOT_STORED in hub.kinds
        assert [int(nap) for nap in hub.naps] == [1, 2, 1]

    async def test_events_still_go_out_while_nothing_can_be_stored(
        self, broker: Broker, other: Peer, version: Version
    ) -> None:
        """The connection stays during the wait, so that the trouble can be told."""

        async def refuse(_message: Incoming) -> None:
            raise NotStored

        hub = bed(broker.port, version)
        waiting = asyncio.Event()
        hub.handler = refuse

        async def sleep(_seconds: float) -> None:
            waiting.set()
            await asyncio.Event().wait()

        hub.link._sleep = sleep
        async with hub.running() as link:
            await other.publish(COMMAND, b"one")
            await waiting.wait()
            await link.publish("pinsmith/hub/event", b"disk full")
        await eventually(lambda: other.payloads("pinsmith/hub/event") == [b"disk full"])


@both_versions
class TestHandingOver:
    """What a handler gets."""

    async def test_is_one_message_at_a_time_in_order(
        self, broker: Broker, other: Peer, version: Version
    ) -> None:
        """Three windows full arrive as they were sent, never two at once."""
        at_work = most = 0

        async def count(_message: Incoming) -> None:
            nonlocal at_work, most
            at_work += 1
            most = max(most, at_work)
            await asyncio.sleep(0)
            at_work -= 1

        hub = bed(broker.port, version)
        hub.handler = count
        async with hub.running():
            await asyncio.gather(*(other.publish(COMMAND, b"%d" % i) for i in range(60)))
            await eventually(lambda: len(hub.seen) == 60)
        assert hub.payloads == [b"%d" % i for i in range(60)]
        assert most == 1

    async def test_is_only_the_fact_of_an_oversize_payload(
        self, broker: Broker, other: Peer, version: Version
    ) -> None:
        """The handler can answer with a typed error; the bytes are gone."""
        hub = bed(broker.port, version, max_payload_bytes=10)
        async with hub.running() as link:
            await other.publish(COMMAND, b"0123456789")
            await other.publish(COMMAND, b"0123456789!")
            await eventually(lambda: len(hub.seen) == 2)
            assert link.counters.too_large == 1
        assert hub.seen == [
            Incoming(COMMAND, b"0123456789", retain=False),
            Incoming(COMMAND, b"", retain=False, payload_too_large=True),
        ]

    async def test_tells_retained_messages(self, broker: Broker, other: Peer, version: Version) -> None:
        """A retained command can be told from a fresh one."""
        await other.publish(COMMAND, b"old", retain=True)
        hub = bed(broker.port, version)
        async with hub.running():
            await eventually(lambda: hub.seen == [Incoming(COMMAND, b"old", retain=True)])


@both_versions
class TestBounds:
    """However much is sent, little is held."""

    async def test_a_slow_handler_leaves_the_rest_on_the_broker(
        self, broker: Broker, other: Peer, version: Version
    ) -> None:
        """The broker sends its window of 20 and no more; afterwards everything comes, in order."""
        may_go = asyncio.Event()

        async def wait(_message: Incoming) -> None:
            await may_go.wait()

        hub = bed(broker.port, version)
        hub.handler = wait
        async with hub.running() as link:
            await asyncio.gather(*(other.publish(COMMAND, b"%d" % i) for i in range(50)))
            connection = link._connection
            assert connection is not None
            await eventually(lambda: connection._deliveries.qsize() == 19)
            # Whatever the broker still had to say came before this acknowledgement.
            await link.publish("pinsmith/hub/event", b"mark")
            assert connection._deliveries.qsize() == 19
            may_go.set()
            await eventually(lambda: len(hub.seen) == 50)
            if version == "5":
                # Mosquitto 2.0.11 rarely sends one too many when acknowledgements come in; it comes again.
                # In 3.1.1 nobody can tell a broker how much to send.
                assert link.counters.overflows <= 1
        assert hub.payloads == [b"%d" % i for i in range(50)]

    async def test_surplus_without_promise_is_dropped_and_counted(
        self, broker: Broker, other: Peer, version: Version
    ) -> None:
        """Nothing slows QoS 0 down, so what does not fit is let go."""
        may_go = asyncio.Event()

        async def wait(_message: Incoming) -> None:
            await may_go.wait()

        hub = bed(broker.port, version, receive_maximum=5)
        hub.handler = wait
        async with hub.running() as link:
            for i in range(12):
                await other.publish(COMMAND, b"%d" % i, qos=0)
            await eventually(lambda: len(other.payloads(COMMAND)) == 12)
            # Whatever the broker still had to say came before this acknowledgement.
            await link.publish("pinsmith/hub/event", b"mark")
            may_go.set()
            await eventually(lambda: len(hub.seen) == 5)
        assert link.counters.dropped == 7
        assert hub.payloads == [b"0", b"1", b"2", b"3", b"4"]


async def test_a_broker_without_a_window_is_taken_in_portions(tmp_path: Path) -> None:
    """MQTT 3.1.1 knows no Receive Maximum: the surplus comes after reconnecting, complete and in order."""
    async with Broker(tmp_path, extra="max_inflight_messages 0") as broker:
        async with bed(broker.port, "3.1.1").running():
            pass
        async with peer(broker.port) as other:
            await asyncio.gather(*(other.publish(COMMAND, b"%d" % i) for i in range(23)))
        hub = bed(broker.port, "3.1.1", receive_maximum=5)
        async with hub.running() as link:
            await eventually(lambda: len(hub.seen) >= 23)
            await eventually(link.connected.is_set)
        assert hub.payloads == [b"%d" % i for i in range(23)]
        assert link.counters.overflows >= 1
        assert link.counters.taken_over == 0


@both_versions
async def test_a_publish_cut_off_from_its_answer_is_reported_and_not_repeated(
    broker: Broker, other: Peer, version: Version
) -> None:
    """The caller decides about a second try; the link itself never sends an old message behind a new one."""
    async with proxy(broker.port) as line, bed(line.port, version).running() as link:
        line.hold_answers = True
        sending = asyncio.create_task(link.publish("pinsmith/hub/event", b"one"))
        await eventually(lambda: other.payloads("pinsmith/hub/event") == [b"one"])
        assert not sending.done()
        line.cut()
        with pytest.raises(LinkDown):
            await sending
        line.hold_answers = False
        await eventually(link.connected.is_set)
        await link.publish("pinsmith/hub/event", b"two")
        await eventually(lambda: b"two" in other.payloads("pinsmith/hub/event"))
    assert other.payloads("pinsmith/hub/event") == [b"one", b"two"]


async def test_mqtt_5_carries_where_to_answer(broker: Broker) -> None:
    """Response topic and correlation data reach the handler."""
    hub = bed(broker.port)
    async with hub.running():
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it so
        properties.ResponseTopic = "pinsmith/hub/response/app/create"
        properties.CorrelationData = b"\x01\x02"
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        info = client.publish(COMMAND, b"{}", 1, properties=properties)
        await eventually(info.is_published)
        client.disconnect()
        client.loop_stop()
        await eventually(lambda: len(hub.seen) == 1)
    assert (hub.seen[0].response_topic, hub.seen[0].correlation_data) == (
        "pinsmith/hub/response/app/create",
        b"\x01\x02",
    )


async def test_mqtt_5_carries_correlation_data_back(broker: Broker) -> None:
    """What a publisher was told to hand back reaches the other side."""
    hub, app = bed(broker.port), bed(broker.port, client_id="app")
    async with hub.running() as link, app.running():
        await link.publish(COMMAND, b"{}", correlation_data=b"\x01\x02")
        await eventually(lambda: app.seen)
    assert app.seen[0].correlation_data == b"\x01\x02"


async def announce_and_hang(_message: Incoming) -> None:
    """Handle for ever, in the process that is going to be killed."""
    print("handling", flush=True)  # noqa: T201 - the test reads it
    await asyncio.Event().wait()
