"""Locks that a file no longer has although codes are on them."""

from gateway.config.errors import Mistake
from gateway.config.settings import Settings
from gateway.domain.store import Tx


def left_out(settings: Settings, tx: Tx) -> tuple[Mistake, ...]:
    """Return a mistake for every lock that `tx` remembers with codes and that `settings` do not have.

    A code counts where it is or may be on the lock, as it does for `locks forget`: out of the file nobody
    would end it.
    """
    held = {
        device_id: _held(tx, device_id) for device_id in tx.device_ids() if device_id not in settings.policies
    }
    return tuple(
        Mistake(file=settings.file, key=f"locks.{device_id}", message=_message(device_id, codes))
        for device_id, codes in held.items()
        if codes
    )


def _held(tx: Tx, device_id: str) -> int:
    snap = tx.snapshot(device_id)
    return 0 if snap is None else snap.held


def _message(device_id: str, codes: int) -> str:
    some = "a code of the hub is" if codes == 1 else f"{codes} codes of the hub are"
    return (
        f"missing, and {some} or may be on this lock: put it back and take them off first "
        f"(`pinsmith locks retire {device_id}`), or give it up (`pinsmith locks forget {device_id}`)"
    )
