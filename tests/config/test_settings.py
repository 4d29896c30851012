"""What a configuration that is right means."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.config import ClockSettings
from gateway.domain.lock import LockPolicy, OnWipe
from gateway.domain.timing import Timing
from tests.config.conftest import SOUND, Load


def test_the_least_configuration_gets_the_defaults(load_text: Load) -> None:
    """Three values are enough to start."""
    settings = load_text(SOUND)

    assert settings.gateway.time_zone == ZoneInfo("Europe/Berlin")
    assert settings.gateway.data_directory == Path("/var/lib/pinsmith")
    assert settings.topic_root == "pinsmith/home"
    assert (settings.mqtt.version, settings.mqtt.password()) == ("5", None)
    assert settings.timing == Timing()
    assert settings.clock == ClockSettings()
    assert settings.policies == {}


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("10s", timedelta(seconds=10)),
        ("30m", timedelta(minutes=30)),
        ("72h", timedelta(hours=72)),
        ("7d", timedelta(days=7)),
    ],
)
def test_durations_have_a_unit(load_text: Load, text: str, length: timedelta) -> None:
    """A bare number would be minutes to one reader and seconds to another."""
    assert load_text(f'{SOUND}[timing]\nlead = "{text}"').timing.lead == length


def test_a_lock_has_a_policy_and_the_settings_of_its_driver(load_text: Load) -> None:
    """One table in the file, two readers: the planner and the driver."""
    settings = load_text(
        f'{SOUND}[locks.door]\nname = "Door"\ndriver = "simulated"\nmodel = "native"\nslots = 7\n'
        'managed_slots = [3, "5-7", "guest"]\non_wipe = "hold"\npin_length = 6\n'
        'audit = "0  */6 * *  MON-FRI"\n'
        '[locks.gate]\ndriver = "zwave"\nnode = 12\n'
    )

    assert settings.policies == {
        "door": LockPolicy(
            name="Door",
            driver="simulated",
            managed_slots=("3", "5", "6", "7", "guest"),
            on_wipe=OnWipe.HOLD,
            audit="0 */6 * * MON-FRI",
            pin_length=6,
        ),
        "gate": LockPolicy(name="gate", driver="zwave"),
    }
    assert (settings.simulated_locks["door"].model, settings.simulated_locks["door"].slots) == ("native", 7)
    assert settings.zwave_locks["gate"].node == 12


def test_three_families_of_bluetooth_locks_share_one_adapter(load_text: Load) -> None:
    """Nobody has to know which of them is how; each has settings of its own."""
    settings = load_text(
        f'{SOUND}[drivers.ble]\nadapter = "hci1"\nidle_s = 2\n'
        '[locks.cellar]\ndriver = "nuki"\nregister_as = "app"\n'
        '[locks.attic]\ndriver = "yale"\nbluetooth_name = "M1XY012"\npin_lengths = [4, 6]\n'
        '[locks.shed]\ndriver = "ttlock"\nmax_codes = 20\n'
    )

    assert (settings.ble.adapter, settings.ble.idle_s) == ("hci1", 2.0)
    assert {name: policy.driver for name, policy in settings.policies.items()} == {
        "cellar": "nuki",
        "attic": "yale",
        "shed": "ttlock",
    }
    kinds = {name: policy.pin_rules for name, policy in settings.policies.items()}
    assert kinds["cellar"] == settings.nuki_locks["cellar"].pin_rules
    assert [rules.lengths for rules in kinds.values() if rules] == [(6,), (4, 6), (4, 5, 6, 7, 8, 9)]
    assert settings.nuki_locks["cellar"].register_as == "app"
    assert settings.yale_locks["attic"].pin_lengths == (4, 6)
    assert settings.ttlock_locks["shed"].reach == "on_touch"


def test_relative_paths_count_from_the_folder_of_the_file(load_text: Load, tmp_path: Path) -> None:
    """The same file works from whatever folder the command is started."""
    settings = load_text(SOUND.replace("[mqtt]", 'data_directory = "./var"\n[mqtt]'))

    assert settings.gateway.data_directory == tmp_path / "var"


@pytest.mark.parametrize(
    ("url", "host", "port", "loopback"),
    [
        ("mqtt://127.0.0.1", "127.0.0.1", 1883, True),
        ("mqtt://localhost:18831", "localhost", 18831, True),
        ("mqtt://[::1]:1884", "::1", 1884, True),
        ("mqtts://broker.example/", "broker.example", 8883, False),
    ],
)
def test_the_broker_is_host_and_port(
    load_text: Load, url: str, host: str, port: int, *, loopback: bool
) -> None:
    """The usual port of the scheme is used where none is given."""
    broker = load_text(SOUND.replace("mqtt://127.0.0.1", url)).mqtt.url

    assert (broker.host, broker.port, broker.loopback) == (host, port, loopback)


def test_a_broker_address_prints_as_it_is_written(load_text: Load) -> None:
    """Messages to people show the address in the form they typed it in."""
    broker = load_text(SOUND.replace("mqtt://127.0.0.1", "mqtt://[::1]:1884")).mqtt.url

    assert str(broker) == "mqtt://[::1]:1884"


def test_plaintext_to_another_machine_works_once_allowed(load_text: Load) -> None:
    """Some networks are trusted; then somebody has to say so."""
    text = SOUND.replace("127.0.0.1", "192.168.1.5")

    assert not load_text(f"{text}allow_plaintext = true\n").mqtt.url.loopback


def test_the_embedded_broker_decides_the_protocol(load_text: Load) -> None:
    """It speaks nothing newer than 3.1.1, so nobody has to know that."""
    assert load_text(f"{SOUND}embedded_broker = true\n").mqtt.version == "3.1.1"


def test_the_password_is_read_from_its_file(load_text: Load, tmp_path: Path) -> None:
    """Only the line break that editors add is dropped; the settings do not hold the secret."""
    (tmp_path / "password").write_text(" hunter2 \n")
    settings = load_text(f'{SOUND}username = "hub"\npassword_file = "password"\n')

    assert settings.mqtt.password() == " hunter2 "
    assert "hunter2" not in repr(settings)


def test_a_systemd_credential_goes_before_the_password_file(load_text: Load, tmp_path: Path) -> None:
    """A unit can hand over the password without a change of the configuration."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "mqtt-password").write_text("from systemd")
    (tmp_path / "password").write_text("from file")
    text = f'{SOUND}username = "hub"\npassword_file = "password"\n'

    given = load_text(text, {"CREDENTIALS_DIRECTORY": str(credentials)})
    absent = load_text(text, {"CREDENTIALS_DIRECTORY": str(tmp_path)})

    assert (given.mqtt.password(), absent.mqtt.password()) == ("from systemd", "from file")
