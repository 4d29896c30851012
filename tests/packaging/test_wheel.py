"""What a user gets who installs the wheel."""

import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Building writes into the source tree, so a copy is built: with the folders that must stay out of the wheel,
# without what is never committed.
NOT_COPIED = shutil.ignore_patterns(
    ".*", "node_modules", "__pycache__", "build", "dist", "var", "*.egg-info", "htmlcov"
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """Build the wheel as an installer would and open it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=NOT_COPIED)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    build = subprocess.run(  # noqa: S603 - a fixed command
        [*command, "--wheel-dir", str(folder), str(source)],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert build.returncode == 0, build.stderr
    [built] = folder.glob("*.whl")
    return zipfile.Path(built)


def files(wheel: zipfile.Path) -> set[str]:
    """All file names in the wheel, as paths from its root."""
    return {name for name in wheel.root.namelist() if not name.endswith("/")}


def in_tree(folder: str, pattern: str) -> set[str]:
    """Names of the files in the working tree that match, as paths from the root."""
    return {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob(pattern)}


def test_holds_the_three_packages_and_nothing_else(wheel: zipfile.Path) -> None:
    """Tests, benchmarks and the systemd unit are for the repository, not for site-packages."""
    folders = {name.split("/")[0] for name in files(wheel)}

    assert {name for name in folders if not name.endswith(".dist-info")} == {"gateway", "drivers", "storage"}


def test_holds_every_module(wheel: zipfile.Path) -> None:
    """A sub-package without an __init__ would silently be left behind."""
    modules = in_tree("gateway", "*.py") | in_tree("drivers", "*.py") | in_tree("storage", "*.py")

    assert {name for name in files(wheel) if name.endswith(".py")} == modules


def test_holds_every_migration(wheel: zipfile.Path) -> None:
    """Without its SQL files an installed gateway could not open a database."""
    migrations = in_tree("storage/migrations", "*.sql")

    assert migrations
    assert {name for name in files(wheel) if name.endswith(".sql")} == migrations


def test_carries_the_licence(wheel: zipfile.Path) -> None:
    """Apache-2.0 asks that its text travels with every copy."""
    [licence] = [name for name in files(wheel) if name.endswith(".dist-info/licenses/LICENSE")]

    assert wheel.joinpath(licence).read_text() == (ROOT / "LICENSE").read_text()


def test_metadata_names_licence_python_and_command(wheel: zipfile.Path) -> None:
    """Installers refuse an old Python by this and make the pinsmith command from it."""
    [folder] = {name.split("/")[0] for name in files(wheel) if ".dist-info/" in name}
    metadata = Parser().parsestr(wheel.joinpath(folder, "METADATA").read_text())

    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.12"
    assert "pinsmith = gateway.cli.main:main" in wheel.joinpath(folder, "entry_points.txt").read_text()
