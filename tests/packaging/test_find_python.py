"""How set-up picks a Python, on machines of many kinds."""

import sys
from pathlib import Path

import pytest

from tests.packaging.machine import Machine

# Like a pyenv shim of a version that is not switched on.
REFUSES = "exit 127"
TOO_OLD = 'case "$2" in *sqlite3*) exit 3 ;; esac'
TOO_OLD_WITHOUT_VENV = 'case "$2" in *sqlite3*) exit 3 ;; esac; exit 1'
WITHOUT_VENV = 'case "$2" in *sqlite3*) exit 4 ;; esac; exit 1'
GOOD = f'exec {sys.executable} "$@"'
INSTALL = "install -y -qq --no-install-recommends python3 python3-venv"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Give a machine without any Python."""
    return Machine(tmp_path, "cat", "dirname", "cp")


def with_uv(machine: Machine) -> None:
    """Let uv be there, and fetch a good Python."""
    fetched = machine.add(machine.bin.parent / "fetched", GOOD)
    machine.add("uv", f'[ "$2" = find ] && echo {fetched}; exit 0')


def with_apt(machine: Machine, *, installs: str) -> None:
    """Let apt-get install a python3 that runs these lines."""
    ready = machine.add(machine.bin.parent / "ready", installs)
    chatter = "echo Setting up python3-venv"
    machine.add("apt-get", f'{chatter}; [ "$1" = update ] || cp -f {ready} {machine.bin}/python3')


def test_a_new_enough_python_on_path_is_taken(machine: Machine) -> None:
    """The plain case of Debian 13."""
    machine.add("python3", GOOD)

    assert machine.run("find-python").stdout.strip() == sys.executable


def test_shims_that_do_not_run_and_old_pythons_are_passed_over(machine: Machine) -> None:
    """Debian 12 with pyenv: python3 is 3.11, the shims fail, a good one lies in pyenv's folder."""
    machine.add("python3.13", REFUSES)
    machine.add("python3", TOO_OLD)
    machine.add(machine.pyenv / "versions" / "3.13.0" / "bin" / "python", GOOD)

    assert machine.run("find-python").stdout.strip() == sys.executable


def test_a_python_without_venv_is_told_how_to_get_it(machine: Machine) -> None:
    """Debian splits venv off, and only root can install it."""
    machine.add("python3", WITHOUT_VENV)
    with_apt(machine, installs=GOOD)

    result = machine.run("find-python")

    assert (result.returncode, result.stdout) == (1, "")
    assert "sudo apt install python3 python3-venv" in result.stderr
    assert machine.calls("apt-get") == []


def test_a_python_without_venv_is_completed_by_root(machine: Machine) -> None:
    """A fresh Debian 13; a second Python would be the wrong cure, also where uv could fetch one."""
    machine.user(0)
    machine.add("python3", WITHOUT_VENV)
    with_apt(machine, installs=GOOD)
    with_uv(machine)

    result = machine.run("find-python")

    assert (result.returncode, result.stdout.strip()) == (0, sys.executable)
    assert machine.calls("apt-get") == ["update -qq", INSTALL]
    assert machine.calls("uv") == []


@pytest.mark.parametrize("user", [0, 1000])
def test_uv_helps_where_venv_cannot_be_had(machine: Machine, user: int) -> None:
    """For want of rights, or because the package could not be installed."""
    machine.user(user)
    machine.add("python3", WITHOUT_VENV)
    machine.add("apt-get", "exit 100")
    with_uv(machine)

    result = machine.run("find-python")

    assert (result.returncode, result.stdout.strip()) == (0, sys.executable)


def test_uv_is_asked_when_there_is_no_other_way(machine: Machine) -> None:
    """A machine whose system Python is too old but which has uv: nothing is installed."""
    machine.user(0)
    machine.add("python3", TOO_OLD_WITHOUT_VENV)
    with_apt(machine, installs=TOO_OLD)
    with_uv(machine)

    assert machine.run("find-python").stdout.strip() == sys.executable
    assert machine.calls("apt-get") == []


def test_an_old_python_gets_venv_from_root_and_fetches_uv(machine: Machine) -> None:
    """A fresh Debian 12: its own 3.11 makes the environment that uv comes into."""
    machine.user(0)
    machine.add("python3", TOO_OLD_WITHOUT_VENV)
    fetched = machine.add(machine.bin.parent / "fetched", GOOD)
    pip, uv = (machine.project / ".bootstrap" / "bin" / name for name in ("pip", "uv"))
    machine.add(pip, "exit 0")
    machine.add(uv, f'[ "$2" = find ] && echo {fetched}; exit 0')
    with_apt(machine, installs=TOO_OLD)

    result = machine.run("find-python")

    assert (result.returncode, result.stdout.strip()) == (0, sys.executable)
    assert "--require-hashes" in machine.calls("pip")[0]


def test_an_old_python_without_venv_is_told_the_one_line_that_suffices(machine: Machine) -> None:
    """The rest comes by itself then; whoever is not root has to type it."""
    machine.add("python3", TOO_OLD_WITHOUT_VENV)

    result = machine.run("find-python")

    assert (result.returncode, result.stdout) == (1, "")
    [command] = [line.strip() for line in result.stderr.splitlines() if "apt install" in line]
    assert command == "sudo apt install python3-venv"


def test_a_machine_without_any_python_gets_debian_s_from_root(machine: Machine) -> None:
    """A Debian so small that it has none."""
    machine.user(0)
    with_apt(machine, installs=GOOD)

    assert machine.run("find-python").stdout.strip() == sys.executable


def test_without_any_way_it_says_what_to_install(machine: Machine) -> None:
    """The message is all the user has: it names the systems and the commands."""
    result = machine.run("find-python")

    assert (result.returncode, result.stdout) == (1, "")
    assert "Debian 13" in result.stderr
    assert "Debian 12" in result.stderr
    assert "uv python install 3.13" in result.stderr
