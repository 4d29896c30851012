"""Runs the gateway with a wall clock that a test shifts: `python -m tests.daemon.with_clock CONFIG OFFSET`.

OFFSET is a file with the seconds to add; without the file nothing is added. The product has no such switch.
"""

import sys
from datetime import datetime, timedelta
from pathlib import Path

from gateway import logs
from gateway.config import load
from gateway.daemon import run_until_signalled, serve
from gateway.system_clock import SystemClock


class ShiftedClock(SystemClock):
    """The machine's clock, so many seconds off, and synchronised."""

    def __init__(self, offset: Path) -> None:
        super().__init__()
        self._offset = offset

    def now(self) -> datetime:
        """Return the shifted wall clock."""
        seconds = float(self._offset.read_text()) if self._offset.exists() else 0.0
        return super().now() + timedelta(seconds=seconds)

    def synchronised(self) -> bool:
        """Say yes."""
        return True


def main() -> None:
    """Run until signalled."""
    config, offset = map(Path, sys.argv[1:])
    logs.set_up({})
    run_until_signalled(serve(load(config, {}), clock=ShiftedClock(offset)))


if __name__ == "__main__":
    main()
