"""What the configuration may say about the Z-Wave server and its locks."""

import sys
from subprocess import run

import msgspec
import pytest

from drivers.zwave.settings import ZwaveLockSettings, ZwaveSettings


def test_the_default_server_is_on_this_machine() -> None:
    """Nothing has to be configured where the server runs beside the hub."""
    assert ZwaveSettings().url == "ws://127.0.0.1:3000"


@pytest.mark.parametrize("url", ["ws://10.0.0.5:3000", "ws://zwave.lan:3000"])
def test_pins_go_to_another_machine_in_clear_only_if_allowed(url: str) -> None:
    """The websocket carries PINs as they are."""
    with pytest.raises(ValueError, match="in clear"):
        ZwaveSettings(url=url)
    assert ZwaveSettings(url=url, allow_plaintext=True).url == url


@pytest.mark.parametrize("url", ["ws://localhost:3000", "ws://[::1]:3000", "wss://zwave.lan/socket"])
def test_loopback_and_encrypted_servers_need_no_permission(url: str) -> None:
    """There is nothing to overhear."""
    assert ZwaveSettings(url=url).url == url


@pytest.mark.parametrize("settings", [{}, {"node": 5, "node_name": "Front door"}])
def test_a_lock_is_found_in_exactly_one_way(settings: dict[str, object]) -> None:
    """By its node id or by its name in the server: two ways could disagree."""
    with pytest.raises(msgspec.ValidationError, match="either node or node_name"):
        msgspec.convert(settings, ZwaveLockSettings)


@pytest.mark.parametrize(
    "settings",
    [
        {"node": 0},
        {"node": 4001},
        {"node_name": ""},
        {"node": 5, "readback": "maybe"},
        {"node": 5, "typo": 1},
    ],
)
def test_values_that_make_no_sense_are_refused(settings: dict[str, object]) -> None:
    """A typing mistake is told at start and not found at the door."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(settings, ZwaveLockSettings)


def test_settings_load_no_radio_library() -> None:
    """Reading the configuration of a hub without Z-Wave costs neither its time nor its memory."""
    script = "import sys, drivers.zwave.settings; sys.exit('zwave_js_server' in sys.modules)"
    assert run([sys.executable, "-c", script], check=False).returncode == 0  # noqa: S603 - our own interpreter
