"""Locks that a file no longer has although codes are on them, or are to come."""

from datetime import datetime

from gateway.config.errors import Mistake
from gateway.config.settings import Settings
from gateway.domain.store import Tx


def left_out(settings: Settings, tx: Tx, now: datetime) -> tuple[Mistake, ...]:
    """Return a mistake for every lock that `tx` remembers with codes and that `settings` do not have.

    A code counts where it is or may be on the lock, as it does for `locks forget`: out of the file nobody
    would end it. One that is to come counts too: its guest would stand outside. Backups are for nobody yet.
    """
    gone = (tx.snapshot(device_id) for device_id in tx.device_ids() if device_id not in settings.policies)
    found = [(snap.device.device_id, snap.held, snap.to_come(now)) for snap in gone if snap is not None]
    return tuple(
        Mistake(file=settings.file, key=f"locks.{device_id}", message=_message(device_id, held, to_come))
        for device_id, held, to_come in found
        if held or to_come
    )


def _message(device_id: str, held: int, to_come: int) -> str:
    where = {"or may be on this lock": held, "to come onto this lock": to_come}
    some = " and ".join(f"{_codes(number)} {what}" for what, number in where.items() if number)
    return (
        f"missing, and {some}: put it back and take them off first "
        f"(`pinsmith locks retire {device_id}`), or give it up (`pinsmith locks forget {device_id}`)"
    )


def _codes(number: int) -> str:
    return "a code of the hub is" if number == 1 else f"{number} codes of the hub are"
