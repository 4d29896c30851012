"""What a command can be refused with. The `type` is also the MQTT `error.type`.

::

    CommandError
    ├── InvalidInput           a field is missing, malformed, out of range or contradicts another
    ├── NotFound               no such access code, device or event
    ├── DuplicateCode          another managed code on that lock already has this PIN
    ├── NotTimeBound           a backup was asked for in place of a code without an end
    ├── NoBackup               no backup code is ready on the lock
    ├── UnsupportedDevice      the lock cannot do what was asked for
    ├── DeviceRefused          the state of the lock forbids it now (retired, not configured, ...)
    ├── TransactionReused      the same identity came with a different body
    ├── Expired                `expires_at` of the command has passed
    ├── Overloaded             too large, or too much at once
    ├── AnswerNotDelivered     carried out or refused, but the answer does not get through
    └── InternalError          a mistake of pinsmith
"""

from typing import Any, ClassVar


class CommandError(Exception):
    """A command was refused; nothing was changed. `message` says what to do and never holds a PIN."""

    type: ClassVar[str] = "command_error"

    def __init__(self, message: str, **data: Any) -> None:  # noqa: ANN401 - JSON for the reply
        """Keep the message for people and `data` for programs."""
        super().__init__(message)
        self.message = message
        self.data: dict[str, Any] = data


class InvalidInput(CommandError):
    """A field is missing, malformed, out of range or contradicts another; `data.field` names it."""

    type = "invalid_input"


class NotFound(CommandError):
    """There is no such object."""

    type = "not_found"


class DuplicateCode(CommandError):
    """Another managed code on that lock already has this PIN; `data.access_code_id` names it."""

    type = "duplicate_access_code"


class NotTimeBound(CommandError):
    """Only a code with an end can be replaced by a backup: the backup ends with it."""

    type = "access_code_not_time_bound"


class NoBackup(CommandError):
    """No backup code is ready on the lock."""

    type = "backup_access_code_not_found"


class UnsupportedDevice(CommandError):
    """The lock cannot do what was asked for; the message says what it lacks."""

    type = "unsupported_device"


class DeviceRefused(CommandError):
    """The state of the lock forbids it now."""

    type = "device_refused"


class TransactionReused(CommandError):
    """The same client, verb and transaction came with a different body."""

    type = "transaction_reused"


class Expired(CommandError):
    """The command came after its own `expires_at`."""

    type = "expired"


class Overloaded(CommandError):
    """The command is too large."""

    type = "overloaded"


class AnswerNotDelivered(CommandError):
    """The one that refuses nothing: the command was carried out or refused, and the answer is missing."""

    type = "answer_not_delivered"


class InternalError(CommandError):
    """A mistake of pinsmith: the log names the place. The same command may be sent again."""

    type = "internal_error"
