"""Secrets that systemd hands to the service, seen by the service itself and by a command beside it."""

import os
from pathlib import Path

import pytest

from gateway.config import ConfigError, Settings, load
from tests.config.conftest import SOUND

ENCRYPTED = SOUND.replace("mqtt://127.0.0.1", "mqtts://broker.example") + 'cert_file = "hub.pem"\n'
USER = f'{SOUND}username = "hub"\n'


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """What systemd has handed to the running service."""
    folder = tmp_path / "pinsmith.service"
    folder.mkdir()
    (folder / "mqtt-password").write_text("of the service")
    (folder / "pinsmith.tls-key").write_text("key")
    return folder


def read(folder: Path, text: str, *, own: Path | None = None, service: Path | None = None) -> Settings:
    """Read a configuration, with a certificate beside it."""
    file = folder / "pinsmith.toml"
    file.write_text(text)
    (folder / "hub.pem").write_text("certificate")
    return load(file, {"CREDENTIALS_DIRECTORY": str(own)} if own else {}, service=service)


def test_the_key_of_the_certificate_may_be_a_credential(tmp_path: Path, service: Path) -> None:
    """As the password may; it goes before a file too."""
    (service / "mqtt-password").unlink()
    assert read(tmp_path, ENCRYPTED, own=service).mqtt.key_file == service / "pinsmith.tls-key"
    named = f'{ENCRYPTED}key_file = "/run/credentials/another.service/pinsmith.tls-key"\n'
    assert read(tmp_path, named, own=service).mqtt.key_file == service / "pinsmith.tls-key"


def test_a_credential_without_a_certificate_counts_for_nothing(tmp_path: Path, service: Path) -> None:
    """The unit takes it where it is, wanted or not."""
    (service / "mqtt-password").unlink()
    assert read(tmp_path, SOUND, own=service).mqtt.key_file is None


def test_a_command_beside_the_service_takes_what_the_service_has(tmp_path: Path, service: Path) -> None:
    """`sudo pinsmith doctor` asks the same broker, which lets nobody in without."""
    mqtt = read(tmp_path, f'{ENCRYPTED}username = "hub"\n', service=service).mqtt
    assert mqtt.password() == "of the service"
    assert mqtt.key_file == service / "pinsmith.tls-key"


def test_what_a_configuration_names_goes_before_what_another_unit_has(tmp_path: Path, service: Path) -> None:
    """It may be the configuration of a hub that is tried out on the same machine."""
    (tmp_path / "password").write_text("of this one")
    (tmp_path / "hub.key").write_text("key")
    text = f'{ENCRYPTED}key_file = "hub.key"\nusername = "hub"\npassword_file = "password"\n'
    mqtt = read(tmp_path, text, service=service).mqtt
    assert (mqtt.password(), mqtt.key_file) == ("of this one", tmp_path / "hub.key")


@pytest.mark.parametrize("key", ["", 'key_file = "{service}/pinsmith.tls-key"\n'])
def test_what_only_the_service_has_is_no_mistake_for_a_command(tmp_path: Path, key: str) -> None:
    """The service is stopped, or another unit runs the command, as for a backup; it is named all the same."""
    service, other = tmp_path / "pinsmith.service", tmp_path / "pinsmith-backup.service"
    other.mkdir()
    settings = read(tmp_path, ENCRYPTED + key.format(service=service), own=other, service=service)
    [unseen] = settings.unseen
    assert unseen.key == "mqtt.key_file"
    assert "pinsmith.tls-key" in unseen.message


def test_the_service_itself_does_not_start_without(tmp_path: Path) -> None:
    """Nor is such a configuration taken over by a reload, which asks with what the service has."""
    empty = tmp_path / "pinsmith.service"
    empty.mkdir()
    for service in (None, empty):
        with pytest.raises(ConfigError, match="expected together with key_file"):
            read(tmp_path, ENCRYPTED, own=empty, service=service)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_who_may_not_read_them_goes_without(tmp_path: Path, service: Path) -> None:
    """They are for root and for the service's user."""
    service.chmod(0o000)
    try:
        assert read(tmp_path, USER, service=service).mqtt.password() is None
    finally:
        service.chmod(0o700)
