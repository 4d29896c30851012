"""Configurations that work and are unwise."""

import errno
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gateway.doctor.probe_files import files_closed, files_open
from gateway.doctor.smells import check_settings
from tests.doctor.bed import FRONT, Report, remember, report, settings
from tests.mqtt.broker import free_port
from tests.other_users import ROOT_ONLY

ZWAVE = '[locks.door]\ndriver = "zwave"\nnode = 2\n'
USER = 'username = "pinsmith"\npassword_file = "password"'


@pytest.mark.parametrize(
    ("rest", "kind", "cause", "remedy"),
    [
        ('[timing]\nlead = "60s"\n' + FRONT, "lead_short", "timing.back_off_first", '"30m"'),
        (
            '[timing]\ncommand_retention = "5m"\n' + FRONT,
            "command_retention_short",
            "carried out twice",
            '"7d"',
        ),
        (
            '[timing]\nevent_retention = "1d"\n' + FRONT,
            "event_retention_short",
            "cannot be asked for",
            '"90d"',
        ),
        (FRONT + 'audit = "*/5 * * * *"\n', "audit_often", "costs battery", "Once a night"),
        (
            FRONT + "managed_slots = [1, 2]\nbackup_pool = 2\n",
            "managed_slots_few",
            "fewer than",
            "Grant more",
        ),
        (
            '[drivers.zwave]\nurl = "ws://192.0.2.1:3000"\nallow_plaintext = true\n' + ZWAVE,
            "zwave_plaintext",
            "PINs can be read",
            "wss://",
        ),
    ],
)
def test_what_is_unwise_is_told(tmp_path: Path, rest: str, kind: str, cause: str, remedy: str) -> None:
    """The configuration is accepted, and doctor says what it costs."""
    found = {one.id: one for one in check_settings(settings(tmp_path, 1883, rest=rest), (), ())}
    assert cause in found[kind].cause
    assert remedy in found[kind].remedy


def test_a_broker_inside_the_daemon(tmp_path: Path) -> None:
    """For a first look only."""
    how = settings(tmp_path, 1883, mqtt="embedded_broker = true")
    found = {one.id: one for one in check_settings(how, (), ())}
    assert "everything is forgotten" in found["embedded_broker"].cause
    assert "mosquitto" in found["embedded_broker"].remedy


def test_a_password_that_everybody_on_the_machine_may_read(tmp_path: Path) -> None:
    """The password of the broker."""
    (tmp_path / "password").write_text("secret")
    (tmp_path / "password").chmod(0o644)
    how = settings(tmp_path, 1883, mqtt=USER)
    found = {one.id: one for one in check_settings(how, (), files_open(how))}
    assert "usual mode" in found["secret_file_open"].cause
    assert f"chmod 600 {tmp_path / 'password'}" in found["secret_file_open"].remedy
    (tmp_path / "password").chmod(0o600)
    assert files_open(how) == []


def test_a_configuration_with_nothing_unwise(tmp_path: Path) -> None:
    """Defaults, and a user at the broker."""
    (tmp_path / "password").write_text("secret")
    (tmp_path / "password").chmod(0o600)
    how = settings(tmp_path, 1883, mqtt=USER)
    assert [one.id for one in check_settings(how, (), files_open(how))] == ["fine"]


async def look_as_root(folder: Path, owner: int) -> Report:
    """Let root look at a hub whose data directory belongs to somebody."""
    data = await remember(folder)
    for path in (data, *data.iterdir()):
        os.chown(path, owner, owner)
    return await report(settings(folder, free_port(), mqtt=USER))


@ROOT_ONLY
async def test_a_password_that_root_may_read_and_the_daemon_may_not(tmp_path: Path) -> None:
    """`sudo pinsmith doctor` gets in with it, and the daemon does not even start."""
    (tmp_path / "password").write_text("secret")
    (tmp_path / "password").chmod(0o600)
    found = await look_as_root(tmp_path, 1)
    told = found.says("file_closed", "belongs to somebody else", f"chown daemon {tmp_path / 'password'}")
    assert "daemon may not read" in told.what


@ROOT_ONLY
@pytest.mark.parametrize(("owner", "mode"), [((1, 0), 0o400), ((0, 1), 0o640)])
def test_a_password_that_the_daemon_may_read(owner: tuple[int, int], mode: int) -> None:
    """As its owner, or by its group; and where it may enter the folder."""
    # Not in the folder of all tests, which nobody else may enter.
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "password").write_text("secret")
        os.chown(folder / "password", *owner)
        (folder / "password").chmod(mode)
        how = settings(folder, 1883, mqtt=USER)
        assert files_closed(how, 1) == [folder / "password"]
        folder.chmod(0o755)
        assert files_closed(how, 1) == []
        (folder / "password").chmod(0o600 if owner == (0, 1) else 0o240)
        assert files_closed(how, 1) == [folder / "password"]
        assert files_closed(how, 0) == []


@ROOT_ONLY
def test_a_file_system_without_lists_of_rights_is_judged_by_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as that of a USB stick."""

    def none_here(_path: Path) -> list[str]:
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(os, "listxattr", none_here)
    (tmp_path / "password").write_text("secret")
    (tmp_path / "password").chmod(0o600)
    assert files_closed(settings(tmp_path, 1883, mqtt=USER), 1) == [tmp_path / "password"]
