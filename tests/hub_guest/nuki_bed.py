"""A virtual Nuki lock beside the guest, and the far end of the guest's Bluetooth adapter.

The lock stands on a link of bumble's. The other end of the link is a controller that the kernel in the guest
sees as an adapter (hci_vhci, see bridge.py), so that kernel, BlueZ, D-Bus and bleak's own backend are the
real ones. It runs on the host: emulated, the lock alone would keep a processor busy.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Self, cast

from bumble import ll
from bumble.controller import Controller
from bumble.hci import HCI_ErrorCode, HCI_LE_Advertising_Report_Event, HCI_Packet, LeFeatureMask
from bumble.transport.common import StreamPacketSink, StreamPacketSource

from gateway.system_clock import SystemClock
from tests.ble_bed.nuki.brain import Brain
from tests.ble_bed.nuki.memory import Code, Memory
from tests.ble_bed.nuki.on_air import NukiOnAir
from tests.ble_bed.radio import Air

LEGACY = 31
"""Bytes in an advertisement."""
SELDOM_S = 2.0
"""Between advertisements: each costs an emulated machine time."""
ADDRESS = "C0:00:00:00:0A:01"
SECURITY_PIN = 2468


class NukiBed:
    """The lock; `port` on loopback is where a guest reaches its adapter."""

    def __init__(self, lock: NukiOnAir, memory: Memory, port: int) -> None:
        """Use `start`."""
        self.port = port
        self._lock = lock
        self._memory = memory

    @classmethod
    @asynccontextmanager
    async def start(cls) -> AsyncIterator[Self]:
        """Hang up the lock, and wait for guests."""
        air, memory = Air(), Memory()
        brain = Brain(now=SystemClock().now, random=os.urandom, pin=SECURITY_PIN, memory=memory)
        lock = await NukiOnAir.hang_up(air, ADDRESS, brain)
        lock.most = LEGACY
        lock.peripheral.interval_s = SELDOM_S
        await lock.advertise()
        server = await asyncio.get_running_loop().create_server(partial(_Adapter, air), "127.0.0.1", 0)
        async with server:
            yield cls(lock, memory, server.sockets[0].getsockname()[1])

    async def press_button(self, *, pairing: bool) -> None:
        """Let the lock be paired, or no longer."""
        self._lock.brain.pairing = pairing
        await self._lock.advertise()

    def app_adds(self, digits: str) -> int:
        """Store a code as the vendor's app does; return its number."""
        code = Code(pin=int(digits), name=b"Cleaner".ljust(20, b"\0"), created=self._lock.brain.clock())
        return self._memory.add(code)

    def app_deletes(self, number: int) -> None:
        """Delete it there too."""
        del self._memory.codes[number]

    @property
    def codes(self) -> list[str]:
        """Return the PINs that open the door, sorted."""
        return sorted(str(code.pin) for code in self._memory.codes.values() if code.enabled)


class _Adapter(StreamPacketSource):
    """One life of the guest's adapter, from its plugging in until the guest goes down."""

    def __init__(self, air: Air) -> None:
        super().__init__()
        self._air = air

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the guest's kernel a controller of its own."""
        sink = StreamPacketSink(cast("asyncio.WriteTransport", transport))
        self._controller = _Fading("hci0", host_source=self, host_sink=sink, link=self._air.link)
        # With either of them BlueZ scans in ways that bumble's controller does not know (bumble issue 841).
        self._controller.le_features &= ~(LeFeatureMask.LL_PRIVACY | LeFeatureMask.LE_EXTENDED_ADVERTISING)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the lock notice that nobody is there any more."""
        del exc
        for connection in self._controller.le_connections.values():
            connection.send_ll_control_pdu(ll.TerminateInd(HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR))
        self._air.link.remove_controller(self._controller)


class _Fading(Controller):
    """Hears advertisements now stronger, now weaker, as every adapter does.

    BlueZ tells of one that it knows only when something about it has changed.
    """

    _heard = 0

    def send_hci_packet(self, packet: HCI_Packet) -> None:
        """Pass on what was heard; an advertisement is two reports."""
        if isinstance(packet, HCI_LE_Advertising_Report_Event):
            strength = -50 - 10 * (self._heard // 2 % 2)
            self._heard += 1
            packet = HCI_LE_Advertising_Report_Event([replace(one, rssi=strength) for one in packet.reports])
        super().send_hci_packet(packet)
