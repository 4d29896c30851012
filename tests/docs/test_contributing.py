"""The driver that the page for contributors shows keeps the contract that it is shown for."""

import os
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT, blocks

PAGE = "docs/contributing.md"


def test_the_driver_on_the_page_passes_the_contract_suite(tmp_path: Path) -> None:
    """Copied as it stands there; a driver that loses codes does not pass."""
    driver, contract = (block.text for block in blocks(PAGE) if block.kind == "python")
    (tmp_path / "test_paper_contract.py").write_text(contract, encoding="utf-8")

    (tmp_path / "paper.py").write_text(driver, encoding="utf-8")
    done = _pytest(tmp_path)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout

    forgetful = driver.replace("self.written[slot] = Credential(pin=credential.pin)", "pass")
    assert forgetful != driver
    (tmp_path / "paper.py").write_text(forgetful, encoding="utf-8")
    assert _pytest(tmp_path).returncode == 1


def _pytest(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-n0",
        f"--rootdir={ROOT}",
        str(folder),
    ]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{folder}", "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PINSMITH_WHOLE_SUITE", None)
    return subprocess.run(  # noqa: S603 - our own page
        [*command, "-c", str(ROOT / "pyproject.toml")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
