"""What a bed consists of and what can go wrong in it: the vocabulary of tests against the bed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

type Model = Literal[
    "v1",
    "v2_s2",
    "v2_plain",
    "masked_v1",
    "masked_s0",
    "masked_s2",
    "withheld",
    "write_only",
    "tiny",
    "user_credential",
    "dual",
    "scheduled",
    "scheduled_masked",
    "scheduled_plain",
]
MODELS: tuple[Model, ...] = get_args(Model.__value__)

type Report = Literal["report", "notification", "v1_alarm", "silent"]
"""How a lock tells of a change at its keypad: User Code Report, Notification 6, V1 alarm or not at all."""


@dataclass(frozen=True)
class NodeConfig:
    """A lock in the simulated network.

    `slots` defaults to the model's number. `ids` are manufacturer id, product type and product id;
    None takes the model's. `serial` is the device id of Manufacturer Specific; without one the lock
    does not answer that question. `codes` stand in the lock before the driver first meets it.
    """

    node_id: int
    model: Model
    slots: int | None = None
    name: str | None = None
    location: str | None = None
    ids: tuple[int, int, int] | None = None
    serial: str | None = None
    refuse_duplicates: bool = True
    codes: Mapping[int, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class BedConfig:
    """A simulated network. `port` 0 takes a free one for the websocket server.

    With `query_all_user_codes` off, the driver does what it does by default: it erases a User Code
    version 2 lock in its first interview.
    """

    nodes: Sequence[NodeConfig]
    port: int = 0
    query_all_user_codes: bool = True
    time_zone: str = "Europe/Berlin"
    """Of the Node process: the driver tells locks its local time."""

    def as_json(self) -> dict[str, Any]:
        """The configuration as the Node process reads it."""
        return asdict(self)


@dataclass(frozen=True)
class Faults:
    """What is wrong with a lock; the counts are numbers of commands, None is "until cleared".

    `dead`: hears nothing and acknowledges nothing. `swallow_sets`: sets and clears are accepted and not
    stored. `lose_answers`: they are stored, but the supervision report, or on an unsupervised lock the
    radio acknowledgement of all attempts, is lost; not available on S0. `refuse_sets`: they are refused
    and nothing is stored. `answer_delay_ms`: delays answers to User Code commands. `silent_gets`: a slot
    read is not answered. `false_available_gets`: it is answered "Available" whatever the slot holds.
    `refuse_schedules`, `swallow_schedules`, `lose_schedule_answers` and `silent_schedule_gets` are the same
    for setting, erasing and reading schedules. `deaf_clock`: sets of the clock are accepted and not carried
    out. `silent_clock`: questions after it are not answered.
    """

    dead: bool = False
    swallow_sets: int | None = 0
    lose_answers: int | None = 0
    refuse_sets: int | None = 0
    answer_delay_ms: int = 0
    silent_gets: int | None = 0
    false_available_gets: int | None = 0
    refuse_schedules: int | None = 0
    swallow_schedules: int | None = 0
    lose_schedule_answers: int | None = 0
    silent_schedule_gets: int | None = 0
    deaf_clock: int | None = 0
    silent_clock: int | None = 0


@dataclass(frozen=True)
class Slot:
    """What a taken slot truly holds. `status` is the User ID Status (1 enabled, 2 disabled)."""

    status: int
    code: str = field(repr=False)


@dataclass(frozen=True)
class Schedules:
    """The schedules that a slot truly has, in the words of the driver. Empty: it always opens."""

    year_day: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    daily: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Counters:
    """Frames that reached a lock's antenna since the last reset, by what they carried.

    `security` counts nonces, which come on top of the commands proper, and repetitions of a secured
    frame: the same frame cannot be opened twice.
    """

    get: int
    set: int
    clear: int
    checksum: int
    ping: int
    security: int
    schedule_set: int
    schedule_erase: int
    schedule_get: int
    clock: int
    other: int

    @property
    def total(self) -> int:
        """All frames, handshakes included."""
        return sum(asdict(self).values())

    @property
    def user_code(self) -> int:
        """Frames that carried a User Code command of the daemon's kind: get, set, clear, checksum."""
        return self.get + self.set + self.clear + self.checksum
