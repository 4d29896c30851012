"""What goes wrong, and how often: all of it drawn from the one seed."""

import random
from collections import Counter

from tests.simulation.crash import Died, Process

RADIO_FAULTS = {
    "lost_request": 10,
    "lost_answer": 14,
    "late_effect": 8,
    "no_ack": 8,
    "no_ack_applied": 8,
    "busy": 8,
    "false_accept": 4,
    "false_empty": 4,
    "slow_answer": 10,
    "dead_now": 3,
}
"""Faults of one radio operation, by weight."""

RATES = {
    "disk_full": 0.0005,
    "ack_lost": 0.01,
    "echo_lost": 0.2,
    "echo_doubled": 0.2,
    "echo_late": 0.2,
    "report_lost": 0.15,
}


class Fate:
    """The dice of one world. In calm weather nothing goes wrong."""

    def __init__(self, rng: random.Random, *, radio_fault_rate: float, crash_rate: float) -> None:
        """Roll with `rng`; rates are per radio operation and per unit of storage."""
        self.rng = rng
        self.calm = False
        self.counts: Counter[str] = Counter()
        self._radio_fault_rate = radio_fault_rate
        self._crash_rate = crash_rate

    def radio_fault(self, *, supervised: bool, blind: bool) -> str | None:
        """Choose what goes wrong with one radio operation; mostly nothing."""
        if self.calm or self.rng.random() >= self._radio_fault_rate:
            return None
        names = [
            name
            for name in RADIO_FAULTS
            if not (name == "false_accept" and (blind or not supervised))
            and not (name == "false_empty" and blind)
        ]
        fault = self.rng.choices(names, [RADIO_FAULTS[name] for name in names])[0]
        self.counts[fault] += 1
        return fault

    def happens(self, what: str) -> bool:
        """Say whether a rare thing happens now."""
        if self.calm or self.rng.random() >= RATES[what]:
            return False
        self.counts[what] += 1
        return True

    def dies(self, where: str) -> bool:
        """Say whether the process dies here."""
        if self.calm or self.rng.random() >= self._crash_rate:
            return False
        self.counts[f"crash {where}"] += 1
        return True

    def maybe_die(self, process: Process, where: str) -> None:
        """Let the process die here, perhaps."""
        if self.dies(where):
            process.die()
            raise Died

    def storage_pause(self) -> float:
        """Return how long a unit waits for the disk: a suspension point."""
        return self.rng.choice((0.0, 0.0, 0.001, 0.02))
