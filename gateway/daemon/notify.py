"""Tells the service manager how the daemon is: sd_notify(3) in a few lines."""

import logging
import os
import socket
import time
from collections.abc import Callable, Mapping

from gateway.domain.trouble import Trouble

_log = logging.getLogger(__name__)
_US = 1_000_000


class Notifier:
    """Sends datagrams to the socket that systemd names; says nothing where there is none."""

    def __init__(self, env: Mapping[str, str], boot: Callable[[], float]) -> None:
        """Take NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID from the environment `env`.

        `boot` returns seconds of a clock that always runs.
        """
        address = env.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the zero byte of an abstract name; other kinds of socket are not ours.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        if not address.startswith(("/", "@")):
            self._address = ""
        self.watchdog_s = _watchdog(env)
        """Seconds after which systemd ends a daemon that gave no sign of life; None: it does not watch."""
        self._untold = Trouble(_log, "service_manager_away", boot)

    def ready(self) -> None:
        """Say that the daemon is up, or has taken over another configuration."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Show one line in `systemctl status`."""
        self._send(f"STATUS={text.replace('\n', ' ')}")

    def alive(self) -> None:
        """Give a sign of life, if somebody waits for it."""
        if self.watchdog_s is not None:
            self._send("WATCHDOG=1")

    def reloading(self) -> None:
        """Say that the configuration is read again; `ready` ends it."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={now}")

    def stopping(self) -> None:
        """Say that the daemon leaves."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        try:
            # Not blocking: a service manager that does not read must not hold up the locks.
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
                sender.sendto(message.encode(), self._address)
        except OSError as error:
            self._untold.begins(f"The service manager was not told: {error.strerror}")
        else:
            self._untold.ends("The service manager is told again")


def _watchdog(env: Mapping[str, str]) -> float | None:
    if env.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    usec = env.get("WATCHDOG_USEC", "")
    return int(usec) / _US if usec.isascii() and usec.isdigit() and int(usec) else None
