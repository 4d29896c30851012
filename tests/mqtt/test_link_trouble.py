"""What goes wrong between hub and broker is told in plain words, and tried again with patience."""

import asyncio
import gc
import itertools
from pathlib import Path

import pytest

from gateway.mqtt import link_connection, link_state
from gateway.mqtt.link_client import NetworkClient
from gateway.mqtt.link_connection import Incoming
from gateway.mqtt.link_errors import PublishRefused
from gateway.mqtt.link_state import LinkKind, LinkState
from tests.mqtt.broker import Broker, eventually, free_port, peer
from tests.mqtt.link_bed import WILL, LinkBed, Version, bed, settings
from tests.mqtt.wire import (
    CONNECT,
    DISCONNECT,
    PUBLISH,
    SUBSCRIBE,
    listening,
    publish_id,
    read_packet,
    saying,
)

WITH_WILL = b"\x04"
"""MQTT 5.0 section 3.14.2.1: the broker shall publish the will all the same."""
both_versions = pytest.mark.parametrize("version", ["3.1.1", "5"])


@pytest.mark.mosquitto
class TestTakenOver:
    """Two clients under one id push each other out."""

    @both_versions
    async def test_is_guessed_from_three_brief_connections(self, broker: Broker, version: Version) -> None:
        """One or two drops may be anything; after the third the link raises the alarm and backs off."""
        hub, impostor = (LinkBed(settings(broker.port, version), clock=lambda: 0.0) for _ in range(2))
        async with hub.running() as link, impostor.running(connected=False):
            await eventually(lambda: LinkKind.TAKEN_OVER in hub.kinds)
            assert link.generation >= 3
            assert link.counters.taken_over >= 1
            await eventually(lambda: len(hub.naps) >= 3)
        assert [int(nap) for nap in hub.naps[:2]] == [1, 2]
        assert hub.naps[2] >= 60

    async def test_long_lived_connections_that_break_are_no_takeover(self, broker: Broker) -> None:
        """A broker restarted now and then is found again after the shortest delay each time."""
        hub = LinkBed(settings(broker.port, "3.1.1"), clock=itertools.count(0, 3600).__next__)
        async with hub.running() as link:
            for generation in range(2, 6):
                await broker.stop()
                await eventually(lambda: not link.connected.is_set())
                await broker.start()
                await eventually(link.connected.is_set)
                assert link.generation == generation
        assert LinkKind.TAKEN_OVER not in hub.kinds
        assert hub.naps[0] < 2


