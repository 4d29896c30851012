"""What is wrong at a real broker, and what the doctor says of it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import amqtt.broker
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from gateway.cli.broker import connected
from gateway.cli.exits import NoDaemon
from gateway.config import Settings, load
from gateway.doctor.examine import examine
from gateway.doctor.finding import Severity
from gateway.doctor.probe_machine import ClockFacts
from gateway.mqtt.link import BRIEF_CONNECTIONS
from gateway.system_clock import SystemClock
from tests.daemon.bed import PINS, Message, running, somebody
from tests.daemon.test_reload import BACK, FRONT, started
from tests.doctor.bed import CLIENT, Report, report, settings
from tests.mqtt.broker import Broker, BrokerTls, eventually, free_port, peer
from tests.mqtt.certificates import Authority

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]

ACL = (Path(__file__).parents[2] / "docs" / "mosquitto.acl").read_text()
PASSWORDS = {"pinsmith": "right"}


class Hurried(SystemClock):
    """Waits a fortieth of the time."""

    async def sleep(self, seconds: float) -> None:
        """Sleep, but not for long."""
        await asyncio.sleep(seconds / 40)


class Unsynchronised(SystemClock):
    """On a machine that reaches no time server."""

    def synchronised(self) -> bool:
        """Say no."""
        return False


def guarded(folder: Path, port: int, password: str = "right") -> Settings:
    """The gateway with a user and a password."""
    (folder / "password").write_text(password)
    (folder / "password").chmod(0o600)
    return settings(folder, port, mqtt='username = "pinsmith"\npassword_file = "password"')


def encrypted(folder: Path, port: int, ca_file: Path, extra: str = "") -> Settings:
    """The gateway over TLS."""
    return settings(folder, port, scheme="mqtts", mqtt=f'ca_file = "{ca_file}"\n{extra}')


@contextlib.asynccontextmanager
async def secured(
    folder: Path, authority: Authority, *, host: str = "127.0.0.1", expired: bool = False, ask: bool = False
) -> AsyncIterator[Broker]:
    """A broker with a certificate."""
    pair = authority.issue("broker", host=host, expired=expired)
    async with Broker(folder, tls=BrokerTls(authority.ca_file, pair, ask)) as broker:
        yield broker


async def test_a_port_where_nothing_listens(tmp_path: Path) -> None:
    """The broker is stopped."""
    found = await report(settings(tmp_path, free_port()))
    told = found.says("broker_nobody_listens", "The broker does not run", "systemctl status mosquitto")
    assert "mqtt://127.0.0.1:" in told.what


async def test_a_name_that_nobody_knows(tmp_path: Path) -> None:
    """A typing mistake in the address."""
    found = await report(settings(tmp_path, 1883, host="broker.invalid", mqtt="allow_plaintext = true"))
    found.says("broker_name_not_found", "mistyped", "Correct mqtt.url")
    found.says("mqtt_plaintext", "PINs can be read on the way", "mqtts://")


async def test_a_wrong_password(tmp_path: Path) -> None:
    """The password at the broker was changed."""
    async with Broker(tmp_path, passwords=PASSWORDS) as broker:
        found = await report(guarded(tmp_path, broker.port, "wrong"))
    found.says("broker_wrong_password", "not what the broker knows", "mosquitto_passwd")


async def test_a_password_that_only_the_service_has(tmp_path: Path) -> None:
    """Nothing is wrong with it: the command does not see it."""
    async with Broker(tmp_path, passwords=PASSWORDS) as broker:
        found = await report(settings(tmp_path, broker.port, mqtt='username = "pinsmith"'))
        with (
            pytest.raises(NoDaemon, match=r"without a password.*use sudo"),
            connected(settings(tmp_path, broker.port, mqtt='username = "pinsmith"')),
        ):
            pass
    found.says("broker_no_password", "credential mqtt-password", "sudo pinsmith doctor")
    assert "broker_wrong_password" not in found.ids


async def test_a_key_that_only_the_service_has(tmp_path: Path) -> None:
    """Without it there is no use in knocking, and the files are not to blame."""
    (tmp_path / "hub.pem").write_text("certificate")
    settings(tmp_path, free_port(), scheme="mqtts")
    file = tmp_path / "pinsmith.toml"
    file.write_text(file.read_text().replace("[mqtt]\n", '[mqtt]\ncert_file = "hub.pem"\n'))
    found = await report(load(file, {}, service=tmp_path / "pinsmith.service"))
    found.says("broker_not_visited", "to the service alone", "systemctl start pinsmith")
    assert "broker_tls_files" not in found.ids


async def test_no_password_where_one_is_wanted(tmp_path: Path) -> None:
    """The broker lets nobody in without a name."""
    async with Broker(tmp_path, passwords=PASSWORDS) as broker:
        found = await report(settings(tmp_path, broker.port))
    found.says("broker_not_authorised", "nobody without a password", "mqtt.username")


async def test_the_access_list_of_the_documentation_is_in_order(tmp_path: Path) -> None:
    """The rights are tried by messages that come through."""
    async with Broker(tmp_path, passwords=PASSWORDS, acl=ACL) as broker:
        how = guarded(tmp_path, broker.port)
        found = await report_as(how, "pinsmith")
    assert "broker" in found.in_order
    found.says("daemon_not_running", "It is stopped", "systemctl start")


async def test_an_access_list_that_keeps_commands_from_the_gateway(tmp_path: Path) -> None:
    """The broker grants the subscription and passes nothing on."""
    acl = "user pinsmith\ntopic write pinsmith/#\npattern read pinsmith/+/response/%u/#\n"
    async with Broker(tmp_path, passwords=PASSWORDS, acl=acl) as broker:
        found = await report_as(guarded(tmp_path, broker.port), "pinsmith")
    found.says("broker_may_not_read_requests", "may not read request/#", "docs/mosquitto.acl")
    assert "broker_may_not_answer" not in found.ids


async def test_an_access_list_that_keeps_answers_back(tmp_path: Path) -> None:
    """Commands get in and their answers do not get out."""
    acl = "user pinsmith\ntopic read pinsmith/+/request/#\npattern write pinsmith/+/request/%u/#\n"
    async with Broker(tmp_path, passwords=PASSWORDS, acl=acl) as broker:
        found = await report_as(guarded(tmp_path, broker.port), "pinsmith")
    found.says("broker_may_not_answer", "response/", "docs/mosquitto.acl")


async def test_an_expired_certificate(tmp_path: Path) -> None:
    """Nobody renewed it."""
    authority = Authority(tmp_path)
    async with secured(tmp_path, authority, expired=True) as broker:
        found = await report(encrypted(tmp_path, broker.port, authority.ca_file))
    found.says("broker_certificate_expired", "Nobody renewed it", "Renew the broker's certificate")


async def test_a_certificate_of_somebody_else(tmp_path: Path) -> None:
    """ca_file is another authority than the one that signed."""
    (tmp_path / "other").mkdir()
    async with secured(tmp_path, Authority(tmp_path)) as broker:
        found = await report(
            encrypted(tmp_path, broker.port, Authority(tmp_path / "other", "another authority").ca_file)
        )
    found.says("broker_certificate_untrusted", "not the authority that signed it", "Set mqtt.ca_file")


async def test_a_certificate_for_another_name(tmp_path: Path) -> None:
    """The broker moved to another address."""
    authority = Authority(tmp_path)
    async with secured(tmp_path, authority, host="192.0.2.7") as broker:
        found = await report(encrypted(tmp_path, broker.port, authority.ca_file))
    found.says("broker_certificate_for_another_name", "does not have", "Use the name in the certificate")


async def test_a_certificate_that_ends_soon_works_and_is_told(tmp_path: Path) -> None:
    """The certificates of tests are good for a day."""
    authority = Authority(tmp_path)
    async with secured(tmp_path, authority) as broker:
        found = await report(encrypted(tmp_path, broker.port, authority.ca_file))
    told = found.says("broker_certificate_ends_soon", "cannot tell or be told", "Renew it now")
    assert "ends in 0 days" in told.what
    assert "broker" in found.in_order


async def test_a_broker_that_asks_for_a_certificate_of_the_hub(tmp_path: Path) -> None:
    """The handshake succeeds, and then the broker hangs up."""
    authority = Authority(tmp_path)
    async with secured(tmp_path, authority, ask=True) as broker:
        found = await report(encrypted(tmp_path, broker.port, authority.ca_file))
    found.says("broker_wants_certificate", "asks for a certificate of this hub", "mqtt.cert_file")


async def test_a_certificate_of_the_hub_that_has_expired(tmp_path: Path) -> None:
    """The broker refuses it; the doctor has read its date itself."""
    authority = Authority(tmp_path)
    own = authority.issue("hub", expired=True)
    own.key.chmod(0o600)
    async with secured(tmp_path, authority, ask=True) as broker:
        how = encrypted(
            tmp_path, broker.port, authority.ca_file, f'cert_file = "{own.cert}"\nkey_file = "{own.key}"'
        )
        found = await report(how)
    found.says("own_certificate_expired", "Nobody renewed it", "mqtt.cert_file")
    found.says("broker_closed", "does not take our certificate", "its log")


async def test_a_certificate_of_the_hub_that_ends_soon(tmp_path: Path) -> None:
    """It works for another day."""
    authority = Authority(tmp_path)
    own = authority.issue("hub")
    async with secured(tmp_path, authority, ask=True) as broker:
        extra = f'cert_file = "{own.cert}"\nkey_file = "{own.key}"'
        own.key.chmod(0o644)
        found = await report(encrypted(tmp_path, broker.port, authority.ca_file, extra))
    found.says("own_certificate_ends_soon", "Certificates end", "Make a new one")
    told = found.says("secret_file_open", "usual mode", f"chmod 600 {own.key}")
    assert str(own.key) in told.what


async def test_key_and_certificate_that_do_not_belong_together(tmp_path: Path) -> None:
    """Two pairs were mixed up."""
    authority = Authority(tmp_path)
    one, other = authority.issue("one"), authority.issue("other")
    async with secured(tmp_path, authority, ask=True) as broker:
        extra = f'cert_file = "{one.cert}"\nkey_file = "{other.key}"'
        found = await report(encrypted(tmp_path, broker.port, authority.ca_file, extra))
    found.says("broker_tls_files", "do not belong together", "Put the right files there")


async def test_tls_to_a_port_that_speaks_none(tmp_path: Path) -> None:
    """mqtts:// with the plain port."""
    authority = Authority(tmp_path)
    async with Broker(tmp_path) as broker:
        found = await report(encrypted(tmp_path, broker.port, authority.ca_file))
    found.says("broker_no_tls", "not one for TLS", "8883")


