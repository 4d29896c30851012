"""What can be configured. docs/configuration.md explains every key, config.example.toml shows it."""

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from drivers.ble.nuki.settings import NukiLockSettings
from drivers.ble.settings import BleSettings
from drivers.ble.ttlock.settings import TTLockSettings
from drivers.ble.yale.settings import YaleLockSettings
from drivers.simulated.settings import SimulatedLockSettings, SimulatedSettings
from drivers.zwave.settings import ZwaveLockSettings, ZwaveSettings
from gateway.config.errors import Mistake
from gateway.domain.lock import LockPolicy
from gateway.domain.timing import Timing

type Id = Annotated[str, Meta(pattern="^[a-z0-9_-]{1,32}$")]
"""Name of a gateway or a lock. It becomes a level of MQTT topics, hence the narrow alphabet."""


DATA_DIRECTORY = Path("/var/lib/pinsmith")
"""Where database and key are kept unless the configuration says else."""


class GatewaySettings(Struct, frozen=True, kw_only=True):
    """`[gateway]`: who this hub is.

    `time_zone` has no default: with a wrong one, people who type local times would be let in at wrong hours.
    """

    id: Id
    time_zone: ZoneInfo
    data_directory: Path = DATA_DIRECTORY
    """Absolute once loaded: a relative one counts from the folder of the configuration file."""


class BrokerUrl(Struct, frozen=True, kw_only=True):
    """Where the broker listens, and whether the connection is encrypted (`mqtts`)."""

    scheme: Literal["mqtt", "mqtts"]
    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Say whether the connection stays inside this machine."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class MqttSettings(Struct, frozen=True, kw_only=True):
    """`[mqtt]`: the broker and how to speak with it. All paths are absolute once loaded."""

    url: BrokerUrl
    version: Literal["5", "3.1.1"] = "5"
    root: str | None = None
    """First levels of every topic; None means `pinsmith/<gateway id>`, see `Settings.topic_root`."""
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    allow_plaintext: bool = False
    publish_names: bool = False
    """Whether retained topics show names and dates of guests to everybody who may read there."""
    embedded_broker: bool = False
    max_payload_bytes: Annotated[int, Meta(ge=1024, le=268_435_455)] = 65_536
    outbox_limit: Annotated[int, Meta(ge=100, le=10_000_000)] = 100_000
    """Events kept for a broker that is away."""

    def password(self) -> str | None:
        """Read the password file now, so that settings never hold the secret; None where none is configured.

        The last line break is not part of the password. Raises OSError, or ValueError for what is no
        text, where the file has become unreadable.
        """
        if self.password_file is None:
            return None
        return self.password_file.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")


class HomeAssistantSettings(Struct, frozen=True, kw_only=True):
    """`[mqtt.homeassistant]`: device discovery for Home Assistant.

    Off unless asked for: it writes outside the hub's own topics, and gives whoever uses that Home Assistant a
    button for commands.
    """

    enabled: bool = False
    discovery_prefix: str = "homeassistant"
    status_topic: str = "homeassistant/status"
    """Where Home Assistant says that it has started."""
    user: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")] = "homeassistant"
    """The broker's user that Home Assistant logs in as: the client in the topics of its requests."""
    arrival_notice: timedelta = timedelta(hours=1)
    """How long before its start a code that is in trouble is an arrival at risk."""


class ClockSettings(Struct, frozen=True, kw_only=True):
    """`[clock]`: what to do while the time cannot be believed (rule 5 of the design)."""

    untrusted_policy: Literal["hold", "run"] = "hold"
    removals_after_step: Annotated[int, Meta(ge=1, le=10_000)] = 3
    """More removals than this, due only because the clock was stepped, are held until somebody confirms."""
    step: timedelta = timedelta(seconds=60)
    """A jump of the clock of at least this much counts as a step."""


class LogSettings(Struct, frozen=True, kw_only=True):
    """`[logs]`: what is written to the log, and how."""

    format: Literal["auto", "text", "json"] = "auto"
    """`auto`: with fields into the journal where there is one, else lines of text on stderr."""
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(Struct, frozen=True, kw_only=True):
    """The whole configuration.

    `policies` has every lock by device id; the driver's own settings of a lock are under the same id in the
    mapping of its driver.
    """

    file: Path
    unseen: tuple[Mistake, ...] = ()
    """Secrets that only the service gets: without them this command cannot go to the broker."""
    gateway: GatewaySettings
    mqtt: MqttSettings
    homeassistant: HomeAssistantSettings
    timing: Timing
    clock: ClockSettings
    logs: LogSettings
    policies: Mapping[str, LockPolicy]
    zwave: ZwaveSettings
    zwave_locks: Mapping[str, ZwaveLockSettings]
    simulated: SimulatedSettings
    simulated_locks: Mapping[str, SimulatedLockSettings]
    ble: BleSettings
    """Of the adapter that the locks of the three families below share."""
    nuki_locks: Mapping[str, NukiLockSettings]
    yale_locks: Mapping[str, YaleLockSettings]
    ttlock_locks: Mapping[str, TTLockSettings]

    @property
    def topic_root(self) -> str:
        """Return the first levels of every topic, without a slash at the end."""
        return self.mqtt.root or f"pinsmith/{self.gateway.id}"
