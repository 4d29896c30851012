"""A machine without Bluetooth, unless a test brings it."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _no_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No D-Bus, so that no adapter of this machine plays a part."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/no-bus")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the configuration is to be written: a folder of its own."""
    folder = tmp_path / "etc"
    folder.mkdir()
    return folder / "config.toml"