async def test_plain_mqtt_to_a_port_that_wants_tls(tmp_path: Path) -> None:
    """mqtt:// with the port for TLS."""
    async with secured(tmp_path, Authority(tmp_path)) as broker:
        found = await report(settings(tmp_path, broker.port))
    found.says("broker_closed", "it wants TLS on this port", "8883 TLS")


async def test_a_broker_that_speaks_only_the_older_mqtt(tmp_path: Path) -> None:
    """A real one that knows 3.1.1 only."""
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    port = free_port()
    old = amqtt.broker.Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await old.start()
    try:
        found = await report(settings(tmp_path, port))
    finally:
        await old.shutdown()
    told = found.says("broker_wrong_version", "An older or smaller broker", 'version = "3.1.1"')
    assert "but 3.1.1" in told.what


async def test_another_hub_under_our_name(tmp_path: Path) -> None:
    """A copied card: a daemon with our id is online, and none runs on our data directory."""
    (tmp_path / "other").mkdir()
    async with (
        Broker(tmp_path) as broker,
        somebody(broker.port, "watcher") as watcher,
        running(settings(tmp_path / "other", broker.port), watcher),
    ):
        found = await report(settings(tmp_path, broker.port))
    told = found.says("two_hubs", "the same gateway.id", "its own gateway.id")
    assert "under the name hub" in told.what


