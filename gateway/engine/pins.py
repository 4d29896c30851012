"""Choosing and checking a PIN for one lock. Pure but for the randomness passed in."""

from collections.abc import Callable

from msgspec.structs import replace

from gateway.domain.credential import Known
from gateway.domain.lock import PinRules
from gateway.domain.pin import Pin
from gateway.domain.pins import generate
from gateway.domain.placement import Snapshot


def rules_of(snap: Snapshot) -> PinRules:
    """Return the rules of a lock (before it was seen, of its kind), with the operator's word on lengths.

    It may be older than what the driver says, and narrows it only; where they have no length in common, it is
    of no use.
    """
    device = snap.device
    of_its_kind = device.policy.pin_rules if device.policy is not None else None
    rules = device.capabilities.pin_rules if device.capabilities is not None else of_its_kind or PinRules()
    both = tuple(length for length in device.reported_lengths if length in rules.lengths)
    return replace(rules, lengths=both) if both else rules


def known_pins(snap: Snapshot) -> set[Pin]:
    """Return every PIN that the lock has, may have, or is to have."""
    return (
        {code.pin for code in snap.codes.values()}
        | {s.reading.credential.pin for s in snap.slots.values() if isinstance(s.reading, Known)}
        | {p.confirmed.credential.pin for p in snap.placements.values() if p.confirmed is not None}
        | {s.former.pin for s in snap.slots.values() if s.former is not None}
    )


def choose_pin(snap: Snapshot, randbelow: Callable[[int], int], length: int | None = None) -> Pin:
    """Draw a PIN that the lock takes and does not know yet. Raises InvalidInput where none is left."""
    usual = snap.device.policy.pin_length if snap.device.policy is not None else None
    return generate(rules_of(snap), known_pins(snap), randbelow, length=length or usual)
