"""How set-up comes by Node, on machines of many kinds."""

from pathlib import Path

import pytest

from tests.packaging.machine import Machine

OLD, NEW = "exit 1", "exit 0"
"""What `node` says when it is asked whether it is new enough."""
INSTALL = "install -y -qq --no-install-recommends nodejs npm"
BOOKWORM, TRIXIE = "18.20.4+dfsg-1~deb12u1", "20.19.2+dfsg-1"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Give a machine without Node."""
    return Machine(tmp_path, "cat", "dirname", "cp", "sed")


def with_apt(machine: Machine, version: str) -> None:
    """Let apt-get have a Node of this version, as a package beside npm."""
    ready = machine.add(machine.bin.parent / "ready", OLD if version < "20" else NEW)
    machine.add("apt-cache", f"printf 'nodejs:\\n  Installed: (none)\\n  Candidate: {version}\\n'")
    machine.add(
        "apt-get", f'[ "$1" = update ] || for name in node npm; do cp {ready} {machine.bin}/$name; done'
    )


def test_a_new_enough_node_is_left_alone(machine: Machine) -> None:
    """Whoever put it there."""
    machine.user(0)
    machine.add("node", NEW)
    machine.add("npm", "exit 0")
    with_apt(machine, TRIXIE)

    assert machine.run("need-node").returncode == 0
    assert machine.calls("apt-get") == []


def test_root_gets_it_from_debian_13(machine: Machine) -> None:
    """Its Node is new enough."""
    machine.user(0)
    with_apt(machine, TRIXIE)

    assert machine.run("need-node").returncode == 0
    assert machine.calls("apt-get") == ["update -qq", INSTALL]


def test_one_that_is_too_old_is_not_installed(machine: Machine) -> None:
    """Debian 12: it would be in the way of the one that is needed."""
    machine.user(0)
    with_apt(machine, BOOKWORM)

    result = machine.run("need-node")

    assert result.returncode == 1
    assert machine.calls("apt-get") == ["update -qq"]
    assert "only Node.js 18" in result.stderr


@pytest.mark.parametrize("version", [BOOKWORM, TRIXIE])
def test_others_are_told_what_to_type_on_their_system(machine: Machine, version: str) -> None:
    """Commands, not pages to read."""
    with_apt(machine, version)

    result = machine.run("need-node")

    assert result.returncode == 1
    assert machine.calls("apt-get") == []
    typed = [line.strip() for line in result.stderr.splitlines() if line.startswith("    ")]
    if version == TRIXIE:
        assert typed == ["sudo apt install nodejs npm"]
    else:
        assert typed[-1] == "sudo apt install nodejs"
        assert typed[-2].endswith("| sudo bash -")


def test_where_nothing_is_known_of_the_packages_one_from_elsewhere_is_named(machine: Machine) -> None:
    """Also what is needed at all."""
    result = machine.run("need-node")

    assert result.returncode == 1
    assert "Node.js 20 or newer" in result.stderr
    assert "nodesource" in result.stderr