async def test_a_daemon_that_did_not_start_after_a_power_cut(tmp_path: Path) -> None:
    """The broker still has its "online", and its will was never told."""
    async with Broker(tmp_path) as broker, somebody(broker.port, "watcher") as watcher:
        how = settings(tmp_path, broker.port)
        async with running(how, watcher):
            await eventually(lambda: watcher.under("bridge/health"))
            await broker.kill()
        await broker.start()
        async with peer(broker.port) as late:
            await eventually(lambda: any(b'"online"' in m.payload for m in late.heard if m.retain))
        found = await report(how)
    found.says("daemon_not_running", "is an older word", "systemctl start pinsmith")
    assert not found.ids & {"two_hubs", "daemon_silent"}


async def test_a_clock_that_the_daemon_trusts_without_a_time_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel knows nothing of what a person said, and the daemon goes by that."""
    kernel = ClockFacts(now=datetime.now(UTC), synchronised=False, zone=None)
    monkeypatch.setattr("gateway.doctor.examine.probe_clock", lambda: kernel)
    async with Broker(tmp_path) as broker, somebody(broker.port, "app") as app:
        how = settings(tmp_path, broker.port)
        async with running(how, app, clock=Unsynchronised()):
            before = await report(how)
            assert (await app.ask("clock/trust"))["status"] == "ok"
            after = await report(how)
            (tmp_path / "elsewhere").mkdir()
            elsewhere = await report(settings(tmp_path / "elsewhere", broker.port))
    before.says("clock_unsynchronised", "time service is not there", "`sudo pinsmith clock trust`")
    told = after.says("clock_trusted", "pinsmith clock trust", "See that the time is right")
    assert told.severity is Severity.NOTE
    assert "clock_unsynchronised" not in after.ids
    assert "clock_unsynchronised" in elsewhere.ids, "another hub's trust says nothing of this machine"


async def test_a_client_that_took_over_the_connection_of_the_daemon(tmp_path: Path) -> None:
    """The broker drops the older connection of two with the same client id."""
    async with Broker(tmp_path) as broker, somebody(broker.port, "watcher") as watcher:
        how = settings(tmp_path, broker.port)
        async with running(how, watcher, clock=Hurried()):
            for times in range(1, BRIEF_CONNECTIONS + 1):
                await eventually(partial(_came_online, watcher.heard, times))
                await push_out(broker.port)
            await eventually(lambda: _taken_over(watcher.heard) > 0)
            found = await report(how)
    found.says("client_id_taken_over", "the same gateway.id", "Stop one of them")


async def test_states_that_the_broker_refuses(tmp_path: Path) -> None:
    """The daemon's user may not write what shows how its locks are."""
    acl = (
        "user pinsmith\ntopic read pinsmith/#\ntopic write pinsmith/+/bridge/#\n"
        "topic write pinsmith/+/event/#\ntopic write pinsmith/+/response/#\nuser boss\ntopic readwrite #\n"
    )
    async with Broker(tmp_path, passwords=PASSWORDS | {"boss": "b"}, acl=acl) as broker:
        how = guarded(tmp_path, broker.port)
        async with somebody(broker.port, "boss", user="boss", password="b") as boss, running(how, boss):
            await eventually(lambda: _states_refused(boss.heard) > 0)
            found = await report_as(how, "pinsmith")
    found.says("states_refused", "may not write below lock/", "docs/mosquitto.acl")


