"""TLS to a real broker: it works with the right files, and every wrong one is told by name."""

from pathlib import Path

import pytest

from gateway.mqtt import link_state
from gateway.mqtt.link_settings import TlsSettings
from gateway.mqtt.link_state import LinkKind, LinkState
from tests.mqtt.broker import Broker, BrokerTls, eventually
from tests.mqtt.certificates import Authority, Pair
from tests.mqtt.link_bed import Version, bed

pytestmark = pytest.mark.mosquitto

both_versions = pytest.mark.parametrize("version", ["3.1.1", "5"])


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Whom both sides believe."""
    return Authority(tmp_path)


def hub_tls(ca_file: Path, pair: Pair | None = None) -> TlsSettings:
    """Return the hub's side of it."""
    return TlsSettings(ca_file, *((pair.cert, pair.key) if pair else (None, None)))


async def first_state(broker: Broker, tls: TlsSettings | None, version: Version = "5") -> LinkState:
    """Return the first state a link tells."""
    hub = bed(broker.port, version, tls=tls)
    async with hub.running(connected=False):
        await eventually(lambda: hub.states)
    return hub.states[0]


@both_versions
async def test_a_client_certificate_lets_the_hub_in(
    tmp_path: Path, authority: Authority, version: Version
) -> None:
    """With it the link connects and publishes; without it the state says what to check."""
    pair = authority.issue("hub")
    tls = BrokerTls(authority.ca_file, authority.issue("broker"), ask_client=True)
    async with Broker(tmp_path, tls=tls) as broker:
        async with bed(broker.port, version, tls=hub_tls(authority.ca_file, pair)).running() as link:
            await link.publish("pinsmith/hub/event", b"x")
        assert await first_state(broker, hub_tls(authority.ca_file), version) == link_state.CLOSED_EARLY_TLS


async def test_certificates_of_the_broker_that_cannot_be_believed(
    tmp_path: Path, authority: Authority
) -> None:
    """Unknown authority, wrong name and wrong time are told apart."""
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    cases = [
        (authority.issue("good"), Authority(foreign, "somebody").ca_file, "not trusted"),
        (authority.issue("elsewhere", host="127.0.0.9"), authority.ca_file, "another name"),
        (authority.issue("old", expired=True), authority.ca_file, "expired"),
    ]
    for pair, ca_file, word in cases:
        async with Broker(tmp_path, tls=BrokerTls(authority.ca_file, pair)) as broker:
            state = await first_state(broker, hub_tls(ca_file))
        assert state.kind is LinkKind.TLS_FAILED
        assert word in state.message


async def test_files_that_cannot_be_used(tmp_path: Path, authority: Authority) -> None:
    """A missing file, one that is no PEM and an unfitting key never get as far as the network."""
    hub, other = authority.issue("hub"), authority.issue("other")
    junk = tmp_path / "junk.pem"
    junk.write_text("junk")
    async with Broker(tmp_path, tls=BrokerTls(authority.ca_file, authority.issue("broker"))) as broker:
        for tls in (
            hub_tls(tmp_path / "missing.pem"),
            hub_tls(junk),
            hub_tls(authority.ca_file, Pair(hub.cert, other.key)),
        ):
            assert await first_state(broker, tls) == link_state.TLS_FILES


async def test_one_side_without_tls(tmp_path: Path, authority: Authority) -> None:
    """TLS to a plain port and plain to a TLS port both end in words that name TLS."""
    encrypted, plain = tmp_path / "encrypted", tmp_path / "plain"
    encrypted.mkdir()
    plain.mkdir()
    async with Broker(encrypted, tls=BrokerTls(authority.ca_file, authority.issue("broker"))) as broker:
        assert "TLS" in (await first_state(broker, None)).message
    async with Broker(plain) as broker:
        state = await first_state(broker, hub_tls(authority.ca_file))
        assert state.kind is LinkKind.TLS_FAILED
        assert "TLS" in state.message
