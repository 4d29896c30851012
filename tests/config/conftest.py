"""A configuration that is right, to put one mistake at a time into."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gateway.config import ConfigError, Settings, load

SOUND = """\
[gateway]
id = "home"
time_zone = "Europe/Berlin"

[mqtt]
url = "mqtt://127.0.0.1"
"""

type Load = Callable[..., Settings]
type Mistakes = Callable[[str], list[str]]


@pytest.fixture(name="load_text")
def load_text_fixture(tmp_path: Path) -> Load:
    """Load a text as pinsmith.toml of an empty folder."""

    def load_text(text: str = SOUND, env: Mapping[str, str] | None = None) -> Settings:
        file = tmp_path / "pinsmith.toml"
        file.write_text(text, encoding="utf-8")
        return load(file, env or {})

    return load_text


@pytest.fixture
def mistakes(load_text: Load, tmp_path: Path) -> Mistakes:
    """Say what is wrong with a text, one line per mistake, without the folder of the file."""

    def found(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load_text(text)
        return str(caught.value).replace(f"{tmp_path}/", "").splitlines()

    return found
