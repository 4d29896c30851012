"""A machine that set-up has to deal with: nothing on PATH but what a test puts there."""

import shutil
import subprocess
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "scripts"


class Machine:
    """A machine on which nobody is root; what its programs were called with is kept."""

    def __init__(self, folder: Path, *tools: str) -> None:
        """Give it these tools of this machine, and nothing else."""
        self.bin = folder / "bin"
        self.pyenv = folder / "pyenv"
        self.project = folder / "project"
        self._calls = folder / "calls"
        for path in (self.bin, self.pyenv, self.project / "scripts"):
            path.mkdir(parents=True)
        self._calls.touch()
        for tool in tools:
            found = shutil.which(tool)
            assert found is not None
            (self.bin / tool).symlink_to(found)
        self.user(1000)

    def user(self, number: int) -> None:
        """Work as the user of this number; 0 is root."""
        self.add("id", f"echo {number}")

    def add(self, path: str | Path, script: str) -> Path:
        """Put an executable there, by default among the programs, that runs these lines of sh."""
        program = self.bin / path
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f'#!/bin/sh\necho "{program.name} $*" >>{self._calls}\n{script}\n')
        program.chmod(0o755)
        return program

    def calls(self, program: str) -> list[str]:
        """Return what a program was called with, in order."""
        lines = self._calls.read_text().splitlines()
        return [line.partition(" ")[2] for line in lines if line.partition(" ")[0] == program]

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run one of our scripts there, from a project that holds nothing else."""
        copy = shutil.copy(SCRIPTS / script, self.project / "scripts" / script)
        environment = {"PATH": str(self.bin), "HOME": str(self.bin), "PYENV_ROOT": str(self.pyenv)}
        return subprocess.run(  # noqa: S603 - a script of ours
            ["/bin/sh", copy], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
