"""How often a lock went silent and came back: what a connection is called flaky by. Works on a `Work`."""

from datetime import datetime

from gateway.domain.lock import Device
from gateway.domain.timing import FLAKY, FLAKY_LASTS
from gateway.engine.waiting import age
from gateway.engine.work import Work


def note_silence(work: Work) -> None:
    """Note that the lock as a whole does not answer; what it is asked meanwhile is the same silence."""
    if work.device.silent_since is None:
        work.set_device(silent_since=work.now)


def note_return(work: Work) -> None:
    """Note that the lock is there; after a silence that is one return more."""
    device = work.device
    if device.silent_since is not None:
        count = device.returns + 1 if _is_near(device, device.silent_since) else 1
        work.set_device(silent_since=None, returns=count, returned_at=work.now)


def is_flaky(device: Device, now: datetime) -> bool:
    """Say whether the lock comes and goes. One that is gone since stays as it was then."""
    return device.returns >= FLAKY and _is_near(device, device.silent_since or now)


def _is_near(device: Device, at: datetime) -> bool:
    """Say whether a moment follows the last return closely."""
    return device.returned_at is not None and age(device.returned_at, at) < FLAKY_LASTS
