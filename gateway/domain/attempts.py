"""What became of a command that needs the lock: the reference's action attempt."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

type ActionType = Literal[
    "CREATE_ACCESS_CODE",
    "UPDATE_ACCESS_CODE",
    "DELETE_ACCESS_CODE",
    "CONVERT_ACCESS_CODE_TO_MANAGED",
    "SYNC_ACCESS_CODES",
    "PAIR_DEVICE",
    "UNPAIR_DEVICE",
]
PAIRINGS = frozenset({"PAIR_DEVICE", "UNPAIR_DEVICE"})
"""Actions that no facts of a lock bring to their end, but the driver's own word."""
type AttemptStatus = Literal["pending", "success", "error"]


class ActionAttempt(Struct, frozen=True, kw_only=True):
    """One command's way to the lock: pending until the lock holds what was asked for.

    `access_code_id` names a managed code or one of others; `revision` is that of the code after the command.
    """

    action_attempt_id: str
    action_type: ActionType
    device_id: str
    created_at: datetime
    access_code_id: str | None = None
    revision: int = 0
    status: AttemptStatus = "pending"
    error_type: str | None = None
    error_message: str | None = None
    finished_at: datetime | None = None
