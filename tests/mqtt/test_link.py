"""Connecting, publishing and leaving, on a real broker."""

import asyncio

import pytest

from gateway.mqtt.link_errors import LinkDown
from gateway.mqtt.link_state import LinkKind
from tests.mqtt.broker import Broker, Heard, Peer, eventually, peer
from tests.mqtt.link_bed import WILL, Version, bed

pytestmark = pytest.mark.mosquitto

both_versions = pytest.mark.parametrize("version", ["3.1.1", "5"])


@both_versions
class TestPublishing:
    """What `publish` promises."""

    async def test_returns_when_the_broker_has_the_message(
        self, broker: Broker, other: Peer, version: Version
    ) -> None:
        """A message published is heard by others, with its retain flag honoured."""
        async with bed(broker.port, version).running() as link:
            await link.publish("pinsmith/hub/bridge/state", b"online", retain=True)
            await eventually(lambda: other.payloads("pinsmith/hub/bridge/state") == [b"online"])
            async with peer(broker.port) as late:
                await eventually(
                    lambda: Heard("pinsmith/hub/bridge/state", b"online", retain=True) in late.heard
                )

    async def test_keeps_the_order_of_many_at_once(
        self, broker: Broker, other: Peer, version: Version
    ) -> None:
        """More messages than the send window, published together, arrive in the order of the calls."""
        async with bed(broker.port, version).running() as link:
            await asyncio.gather(*(link.publish("pinsmith/hub/event", b"%d" % i) for i in range(100)))
            await eventually(lambda: len(other.payloads("pinsmith/hub/event")) == 100)
        assert other.payloads("pinsmith/hub/event") == [b"%d" % i for i in range(100)]

    async def test_raises_at_once_without_a_connection(self, broker: Broker, version: Version) -> None:
        """Nothing is queued for later: the caller keeps what could not be sent."""
        hub = bed(broker.port, version)
        with pytest.raises(LinkDown):
            await hub.link.publish("pinsmith/hub/event", b"early")
        async with hub.running() as link:
            await broker.kill()
            await eventually(lambda: not link.connected.is_set())
            with pytest.raises(LinkDown):
                await link.publish("pinsmith/hub/event", b"late")

    async def test_refuses_a_topic_with_wildcards(self, broker: Broker, version: Version) -> None:
        """Such a topic is a mistake in the caller and is not tried."""
        async with bed(broker.port, version).running() as link:
            with pytest.raises(ValueError, match="wildcards"):
                await link.publish("pinsmith/#", b"x")

    async def test_needs_no_acknowledgement_with_qos_0(
        self, broker: Broker, other: Peer, version: Version
    ) -> None:
        """QoS 0 returns once written, and the message arrives."""
        async with bed(broker.port, version).running() as link:
            await link.publish("pinsmith/hub/health", b"fine", qos=0)
            await eventually(lambda: other.payloads("pinsmith/hub/health") == [b"fine"])


@both_versions
class TestComingAndGoing:
    """Connections that begin and end."""

    async def test_leaves_with_the_offline_state(self, broker: Broker, other: Peer, version: Version) -> None:
        """A cancelled link publishes its will itself, retained, before it disconnects."""
        hub = bed(broker.port, version)
        async with hub.running():
            pass
        await eventually(lambda: other.payloads(WILL.topic) == [WILL.payload])
        assert hub.kinds == [LinkKind.CONNECTED, LinkKind.STOPPED]
        await eventually(lambda: "Received DISCONNECT from hub" in broker.log())

    @pytest.mark.parametrize("violent", [False, True])
    async def test_returns_after_a_broker_restart(
        self, broker: Broker, version: Version, *, violent: bool
    ) -> None:
        """Stopped or killed, the broker is found again and users are told to publish anew."""
        hub = bed(broker.port, version)
        async with hub.running() as link:
            await (broker.kill() if violent else broker.stop())
            await eventually(lambda: not link.connected.is_set())
            await broker.start()
            await eventually(link.connected.is_set)
            assert link.generation == 2
            async with peer(broker.port) as other:
                await other.publish("pinsmith/hub/request/a/b", b"hello again")
                await eventually(lambda: hub.payloads == [b"hello again"])
        assert hub.kinds[0:2] == [LinkKind.CONNECTED, LinkKind.LOST]

    async def test_keeps_its_session_while_away(self, broker: Broker, version: Version) -> None:
        """Commands sent while the hub is away wait on the broker, through a kill of the broker too."""
        async with bed(broker.port, version).running():
            pass
        async with peer(broker.port) as other:
            await other.publish("pinsmith/hub/request/a/b", b"meanwhile")
        await broker.kill()
        await broker.start()
        hub = bed(broker.port, version)
        async with hub.running():
            await eventually(lambda: hub.payloads == [b"meanwhile"])