async def test_a_configuration_that_the_daemon_did_not_take_over(tmp_path: Path) -> None:
    """A lock left the file while codes are on it; then it is back, with what counts after a restart only."""
    async with (
        Broker(tmp_path) as broker,
        somebody(broker.port, "app") as app,
        started(tmp_path, broker, app, FRONT) as hub,
    ):
        how = settings(tmp_path, broker.port)
        await app.create(PINS[0])
        await hub.reload(BACK)
        await eventually(lambda: app.last("bridge/health")["configuration"]["mistakes"])
        refused = (await report(how)).says("configuration_refused", "not possible now", "systemctl reload")
        assert "locks.front: missing" in refused.what
        await hub.reload(FRONT, mqtt_extra="outbox_limit = 5000")
        await eventually(lambda: app.last("bridge/health")["configuration"]["restart_needed"])
        later = (await report(how)).says("restart_needed", "since the daemon was started", "restart pinsmith")
        assert "mqtt" in later.what


async def test_a_daemon_that_commands_do_not_reach(tmp_path: Path) -> None:
    """It is online and hears nothing: its user may not read requests."""
    acl = (
        "user pinsmith\ntopic write pinsmith/#\npattern read pinsmith/+/response/%u/#\n"
        "pattern read pinsmith/+/bridge/state\n"
    )
    passwords = PASSWORDS | {"boss": "b"}
    async with Broker(tmp_path, passwords=passwords, acl=acl + "user boss\ntopic readwrite #\n") as broker:
        how = guarded(tmp_path, broker.port)
        async with somebody(broker.port, "boss", user="boss", password="b") as boss, running(how, boss):
            found = await report_as(how, "pinsmith")
    found.says("daemon_silent", "Commands do not reach it", "journalctl -u pinsmith")


