"""Another password at the broker while the hub runs: its file is read for every connection."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.config import Settings
from tests.daemon.bed import Somebody, online, running, settings, somebody
from tests.mqtt.broker import Broker, eventually

pytestmark = pytest.mark.mosquitto

OLD, NEW = "battery staple", "correct horse"
LOGIN = 'username = "pinsmith"\npassword_file = "password"'


class Guarded(Broker):
    """A broker that lets in whom it knows, and where that begins anew with other passwords."""

    def __init__(self, folder: Path) -> None:
        self.known = {"pinsmith": OLD, "app": "app"}
        super().__init__(folder, passwords=self.known)

    async def change(self, password: str) -> None:
        """Let the hub in with this password only."""
        await self.stop()
        self.known["pinsmith"] = password
        await self.start()


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Guarded]:
    """Such a broker."""
    async with Guarded(tmp_path) as broker:
        yield broker


@pytest.fixture
async def app(guarded: Guarded) -> AsyncIterator[Somebody]:
    """Somebody who hears everything."""
    async with somebody(guarded.port, user="app", password="app") as one:
        yield one


class PasswordFile:
    """The file with the hub's password."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def says(self, content: bytes | None) -> None:
        """Let it say this, or not be there."""
        if content is None:
            self._path.unlink()
        else:
            self._path.write_bytes(content)


@pytest.fixture
def file(tmp_path: Path) -> PasswordFile:
    """The one that the gateway goes by."""
    file = PasswordFile(tmp_path / "password")
    file.says(OLD.encode() + b"\n")
    return file


@pytest.fixture
def how(tmp_path: Path, guarded: Guarded, file: PasswordFile) -> Settings:  # noqa: ARG001 - has to be there
    """A gateway that goes by that file."""
    return settings(tmp_path, guarded.port, mqtt_extra=LOGIN)


async def is_back(app: Somebody, told: int) -> None:
    """Wait until the hub says once more that it is there."""
    await eventually(lambda: len(app.under("bridge/state")) > told, 30)
    await online(app)


async def test_a_renewed_one_is_taken_up_without_a_restart(
    how: Settings, app: Somebody, guarded: Guarded, file: PasswordFile
) -> None:
    """The next connection is made with what the file says by then."""
    async with running(how, app):
        told = len(app.under("bridge/state"))
        file.says(NEW.encode() + b"\n")
        await guarded.change(NEW)
        await is_back(app, told)


@pytest.mark.parametrize("content", [None, b"\xff"], ids=["gone", "no text"])
async def test_a_file_that_cannot_be_read_is_told_and_tried_again(
    how: Settings,
    app: Somebody,
    guarded: Guarded,
    file: PasswordFile,
    content: bytes | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It may be about to be replaced; the hub looks after its locks meanwhile."""
    async with running(how, app):
        told = len(app.under("bridge/state"))
        file.says(content)
        await guarded.change(NEW)
        await eventually(lambda: "password file cannot be read" in caplog.text, 30)
        file.says(NEW.encode())
        await is_back(app, told)
    assert not any(word in caplog.text for word in (OLD, NEW))
