"""A real mosquitto for tests: on a free loopback port, in its own folder, stopped and killed at will."""

import asyncio
import contextlib
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.mqtt.certificates import Pair

# Debian keeps daemons out of an ordinary user's PATH.
_BINARY = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

# MQTT 3.1.1, clean session, no user, a name that the broker makes up.
_CONNECT = bytes.fromhex("10 0c 00 04 4d 51 54 54 04 02 00 3c 00 00")


async def eventually(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait until `condition` holds; fail when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"did not come true within {seconds} s")
        await asyncio.sleep(0.01)


def free_port() -> int:
    """Return a loopback TCP port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class BrokerTls:
    """What a TLS listener needs; `ask_client` makes it demand a client certificate."""

    ca_file: Path
    pair: Pair
    ask_client: bool = False


class Broker:
    """A mosquitto whose sessions survive restarts and kills on the same port."""

    def __init__(
        self,
        folder: Path,
        *,
        passwords: dict[str, str] | None = None,
        acl: str | None = None,
        tls: BrokerTls | None = None,
        extra: str = "",
    ) -> None:
        self.port = free_port()
        self._folder = folder
        self._passwords = passwords
        self._acl = acl
        self._tls = tls
        self._extra = extra
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start and wait until it takes connections."""
        if _BINARY is None:
            raise RuntimeError("mosquitto is not installed; scripts/need-mosquitto says how to get it")
        config = await self._write_config()
        self._process = await asyncio.create_subprocess_exec(
            _BINARY,
            "-c",
            str(config),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await eventually(self._listens)

    async def stop(self) -> None:
        """Stop it the orderly way; sessions are saved."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def kill(self) -> None:
        """Kill it, with every change up to now on its disk."""
        if self._process is not None and self._process.returncode is None:
            await self._saves()
            self._process.kill()
            await self._process.wait()

    async def _saves(self) -> None:
        """Wait until it saved what it acknowledged.

        It acknowledges first and saves at the end of the same turn of its loop. Whoever connects after the
        acknowledgement is served in a later turn; a refusal is an answer as well.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        with contextlib.suppress(ConnectionError):
            writer.write(_CONNECT)
            await asyncio.wait_for(reader.read(1), 15)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    def log(self) -> str:
        """Return what it wrote so far."""
        return (self._folder / "log").read_text()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _listens(self) -> bool:
        if self._process is None or self._process.returncode is not None:
            raise AssertionError(f"mosquitto did not start:\n{self.log()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    async def _write_config(self) -> Path:
        lines = [
            f"persistence_location {self._folder}/",
            "persistence true",
            "autosave_interval 1",
            "autosave_on_changes true",
            f"log_dest file {self._folder}/log",
            "log_type all",
            f"listener {self.port} 127.0.0.1",
            f"allow_anonymous {'true' if self._passwords is None else 'false'}",
            self._extra,
        ]
        if os.geteuid() == 0:
            # It would become its own user, who cannot read a test's folder.
            lines.append("user root")
        if self._passwords is not None:
            file = self._folder / "passwords"
            file.write_text("".join(f"{user}:{password}\n" for user, password in self._passwords.items()))
            file.chmod(0o600)
            # In place, because the other way shows the password among the process arguments.
            hashing = await asyncio.create_subprocess_exec("mosquitto_passwd", "-U", str(file))
            if await hashing.wait() != 0:
                raise RuntimeError("mosquitto_passwd could not hash the password file")
            lines.append(f"password_file {file}")
        if self._acl is not None:
            acl_file = self._folder / "acl"
            acl_file.write_text(self._acl)
            acl_file.chmod(0o600)
            lines.append(f"acl_file {acl_file}")
        if self._tls is not None:
            lines += [
                f"cafile {self._tls.ca_file}",
                f"certfile {self._tls.pair.cert}",
                f"keyfile {self._tls.pair.key}",
                f"require_certificate {'true' if self._tls.ask_client else 'false'}",
            ]
        config = self._folder / "mosquitto.conf"
        config.write_text("\n".join(lines) + "\n")
        return config


@dataclass(frozen=True)
class Heard:
    """A message a peer received."""

    topic: str
    payload: bytes
    retain: bool


class Peer:
    """Somebody else on the broker, built on paho alone: subscribes with QoS 1, publishes, remembers."""

    def __init__(self, client: mqtt.Client) -> None:
        self.heard: list[Heard] = []
        self.subscribed = False
        self._client = client
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message

    def payloads(self, topic: str) -> list[bytes]:
        """Return the payloads heard under `topic`, oldest first."""
        return [message.payload for message in self.heard if message.topic == topic]

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish and wait until the broker has it."""
        info = self._client.publish(topic, payload, qos, retain)
        await eventually(info.is_published)

    def _on_connect(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe("#", 1)

    def _on_subscribe(self, *_: object) -> None:
        self.subscribed = True

    def _on_message(self, _client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        self.heard.append(Heard(message.topic, bytes(message.payload), message.retain))


@contextlib.asynccontextmanager
async def peer(port: int, *, user: str | None = None, password: str | None = None) -> AsyncIterator[Peer]:
    """Connect a peer to a plain broker on loopback."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.username_pw_set(user, password)
    somebody = Peer(client)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        await eventually(lambda: somebody.subscribed)
        yield somebody
    finally:
        client.disconnect()
        client.loop_stop()
        # paho's sockets would wait for the garbage collector in a cycle of callbacks.
        client.on_connect = client.on_subscribe = client.on_message = None
