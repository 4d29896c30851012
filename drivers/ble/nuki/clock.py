"""The lock's own clock: how far it is off, and setting it.

Whether a lock tells its time in UTC or in local time is not documented. It also tells the offset of its zone,
so that a clock which is right one way or the other is known to be right, and which way.
"""

import logging
from datetime import datetime, timedelta

from drivers.ble.nuki.asking import Asker
from drivers.ble.nuki.commands import Command
from drivers.ble.nuki.limits import moment_bytes
from drivers.ble.nuki.records import States
from gateway.domain.clock import Clock
from gateway.domain.driver import Refused

_LOG = logging.getLogger(__name__)
MAY_BE_OFF = timedelta(minutes=1)


def ahead(states: States, now: datetime) -> timedelta | None:
    """Return what to take from the lock's times to have UTC; None where its clock is wrong."""
    if states.at is None:
        return None
    for shift in (timedelta(0), states.offset):
        if abs(states.at - shift - now) <= MAY_BE_OFF:
            return shift
    return None


async def set_where_due(ask: Asker, states: States, clock: Clock, device_id: str) -> None:
    """Set the lock's clock where it is off by more than a minute and the hub knows the time."""
    if not clock.synchronised() or ahead(states, clock.now()) is not None:
        return
    try:
        await ask.with_pin(Command.UPDATE_TIME, moment_bytes(clock.now()))
    except Refused as refusal:
        _LOG.warning("%s: its clock is wrong and could not be set: %s", device_id, refusal)
    else:
        _LOG.info("%s: its clock was wrong and has been set", device_id)
