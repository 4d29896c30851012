"""What pairing may use of the adapter."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import ExitStack, asynccontextmanager
from typing import override

from bleak.backends.device import BLEDevice

from drivers.ble.adapter import Adapter
from drivers.ble.family import Advert, Scan
from drivers.ble.waiting import within
from gateway.domain.clock import Clock
from gateway.domain.driver import PairingFailed


@asynccontextmanager
async def pairing_scan(
    adapter: Adapter, clock: Clock, known_as: Callable[[str], str | None]
) -> AsyncIterator[Scan]:
    """Lend the adapter's scan; a turn taken in it is given back at the end.

    `known_as` says which other lock of the configuration has an address: that one is passed over.
    """
    scan = _PairingScan(adapter, clock, known_as)
    try:
        yield scan
    finally:
        scan.close()


class _PairingScan(Scan):
    def __init__(self, adapter: Adapter, clock: Clock, known_as: Callable[[str], str | None]) -> None:
        self._adapter = adapter
        self._known_as = known_as
        self._clock = clock
        self._has_turn = False
        self._listening = ExitStack()

    @override
    async def find(self, fits: Callable[[Advert], bool], within_s: float) -> tuple[BLEDevice, Advert]:
        if self._adapter.trouble is not None:
            raise PairingFailed(f"there is no Bluetooth: {self._adapter.trouble}")
        found: list[tuple[BLEDevice, Advert]] = []
        others: set[str] = set()
        first = asyncio.Event()

        def take(device: BLEDevice, advert: Advert) -> bool:
            if fits(advert):
                if (other := self._known_as(advert.address)) is not None:
                    others.add(other)
                else:
                    found.append((device, advert))
                    first.set()
            return False

        # To the end of the pairing: a scan begun anew would be in the way of connecting.
        self._listening.enter_context(self._adapter.heard_by(take, active=True))
        if not await within(first, within_s, self._clock):
            if others:
                raise PairingFailed(_taken(others))
            raise PairingFailed(f"no such lock was heard within {within_s:.0f} s")
        if not self._has_turn:
            await self._adapter.turn.take()
            self._has_turn = True
        device, advert = found[-1]
        if (other := self._known_as(advert.address)) is not None:
            raise PairingFailed(_taken({other}))  # paired while this one waited for its turn
        return device, advert

    def close(self) -> None:
        """Give the turn back, if it was taken, and listen no more."""
        self._listening.close()
        if self._has_turn:
            self._has_turn = False
            self._adapter.turn.give_back()


def _taken(others: Collection[str]) -> str:
    names = " and ".join(sorted(others))
    return f"the lock that was heard is {names} already: unpair that first"
