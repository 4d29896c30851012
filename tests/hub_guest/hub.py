"""The hub in the guest: its service, its locks, and people who talk to it from outside."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.daemon.bed import Somebody
from tests.hub_guest.credentials import CA_FILE, CERT_FILE
from tests.hub_guest.guest import HOST, Guest
from tests.hub_guest.nuki_bed import NukiBed
from tests.zwave_bed.bed import ZwaveBed

PATIENCE_S = 120.0
"""Far more than anything here takes on an idle machine."""
NODE = 2
_CONFIG = """
[gateway]
id = "hub"
time_zone = "Europe/Berlin"

[mqtt]
url = "mqtts://127.0.0.1"
username = "pinsmith"
ca_file = "{ca_file}"
cert_file = "{cert_file}"

[drivers.ble]
restart_most_s = 5

[drivers.zwave]
url = "{zwave}"
allow_plaintext = true

[locks.front]
driver = "zwave"
node = {node}

[locks.cellar]
driver = "nuki"
"""
IMPATIENT = """
[timing]
back_off_first = "10s"
"""
"""An emulated machine often loses its first connection to a lock; the minute after that is not tried here."""


@dataclass(frozen=True)
class Hub:
    """What the steps of the test use."""

    guest: Guest
    outside: Somebody
    """Gives commands from the host, under a name of its own."""
    house: Somebody
    """Watches events and health, as Home Assistant would."""
    bed: ZwaveBed
    """Runs on the host: an emulated Node.js needs minutes to start."""
    nuki: NukiBed

    @property
    def config(self) -> str:
        """Return the configuration of the daemon: its secrets come from systemd."""
        config = _CONFIG.format(zwave=self.server, node=NODE, ca_file=CA_FILE, cert_file=CERT_FILE)
        return config + IMPATIENT

    @property
    def server(self) -> str:
        """Return where the guest finds the Z-Wave server."""
        return f"ws://{HOST}:{urlsplit(self.bed.ws).port}"

    async def ask(self, verb: str, **parameters: str) -> dict[str, Any]:
        """Give a command from outside that has to succeed."""
        answer = await self.outside.ask(verb, **parameters)
        assert answer["status"] == "ok", answer
        data: dict[str, Any] = answer["data"]
        return data

    async def create(self, lock: str, pin: str, **parameters: str) -> str:
        """Ask for a code and return its id."""
        answer = await self.ask("access_codes/create", device_id=lock, code=pin, **parameters)
        code_id: str = answer["access_code"]["access_code_id"]
        return code_id

    async def status(self, code_id: str) -> str:
        """Return the status of a code."""
        answer = await self.ask("access_codes/get", access_code_id=code_id)
        status: str = answer["access_code"]["status"]
        return status

    async def set(self, lock: str, pin: str) -> str:
        """Ask for a code, wait until the hub says that it is on the lock and the lock says so too."""
        code_id = await self.create(lock, pin)
        await self.becomes(code_id, "set")
        await self.has(lock, pin)
        return code_id

    async def has(self, lock: str, pin: str) -> None:
        """Wait until a PIN is truly on a lock, at once."""

        async def does() -> bool:
            return pin in await self.on_lock(lock)

        await until(does, f"it is on {lock}")

    async def becomes(self, code_id: str, status: str) -> None:
        """Wait until a code has a status."""

        async def has() -> bool:
            return await self.status(code_id) == status

        await until(has, f"the code is {status}")

    async def on_lock(self, lock: str) -> list[str]:
        """Return the PINs that are truly on a lock, sorted: a PIN in two slots is there twice."""
        if lock == "front":
            return sorted(one.code for one in (await self.bed.slots(NODE)).values() if one.status == 1)
        return self.nuki.codes

    async def holds(self, lock: str, *pins: str) -> None:
        """Wait until exactly these PINs are on a lock."""

        async def does() -> bool:
            return await self.on_lock(lock) == sorted(pins)

        await until(does, f"exactly {len(pins)} codes are on {lock}")

    async def shows(self, name: str) -> str:
        """Return one of the properties that systemd shows of the service."""
        return await self.guest.order(f"systemctl show pinsmith -P {name}")

    async def runs_again(self, after: str) -> None:
        """Wait until the service is ready in another process than `after`, and heard at the broker."""

        async def does() -> bool:
            return await self.shows("ActiveState") == "active" and await self.shows("MainPID") != after

        await until(does, "the service is ready again")
        await until(self.answers, "it answers")

    async def answers(self) -> bool:
        """Say whether a command gets its answer."""
        try:
            return bool((await self.outside.ask("devices/list"))["status"] == "ok")
        except (AssertionError, RuntimeError):  # RuntimeError: the broker is away.
            return False


async def until(
    condition: Callable[[], Awaitable[object]], what: str, *, seconds: float = PATIENCE_S
) -> None:
    """Wait until a condition holds. Raises AssertionError when it does not in time."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"within {seconds:.0f} s it did not come true that {what}"
        await asyncio.sleep(0.5)
