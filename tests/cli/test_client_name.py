"""Under which name the command asks."""

from pathlib import Path

import pytest

from gateway.cli.asking import client_name
from gateway.daemon.description import bridge_info
from tests.daemon.bed import settings


@pytest.mark.parametrize(
    ("user", "client", "warned"),
    [
        ("home-assistant", "home-assistant", False),
        ("hub@example.org", "cli-hub_example_org", True),
        ("h" * 65, "cli-" + "h" * 60, True),
    ],
)
def test_the_user_at_the_broker_is_the_client(
    tmp_path: Path, user: str, client: str, *, warned: bool
) -> None:
    """As far as it can be; where it cannot, an access list by user name does not fit, and that is said."""
    (tmp_path / "password").write_text("secret")
    how = settings(tmp_path, 1, mqtt_extra=f'username = "{user}"\npassword_file = "password"')
    assert client_name(how.mqtt.username) == client
    assert any("mqtt.username" in warning for warning in bridge_info(how)["warnings"]) == warned