@both_versions
class TestNotConnecting:
    """Every reason has its words, and none stops the trying."""

    @pytest.mark.mosquitto
    async def test_a_wrong_password_is_refused_until_it_is_right(
        self, tmp_path: Path, version: Version
    ) -> None:
        """The state says what to check, and never the password."""
        async with Broker(tmp_path, passwords={"hub": "correct horse"}) as broker:
            wrong = bed(broker.port, version, username="hub", password=lambda: "battery staple")
            async with wrong.running(connected=False):
                await eventually(lambda: len(wrong.naps) >= 3)
            assert wrong.kinds == [LinkKind.REFUSED, LinkKind.STOPPED]
            assert "user name" in wrong.states[0].message
            assert "staple" not in repr(wrong.states)
            assert [int(nap) for nap in wrong.naps[:2]] == [1, 2]
            right = bed(broker.port, version, username="hub", password=lambda: "correct horse")
            async with right.running():
                assert right.kinds == [LinkKind.CONNECTED]

    async def test_nobody_listening(self, version: Version) -> None:
        """The state is told once, however often it is tried."""
        hub = bed(free_port(), version)
        async with hub.running(connected=False):
            await eventually(lambda: len(hub.naps) >= 8)
        assert hub.kinds == [LinkKind.UNREACHABLE, LinkKind.STOPPED]
        bases = (1, 2, 4, 8, 16, 32, 60, 60)
        assert all(base <= nap <= base * 1.25 for base, nap in zip(bases, hub.naps, strict=False))

    async def test_a_listener_that_hangs_up(self, version: Version) -> None:
        """Something that closes without an answer is most often the wrong port or version."""

        async def hang_up(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            return

        async with listening(hang_up) as port:
            hub = bed(port, version)
            async with hub.running(connected=False):
                await eventually(lambda: len(hub.naps) >= 2)
        assert hub.states[0] == link_state.CLOSED_EARLY

    async def test_leaving_does_not_wait_for_a_silent_listener(self, version: Version) -> None:
        """The link can be stopped while a broker has taken the connection and says nothing."""
        heard = asyncio.Event()

        async def listen_only(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await read_packet(reader)
            heard.set()
            await reader.read()

        async with listening(listen_only) as port, asyncio.timeout(3):
            hub = bed(port, version)
            async with hub.running(connected=False):
                await heard.wait()
        assert hub.kinds == [LinkKind.STOPPED]

    @pytest.mark.slow
    async def test_a_silent_listener_is_given_up_after_the_keep_alive(self, version: Version) -> None:
        """A broker that hangs does not hang the link."""

        async def listen_only(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with listening(listen_only) as port:
            hub = bed(port, version, keepalive_s=5)
            async with hub.running(connected=False):
                await eventually(lambda: hub.states)
        assert hub.states[0] == link_state.SILENT


class TestScriptedBrokers:
    """Answers no mosquitto gives on demand."""

    async def test_a_refused_subscription_still_lets_events_out(self) -> None:
        """The link works in one direction and says what is missing."""

        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                kind, body = await read_packet(reader)
                if kind == CONNECT:
                    writer.write(b"\x20\x03\x00\x00\x00")
                elif kind == SUBSCRIBE:
                    writer.write(b"\x90\x04" + body[:2] + b"\x00\x87")
                elif kind == PUBLISH:
                    writer.write(b"\x40\x02" + publish_id(body))

        async with listening(refuse) as port:
            hub = bed(port)
            async with hub.running() as link:
                await link.publish("pinsmith/hub/event", b"x")
        assert hub.kinds == [LinkKind.SUBSCRIPTION_REFUSED, LinkKind.STOPPED]

    async def test_the_send_window_of_the_broker_is_kept(self) -> None:
        """With a Receive Maximum of 2, a third message waits for an acknowledgement."""
        waiting: list[bytes] = []
        answers: list[asyncio.StreamWriter] = []

        async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            answers.append(writer)
            while True:
                kind, body = await read_packet(reader)
                if kind == CONNECT:
                    writer.write(b"\x20\x06\x00\x00\x03\x21\x00\x02")
                elif kind == SUBSCRIBE:
                    writer.write(b"\x90\x04" + body[:2] + b"\x00\x01")
                elif kind == PUBLISH:
                    waiting.append(publish_id(body))

        async with listening(count) as port, bed(port).running() as link:
            sending = [asyncio.create_task(link.publish("e", b"x")) for _ in range(5)]
            for sent in range(1, 6):
                await eventually(lambda: waiting)
                await eventually(lambda sent=sent: len(waiting) == (2 if sent < 5 else 1))  # type: ignore[misc]
                answers[0].write(b"\x40\x02" + waiting.pop(0))
                await eventually(lambda sent=sent: sum(task.done() for task in sending) == sent)  # type: ignore[misc]
            answers[0].transport.abort()

    async def test_a_malformed_packet_ends_the_connection_and_not_the_link(self) -> None:
        """Whatever stops the network thread, the link notices and connects again."""

        async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_packet(reader)
            writer.write(b"\x20\x03\x00\x00\x00")
            _, body = await read_packet(reader)
            writer.write(b"\x90\x04" + body[:2] + b"\x00\x01")
            # A message shorter than its own topic: nothing that could be acknowledged.
            writer.write(b"\x32\x04\x00\x09\xff\xff")
            await reader.read()

        async with listening(babble) as port:
            hub = bed(port)
            async with hub.running() as link:
                await eventually(lambda: link.generation >= 3)
        assert hub.seen == []

    async def test_a_topic_that_is_no_text_is_handed_over_without_one(self) -> None:
        """It must not stop the link, and must be acknowledged to be gone."""
        acknowledged: list[bytes] = []

        message = b"\x32\x08\x00\x01\xff\x00\x07\x00hi"
        async with listening(saying(acknowledged, message)) as port:
            hub = bed(port)
            async with hub.running():
                await eventually(lambda: acknowledged)
        assert hub.seen == [Incoming("", b"hi", retain=False)]
        assert acknowledged == [b"\x00\x07"]

    async def test_whatever_ends_the_network_thread_is_noticed(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An error nobody thought of ends the connection too, and its text stays out of the log."""
        ended: list[LinkState | None] = []

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_packet(reader)
            writer.write(b"\x20\x03\x00\x00\x00")
            await reader.read()

        def fail(*_: object) -> None:
            raise KeyError("4711")

        async with listening(accept) as port:
            client = NetworkClient(settings(port), ended.append)
            client.on_connect = fail
            client.loop_start()
            await eventually(lambda: ended)
            client.abandon()
        assert ended == [None]
        assert "KeyError" in caplog.text
        assert "4711" not in caplog.text

    async def test_a_caller_who_gave_up_keeps_his_place_in_the_window(self) -> None:
        """The broker counts a message until it has answered, whoever still waits for that."""
        sent: list[bytes] = []
        answers: list[asyncio.StreamWriter] = []

        async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            answers.append(writer)
            while True:
                kind, body = await read_packet(reader)
                if kind == CONNECT:
                    writer.write(b"\x20\x06\x00\x00\x03\x21\x00\x01")
                elif kind == SUBSCRIBE:
                    writer.write(b"\x90\x04" + body[:2] + b"\x00\x01")
                elif kind == PUBLISH:
                    sent.append(publish_id(body))

        async with listening(count) as port, bed(port).running() as link:
            given_up = asyncio.create_task(link.publish("e", b"1"))
            await eventually(lambda: len(sent) == 1)
            given_up.cancel()
            with pytest.raises(asyncio.CancelledError):
                await given_up
            connection = link._connection
            assert connection is not None
            assert connection._window.locked()
            second = asyncio.create_task(link.publish("e", b"2"))
            answers[0].write(b"\x40\x02" + sent[0])
            await eventually(lambda: len(sent) == 2)
            answers[0].write(b"\x40\x02" + sent[1])
            await second
            answers[0].transport.abort()

    async def test_a_broker_that_says_taken_over_is_believed_at_once(self) -> None:
        """MQTT 5 has a reason code for it: the first one raises the alarm and the longest delay."""

        async def push_out(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_packet(reader)
            writer.write(b"\x20\x03\x00\x00\x00")
            _, body = await read_packet(reader)
            writer.write(b"\x90\x04" + body[:2] + b"\x00\x01")
            writer.write(b"\xe0\x01\x8e")
            await reader.read()

        async with listening(push_out) as port:
            hub = bed(port)
            async with hub.running() as link:
                await eventually(lambda: hub.naps)
                assert link.counters.taken_over >= 1
        assert hub.states[:2] == [link_state.CONNECTED, link_state.TAKEN_OVER]
        assert hub.naps[0] >= 60

    @both_versions
    async def test_a_broker_that_stalls_keeps_the_will_for_who_leaves(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, version: Version
    ) -> None:
        """It could not be told that the hub is offline; after a plain goodbye it would forget the will."""
        monkeypatch.setattr(link_connection, "LEAVE_S", 0.2)
        is_v5 = version == "5"
        goodbyes: list[bytes] = []
        closed = asyncio.Event()

        async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    kind, body = await read_packet(reader)
                    if kind == CONNECT:
                        writer.write(b"\x20\x03\x00\x00\x00" if is_v5 else b"\x20\x02\x00\x00")
                    elif kind == SUBSCRIBE and is_v5:
                        writer.write(b"\x90\x04" + body[:2] + b"\x00\x01")
                    elif kind == SUBSCRIBE:
                        writer.write(b"\x90\x03" + body[:2] + b"\x01")
                    elif kind == DISCONNECT:
                        goodbyes.append(body)
            finally:
                closed.set()

        async with listening(stall) as port, asyncio.timeout(5):
            async with bed(port, version).running():
                pass
            await closed.wait()
            await asyncio.sleep(0.1)  # Until the loop has heard of it too.
        gc.collect()
        assert "never retrieved" not in caplog.text
        assert [body[:1] for body in goodbyes] == ([WITH_WILL] if is_v5 else [])

    @pytest.mark.mosquitto
    async def test_an_mqtt_5_broker_that_refuses_a_message_is_heard(self, tmp_path: Path) -> None:
        """Publishing where the access list forbids it raises, instead of passing for delivered."""
        async with (
            Broker(tmp_path, acl=f"topic readwrite {WILL.topic}\ntopic read pinsmith/#\n") as broker,
            bed(broker.port).running() as link,
        ):
            with pytest.raises(PublishRefused, match="0x87"):
                await link.publish("pinsmith/hub/event", b"x")
            await link.publish(WILL.topic, b"online", retain=True)
            async with peer(broker.port) as other:
                await eventually(lambda: other.payloads(WILL.topic) == [b"online"])
