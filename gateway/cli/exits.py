"""How the command ends: exit codes, and the failures that lead to them."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes. Programs may rely on them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIGURATION = 3
    NO_DAEMON = 4
    REFUSED = 5


MEANINGS = {
    Exit.OK: "done",
    Exit.FAILED: "failed for another reason, see the message; or `doctor` found a problem",
    Exit.USAGE: "the command was not understood",
    Exit.CONFIGURATION: "the configuration file is missing or wrong",
    Exit.NO_DAEMON: "the broker or the daemon does not answer",
    Exit.REFUSED: "the daemon, or a simulated lock, refused; the message says why",
}
"""What each exit code means, for help and documentation."""


class Failure(Exception):
    """The command ends here. The message is for people and never holds a PIN."""

    exit = Exit.FAILED


class UsageError(Failure):
    """What was typed cannot be meant."""

    exit = Exit.USAGE


class NoDaemon(Failure):
    """Broker or daemon does not answer, so it is not known whether anything was done."""

    exit = Exit.NO_DAEMON


class RefusedByDaemon(Failure):
    """The daemon answered that it will not; `type` is for programs."""

    exit = Exit.REFUSED

    def __init__(self, kind: str, message: str) -> None:
        """Keep the error's type beside its message."""
        super().__init__(message)
        self.type = kind
