"""How set-up picks a Python, on machines of many kinds."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "find-python"


class Machine:
    """A machine with nothing on PATH but what the script itself calls; Pythons are added to it."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.pyenv = folder / "pyenv"
        self.bin.mkdir()
        self.pyenv.mkdir()
        for tool in ("cat", "dirname"):
            found = shutil.which(tool)
            assert found is not None
            (self.bin / tool).symlink_to(found)

    def add(self, path: Path, script: str) -> Path:
        """Put an executable there that runs these lines of sh."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def find(self) -> subprocess.CompletedProcess[str]:
        """Run the script on this machine."""
        environment = {"PATH": str(self.bin), "HOME": str(self.bin), "PYENV_ROOT": str(self.pyenv)}
        return subprocess.run(  # noqa: S603 - a script of ours
            ["/bin/sh", str(SCRIPT)], env=environment, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Give a machine without any Python."""
    return Machine(tmp_path)


# Like a pyenv shim of a version that is not switched on.
REFUSES = "exit 127"
TOO_OLD = "exit 3"
WITHOUT_VENV = "exit 4"
GOOD = f'exec {sys.executable} "$@"'


def test_a_new_enough_python_on_path_is_taken(machine: Machine) -> None:
    """The plain case of Debian 13."""
    machine.add(machine.bin / "python3", GOOD)

    assert machine.find().stdout.strip() == sys.executable


def test_shims_that_do_not_run_and_old_pythons_are_passed_over(machine: Machine) -> None:
    """Debian 12 with pyenv: python3 is 3.11, the shims fail, a good one lies in pyenv's folder."""
    machine.add(machine.bin / "python3.13", REFUSES)
    machine.add(machine.bin / "python3", TOO_OLD)
    machine.add(machine.pyenv / "versions" / "3.13.0" / "bin" / "python", GOOD)

    assert machine.find().stdout.strip() == sys.executable


def test_a_python_without_venv_is_told_how_to_get_it(machine: Machine) -> None:
    """Debian splits venv off; fetching a second Python for that would be the wrong cure."""
    machine.add(machine.bin / "python3", WITHOUT_VENV)

    result = machine.find()

    assert (result.returncode, result.stdout) == (1, "")
    assert "sudo apt install python3 python3-venv" in result.stderr


def test_uv_is_asked_when_there_is_no_other_way(machine: Machine) -> None:
    """A machine whose system Python is too old but which has uv."""
    fetched = machine.add(machine.bin.parent / "fetched", GOOD)
    machine.add(machine.bin / "uv", f'[ "$2" = find ] && echo {fetched}; exit 0')

    assert machine.find().stdout.strip() == sys.executable


def test_without_any_way_it_says_what_to_install(machine: Machine) -> None:
    """The message is all the user has: it names the systems and the commands."""
    result = machine.find()

    assert (result.returncode, result.stdout) == (1, "")
    assert "Debian 13" in result.stderr
    assert "Debian 12" in result.stderr
    assert "uv python install 3.13" in result.stderr
