"""Codes of ours that somebody exchanged on the lock. Works on a `Work`."""

from gateway.domain.credential import Known
from gateway.domain.placement import Placement
from gateway.engine.work import Work


def take_as_they_lie(work: Work, code_id: str) -> list[str]:
    """Give each code of a ring the slot that shows its PIN; return these codes, none where there is no ring.

    No lock takes a PIN twice, so each would wait for the slot of the next for ever. To write them back, one
    PIN would have to go first, and its guest would stand outside if the lock fell silent then.
    """
    ring = _ring(work, work.placement(code_id))
    for shows, shown in zip(ring, ring[1:] + ring[:1], strict=True):
        # What the lock noted of that slot before is of the code that was there.
        work.set_placement(shown.access_code_id, slot=shows.slot, pin_since=work.now)
    return [placement.access_code_id for placement in ring]


def _ring(work: Work, first: Placement) -> list[Placement]:
    """Follow from slot to slot whose PIN is shown; return the way if it leads back to where it began."""
    ring = [first]
    while (shown := _shown(work, ring[-1])) not in ring:
        if shown is None:
            return []
        ring.append(shown)
    return ring if shown is first and len(ring) > 1 else []


def _shown(work: Work, placement: Placement) -> Placement | None:
    """Return the code whose PIN the slot of a code shows; None where that may change or is its own."""
    state = work.slots.get(placement.slot) if placement.slot is not None else None
    if placement.confirmed is None or state is None or state.touched or not isinstance(state.reading, Known):
        return None
    pin = state.reading.credential.pin
    if placement.confirmed.credential.pin == pin or work.snapshot().open_intents(placement.access_code_id):
        return None
    for other in work.placements.values():
        if other.confirmed is not None and other.confirmed.credential.pin == pin:
            return other
    return None
