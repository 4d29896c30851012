"""What the peer needs: Lock Code Manager 5.0.0 inside Home Assistant 2026.8.3, unmodified.

Measured by us on the same simulated-radio bed, with zwave-js 15.29.0 and server 3.10.2, five users on each
lock: one with S2 and User Code version 2 (10 slots), one with User Code version 1 and no security (30 slots).
These are constants: a run does not measure them again.
"""

NOT_MEASURED = "-"

RADIO: dict[str, tuple[str, str]] = {
    "set": ("2", "3"),
    "change": ("2", "3"),
    "clear": ("1", "2"),
    "inventory": ("22", "62"),
    "duplicate refused": ("25; the old PIN is cleared", "66; the old PIN is cleared"),
    "duplicate refused, masked": ("shown as set", "shown as set"),
    "restart, masked": ("10: all 5 rewritten", "15: all 5 rewritten"),
    "write refused": ("72 in 15 s", "192 in 20 s"),
}
"""Radio commands, on the S2 lock and on the version 1 lock."""

SET_S = ("0.49 s", "1.24 s")
"""From the call to the lock shown in sync, on the same two locks."""

MEMORY = "339 MiB"
"""Resident; Home Assistant without it has 226 MiB."""

START = "6.9 s"
