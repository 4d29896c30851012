"""A hub's surroundings with something wrong in them, and what the doctor says of it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.config import Settings, load
from gateway.doctor.examine import examine
from gateway.doctor.finding import Finding, Severity
from gateway.domain.store import Tx
from storage.store import SqliteStore
from storage.vault import Vault
from tests.storage.samples import KEY

CLIENT = "tester"
FRONT = '[locks.front]\ndriver = "simulated"\n'


@dataclass(frozen=True)
class Report:
    """What the doctor found."""

    findings: tuple[Finding, ...]

    def one(self, kind: str) -> Finding:
        """The only finding of a kind."""
        [found] = [one for one in self.findings if one.id == kind]
        return found

    def says(self, kind: str, cause: str, remedy: str) -> Finding:
        """The only finding of a kind, which gives this cause and this remedy among its words."""
        found = self.one(kind)
        assert cause in found.cause, found.cause
        assert remedy in found.remedy, found.remedy
        return found

    @property
    def ids(self) -> set[str]:
        """The kinds of all that is not in order."""
        return {one.id for one in self.findings if one.severity is not Severity.OK}

    @property
    def in_order(self) -> set[str]:
        """What was looked at and is in order."""
        return {one.where for one in self.findings if one.severity is Severity.OK}


def settings(
    folder: Path,
    port: int,
    *,
    scheme: str = "mqtt",
    host: str = "127.0.0.1",
    mqtt: str = "",
    rest: str = FRONT,
    zone: str = "Europe/Berlin",
) -> Settings:
    """Write a configuration below `folder` and read it."""
    file = folder / "pinsmith.toml"
    file.write_text(
        f'[gateway]\nid = "hub"\ntime_zone = "{zone}"\ndata_directory = "data"\n'
        f'[mqtt]\nurl = "{scheme}://{host}:{port}"\n{mqtt}\n{rest}'
    )
    return load(file, {})


async def report(how: Settings, lock: str | None = None) -> Report:
    """Let the doctor look."""
    return Report(tuple(await examine(how, client=CLIENT, credentials=None, lock=lock)))


async def remember(folder: Path, *units: Callable[[Tx], None]) -> Path:
    """Make a data directory with a key and a database in which the units have happened."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    handle = os.open(data / "key", os.O_CREAT | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(KEY.hex())
    store = await SqliteStore.open(data, Vault(KEY))
    for unit in units:
        await store.run(unit)
    await store.close()
    return data