async def test_a_hub_in_order_with_its_daemon_running(tmp_path: Path) -> None:
    """Questions are answered, the database is read while it is in use, and nothing is retained."""
    async with Broker(tmp_path) as broker, somebody(broker.port, "watcher") as watcher:
        how = settings(tmp_path, broker.port)
        async with running(how, watcher):
            await eventually(lambda: watcher.under("lock/front/state"))
            found = await report(how)
            assert {"broker", "database", "key", "disk", "front"} <= found.in_order
            # The clock is that of the machine that the test runs on.
            assert found.ids <= {"mqtt_anonymous", "clock_unsynchronised"}
            async with peer(broker.port) as late:
                await asyncio.sleep(0.3)
                told = {message.topic for message in late.heard if message.retain}
    assert not any("doctor" in topic or CLIENT in topic for topic in told)


async def push_out(port: int) -> None:
    """Come in under the client id of the daemon, and leave."""
    thief = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id="pinsmith-hub", protocol=MQTTProtocolVersion.MQTTv5
    )
    thief.connect("127.0.0.1", port)
    thief.loop_start()
    await eventually(thief.is_connected)
    thief.disconnect()
    thief.loop_stop()


def _came_online(heard: list[Message], times: int) -> bool:
    states = [message.json.get("state") for message in heard if message.topic.endswith("bridge/state")]
    return states.count("online") >= times


async def report_as(how: Settings, client: str) -> Report:
    """Let the doctor look as a user with a name at the broker."""
    return Report(tuple(await examine(how, client=client, credentials=None)))


def _states_refused(heard: list[Message]) -> int:
    return max((int(one["counters"].get("states_refused", 0)) for one in _healths(heard)), default=0)


def _taken_over(heard: list[Message]) -> int:
    return max((int(one["mqtt"]["taken_over"]) for one in _healths(heard)), default=0)


def _healths(heard: list[Message]) -> list[dict[str, Any]]:
    return [message.json for message in heard if message.topic.endswith("bridge/health")]
