"""What `init` asks about the broker, at real brokers."""

import asyncio
import logging
import stat
from collections.abc import Sequence
from pathlib import Path

import amqtt.broker
import pytest

from gateway.cli.exits import Exit
from gateway.config import load
from gateway.doctor.probe_broker import probe_broker
from tests.daemon.bed import somebody
from tests.init.person import CTRL_C, Answers, Told, alone, at_terminal
from tests.mqtt.broker import Broker, BrokerTls, free_port
from tests.mqtt.certificates import Authority

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]

ACL = (Path(__file__).parents[2] / "docs" / "mosquitto.acl").read_text()
SECRET, WRONG = "r1ght-s3cret", "wr0ng-s3cret"
PASSWORDS = {"pinsmith": SECRET}


async def init(file: Path, url: str, answers: Answers, *extra: str) -> Told:
    """Run the command with the broker at `url`."""
    given: dict[str, str | Sequence[str]] = {"Name of this hub": "hub", "Address of the broker": url}
    return await asyncio.to_thread(at_terminal, file, alone() | given | dict(answers), *extra)


async def test_a_wrong_password_is_told_and_asked_for_again(file: Path, tmp_path: Path) -> None:
    """The right one is kept in a file of its own, is shown nowhere, and is what the broker takes."""
    answers: Answers = {"User": "pinsmith", "Password": (WRONG, SECRET), "Answer again": "again"}
    async with Broker(tmp_path, passwords=PASSWORDS, acl=ACL) as broker:
        told = await init(file, f"mqtt://127.0.0.1:{broker.port}", answers)
        settings = load(file, {})
        facts = await asyncio.to_thread(probe_broker, settings.mqtt, settings.topic_root, "pinsmith")
    assert told.code == Exit.OK, told.err
    assert "does not accept user and password" in told.err
    assert "takes us, and messages come through" in told.err
    assert told.was_asked("Password") == 2
    assert (facts.failure, facts.refusal, facts.may_send_answers) == (None, None, True)
    password = file.with_name("mqtt-password")
    assert (settings.mqtt.password_file, settings.mqtt.password()) == (password, SECRET)
    written = await asyncio.to_thread(file.read_text)
    assert stat.S_IMODE(password.stat().st_mode) & 0o027 == 0
    for text in (told.out, told.err, written):
        assert SECRET not in text
        assert WRONG not in text


async def test_ctrl_c_after_the_password_leaves_nothing(file: Path, tmp_path: Path) -> None:
    """It was tried from memory."""
    answers = {"User": "pinsmith", "Password": SECRET, "zwave-js-server": CTRL_C}
    async with Broker(tmp_path, passwords=PASSWORDS) as broker:
        told = await init(file, f"mqtt://127.0.0.1:{broker.port}", answers)
    assert told.code == 130
    assert list(file.parent.iterdir()) == []


async def test_a_password_that_is_there_is_used_at_enter(file: Path, tmp_path: Path) -> None:
    """Another one is not written over it without --replace."""
    file.with_name("mqtt-password").write_text(SECRET)
    answers: Answers = {"User": "pinsmith", "Password": (WRONG, "")}
    async with Broker(tmp_path, passwords=PASSWORDS) as broker:
        told = await init(file, f"mqtt://127.0.0.1:{broker.port}", answers)
    assert told.code == Exit.OK, told.err
    assert "press Enter to use it" in told.err
    assert load(file, {}).mqtt.password() == SECRET


async def test_missing_rights_are_told(file: Path, tmp_path: Path) -> None:
    """The access list forgot the hub."""
    answers: Answers = {"User": "pinsmith", "Password": SECRET, "Answer again": "keep"}
    async with Broker(tmp_path, passwords=PASSWORDS, acl="user other\ntopic readwrite #\n") as broker:
        told = await init(file, f"mqtt://127.0.0.1:{broker.port}", answers)
    assert "docs/mosquitto.acl" in told.err.partition("PROBLEM")[2]
    assert told.code == Exit.OK


async def test_certificates_are_asked_for_as_needed(file: Path, tmp_path: Path) -> None:
    """First who vouches for the broker; the hub's own once the broker has hung up for want of it."""
    authority = Authority(tmp_path)
    own = authority.issue("hub")
    answers: Answers = {
        "who vouches": ("none", str(tmp_path / "missing.pem"), str(authority.ca_file)),
        "certificate of this hub": str(own.cert),
        "key of that certificate": str(own.key),
        "Answer again": "again",
    }
    tls = BrokerTls(authority.ca_file, authority.issue("broker"), ask_client=True)
    async with Broker(tmp_path, tls=tls) as broker:
        told = await init(file, f"mqtts://127.0.0.1:{broker.port}", answers)
    assert told.code == Exit.OK, told.err
    assert "is not believed" in told.err
    assert "expected a file that this user may read" in told.err
    assert "hangs up after the encrypted connection" in told.err
    assert told.was_asked("certificate of this hub") == 1
    mqtt = load(file, {}).mqtt
    assert (mqtt.ca_file, mqtt.cert_file, mqtt.key_file) == (authority.ca_file, own.cert, own.key)


async def test_a_name_that_another_hub_has_is_told(file: Path, tmp_path: Path) -> None:
    """Two of one name throw each other out."""
    async with Broker(tmp_path) as broker, somebody(broker.port) as other:
        await other.send("pinsmith/hub/bridge/state", b'{"state":"online"}', retain=True)
        told = await init(
            file,
            f"mqtt://127.0.0.1:{broker.port}",
            {"Name of this hub": ("hub", "hub-2"), "Answer again": "keep"},
        )
    assert "A gateway called hub is at this broker now" in told.err
    assert load(file, {}).gateway.id == "hub-2"


async def test_a_broker_of_the_old_version_is_taken_as_it_is(file: Path) -> None:
    """It speaks 3.1.1; that is found out and written down."""
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
        told = await init(file, f"mqtt://127.0.0.1:{port}", {})
    finally:
        await old.shutdown()
    assert told.code == Exit.OK, told.err
    assert load(file, {}).mqtt.version == "3.1.1"
