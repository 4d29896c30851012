"""Secrets that systemd hands over as files in a folder, see systemd.exec(5), CREDENTIALS."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

PASSWORD = "mqtt-password"  # noqa: S105 - the name of a file
"""Goes before `mqtt.password_file`."""
TLS_KEY = "pinsmith.tls-key"
"""Goes before `mqtt.key_file`."""
OF_SERVICE = Path("/run/credentials/pinsmith.service")
"""Where those of the service are while it runs, for root and the service's user."""


class Credentials(Struct, frozen=True, kw_only=True):
    """The folders that count for this process."""

    own: Path | None = None
    """Given to this process: what is there goes before the configuration."""
    service: Path | None = None
    """Of the service that this process stands beside: they count where the configuration names none."""

    def file(self, name: str, configured: Path | None) -> Path | None:
        """Return the file to take for a credential and what the configuration names for it."""
        if self.own is not None and (self.own / name).is_file():
            return self.own / name
        if configured is None and self.service is not None and os.access(self.service / name, os.R_OK):
            return self.service / name
        return configured

    def is_of_service(self, file: Path) -> bool:
        """Say whether a file is one that only the service can be expected to have."""
        return self.service is not None and file.is_relative_to(self.service)


def of(env: Mapping[str, str], service: Path | None) -> Credentials:
    """Return what counts for a process with this environment; the service does not stand beside itself."""
    named = env.get("CREDENTIALS_DIRECTORY")
    own = Path(named) if named else None
    return Credentials(own=own, service=service if service != own else None)
