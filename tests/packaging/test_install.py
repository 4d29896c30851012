"""What is built installs by the locked requirements into an environment of its own, and starts."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
SOURCES = ("gateway", "drivers", "storage", "pyproject.toml", "README.md", "LICENSE")
CONFIG = """
[gateway]
id = "home"
time_zone = "Europe/Berlin"
data_directory = "data"

[mqtt]
url = "mqtt://127.0.0.1:9"

[locks.front]
driver = "simulated"
"""

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, **more: str) -> str:
    """Carry a command out as somebody who has only what it installs; `more` is what the environment has."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | more
    done = subprocess.run(  # noqa: S603 - our own commands
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_made_of_the_sdist_runs_with_what_is_locked(tmp_path: Path) -> None:
    """Built without network; everything else comes by its hash."""
    source = clone(tmp_path / "source")
    build = (UV, "build", "--quiet", "--offline", "--no-build-isolation", "--python", sys.executable)
    dist, tools = tmp_path / "dist", tmp_path / "venv/bin"
    run(*build, "--out-dir", dist, cwd=source)
    [wheel], [_] = dist.glob("*.whl"), dist.glob("*.tar.gz")
    run(UV, "venv", "--quiet", "--python", sys.executable, "venv", cwd=tmp_path)
    install = (UV, "pip", "install", "--quiet", "--python", tools / "python")
    run(*install, "--require-hashes", "-r", ROOT / "requirements/daemon.txt", cwd=tmp_path)
    run(*install, "--no-deps", wheel, cwd=tmp_path)

    starts(tools / "pinsmith", tmp_path)


def test_uv_installs_it_as_a_tool(tmp_path: Path) -> None:
    """As docs/install.md says; with the versions that are locked, so that no day decides what is tried."""
    folders = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    locked = (
        "--constraints",
        ROOT / "requirements/daemon.txt",
        "--build-constraints",
        ROOT / "requirements/dev.txt",
    )
    install = (UV, "tool", "install", "--quiet", "--python", sys.executable, *locked, ".")
    run(*install, cwd=clone(tmp_path / "source"), **folders)

    starts(tmp_path / "bin/pinsmith", tmp_path)


def clone(folder: Path) -> Path:
    """Copy what a package is made of, so that a build leaves nothing in the tree."""
    folder.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder


def starts(pinsmith: Path, folder: Path) -> None:
    """Try the command, and the daemon."""
    assert run(pinsmith, "--version", cwd=folder).startswith("pinsmith ")
    (folder / "config.toml").write_text(CONFIG)
    assert "gateway home" in first_line(pinsmith, folder)


def first_line(pinsmith: Path, folder: Path) -> str:
    """Start the daemon, and end it once it has said something."""
    with subprocess.Popen(  # noqa: S603 - our own command
        [pinsmith, "run", "--config", folder / "config.toml"], stderr=subprocess.PIPE, text=True, cwd=folder
    ) as daemon:
        assert daemon.stderr is not None
        line = daemon.stderr.readline()
        daemon.terminate()
        daemon.communicate(timeout=60)
    assert daemon.returncode == 0
    return line
