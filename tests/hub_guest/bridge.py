"""Runs in the guest as adapter.service: gives the kernel a Bluetooth adapter whose far end is on the host.

The port there is in the kernel's command line. Only what Debian's Python brings along: it has to start
quickly under emulation.
"""

import os
import select
import socket
import time
from pathlib import Path

HOST = "10.0.2.2"
_NEW_ADAPTER = bytes([0xFF, 0x00])
_HEADS = {0x02: (5, slice(3, 5)), 0x03: (4, slice(3, 4)), 0x04: (3, slice(2, 3))}
"""ACL data, SCO data, event: how long the head of a packet is, and where it says how much follows."""


def main() -> None:
    """Pass packets on in both directions until one side is gone."""
    [port] = [word[6:] for word in Path("/proc/cmdline").read_text().split() if word.startswith("radio=")]
    with _connected(int(port)) as host:
        host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        kernel, near = os.open("/dev/vhci", os.O_RDWR), host.fileno()
        os.write(kernel, _NEW_ADAPTER)
        waiting = b""
        while True:
            ready, _, _ = select.select([kernel, near], [], [])
            if kernel in ready and not (packet := os.read(kernel, 4096)).startswith(_NEW_ADAPTER[:1]):
                host.sendall(packet)
            if near in ready:
                received = host.recv(65536)
                if not received:
                    return
                waiting = _deliver(kernel, waiting + received)


def _connected(port: int) -> socket.socket:
    """Connect as soon as the network is there."""
    while True:
        try:
            return socket.create_connection((HOST, port))
        except OSError:
            time.sleep(0.2)


def _deliver(kernel: int, waiting: bytes) -> bytes:
    """Give the kernel whole packets, one by one; return what is left."""
    while waiting:
        head, size = _HEADS[waiting[0]]
        end = head + int.from_bytes(waiting[size], "little")
        if len(waiting) < max(head, end):
            break
        os.write(kernel, waiting[:end])
        waiting = waiting[end:]
    return waiting


if __name__ == "__main__":
    main()
