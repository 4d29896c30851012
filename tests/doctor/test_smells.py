"""Configurations that work and are unwise."""

from pathlib import Path

import pytest

from gateway.doctor.smells import check_settings, files_open
from tests.doctor.bed import FRONT, settings

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
