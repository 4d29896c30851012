"""What the Debian package is made of, as far as it shows without building it; else see tests/deb_root."""

import re
import subprocess
from pathlib import Path

import pytest

from scripts.make_deb import documents_shipped
from tests.docs.pages import PAGES, prose

ROOT = Path(__file__).parents[2]
SCRIPTS = ("preinst", "postinst", "prerm", "postrm", "config")


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_sound_sh_that_stops_at_the_first_failure(name: str) -> None:
    """A script that stumbles on would leave a hub half installed and say that all is well."""
    script = ROOT / "deb" / name
    done = subprocess.run(  # noqa: S603 - our own script, which is only read
        ["/bin/sh", "-n", script], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert script.read_text().startswith("#!/bin/sh\n")
    assert "\nset -e\n" in script.read_text()


def test_the_program_in_the_preinst_is_python() -> None:
    """It runs before anything is unpacked, by Debian's python3."""
    [program] = re.findall(r"<<'END'\n(.*?)\nEND\n", (ROOT / "deb/preinst").read_text(), re.DOTALL)

    compile(program, "preinst", "exec")


def test_the_question_is_asked_under_the_name_that_the_docs_give() -> None:
    """Whoever answers beforehand copies it from there."""
    [asked] = re.findall(r"^Template: (.+)$", (ROOT / "deb/templates").read_text(), re.MULTILINE)

    assert "\nDefault: false\n" in (ROOT / "deb/templates").read_text()
    assert asked in (ROOT / "deb/postrm").read_text()
    assert f"{asked} boolean true" in (ROOT / "docs/install.md").read_text()


def test_links_between_the_pages_lead_somewhere_in_the_package_too() -> None:
    """It has the same layout, and all that they link to."""
    shipped = {str(file) for file in documents_shipped()}

    assert set(PAGES) <= shipped
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)", prose(page)):
            if not target.startswith("https://"):
                there = ((ROOT / page).parent / target).resolve().relative_to(ROOT)
                assert str(there) in shipped, f"{page}: {target}"


def test_messages_name_pages_that_the_package_has() -> None:
    """As people will look for them."""
    shipped = {str(file) for file in documents_shipped()}
    files = [ROOT / "deb/preinst", *ROOT.glob("systemd/*.service"), ROOT / "docs/mqtt.md"]
    named = re.findall(r"/usr/share/doc/pinsmith/([\w./]*\w)", " ".join(file.read_text() for file in files))

    assert len(named) >= len(files) - 1
    assert set(named) <= shipped
