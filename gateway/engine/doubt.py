"""Doubting what a lock holds: others may have changed all of it unseen. Works on a `Work`."""

from gateway.engine.work import Work


def doubt(work: Work) -> None:
    """Believe no reading of the time before; a slot of ours is looked at before it is written or cleared.

    A code of others that a command wants deleted keeps the reading that says which one is meant, and what we
    removed is known again by its PIN alone.
    """
    work.set_device(doubted_since=work.now, audit_at=work.now, audit_round=None, probe=None, probed_at=None)
    for slot, state in list(work.slots.items()):
        reading = state.reading if state.doomed_at is not None else None
        work.set_slot(slot, reading=reading, read_at=None, check_at=work.now, empty_since=None, ghost=False)
    for code_id, placement in list(work.placements.items()):
        work.set_placement(code_id, doubted=placement.confirmed is not None)
