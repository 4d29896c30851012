"""What stands for systemd in tests: a socket that hears what the daemon says about itself."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

from tests.mqtt.broker import eventually


class Manager:
    """Keeps every datagram with the seconds at which it came."""

    def __init__(self, address: str) -> None:
        """Listen at a path, or at an abstract name that begins with @."""
        self.address = address
        self.heard: list[tuple[float, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)

    def env(self, watchdog_s: float | None = None) -> dict[str, str]:
        """Return what the daemon is started with."""
        watched = {} if watchdog_s is None else {"WATCHDOG_USEC": str(round(watchdog_s * 1_000_000))}
        return {"NOTIFY_SOCKET": self.address, **watched}

    def lines(self) -> list[str]:
        """Return all that was said, one assignment each, oldest first."""
        return [line for _, message in self.heard for line in message.splitlines()]

    def status(self) -> str:
        """Return the newest line of status; empty before the first."""
        told = [line for line in self.lines() if line.startswith("STATUS=")]
        return told[-1].removeprefix("STATUS=") if told else ""

    def signs(self, since: float = 0.0) -> list[float]:
        """Return when signs of life came, since `since` by the monotonic clock."""
        return [at for at, message in self.heard if message == "WATCHDOG=1" and at > since]

    async def ready(self, times: int = 1) -> None:
        """Wait until the daemon said so often that it is ready."""
        await eventually(lambda: self.lines().count("READY=1") >= times)

    async def listen(self) -> None:
        """Take in what is said, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            message = await loop.sock_recv(self._socket, 4096)
            self.heard.append((time.monotonic(), message.decode()))

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()


@contextlib.asynccontextmanager
async def managing(folder: Path, address: str | None = None) -> AsyncIterator[Manager]:
    """Listen for as long as the block runs; below `folder` unless at another `address`."""
    manager = Manager(address or str(folder / "notify"))
    listening = asyncio.create_task(manager.listen())
    try:
        yield manager
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        manager.close()
