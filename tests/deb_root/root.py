"""A throw-away Debian 13: what one test changes, no other sees."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_INSIDE = """
set -eu
mount -t overlay overlay -o "lowerdir=$BASE,upperdir=$TOP/upper,workdir=$TOP/work" "$TOP/root"
mount -t proc proc "$TOP/root/proc"
mount --rbind /dev "$TOP/root/dev"
exec chroot "$TOP/root" /bin/sh -euc "$SCRIPT"
"""


@dataclass(frozen=True)
class Done:
    """How a script ended, and all it said."""

    code: int
    said: str


class Root:
    """Runs scripts in the root as its administrator; packages are found in /packages."""

    def __init__(self, base: Path, top: Path, packages: Path) -> None:
        """`base` is the unpacked Debian, never written; changes are kept below `top`."""
        self._base = base
        self._top = top
        for name in ("upper", "work", "root"):
            (top / name).mkdir()
        shutil.copytree(packages, top / "upper/packages")

    def run(self, script: str, *, seconds: float = 240) -> Done:
        """Run lines of sh. Debconf asks nothing: nobody is there to answer."""
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
            "BASE": str(self._base),
            "TOP": str(self._top),
            "SCRIPT": script,
        }
        done = subprocess.run(  # noqa: S603 - a script of the test
            ["/usr/bin/unshare", "--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-c", _INSIDE],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    def must(self, script: str) -> str:
        """Run lines of sh that have to succeed, and return what they said."""
        done = self.run(script)
        assert done.code == 0, done.said
        return done.said

    def path(self, name: str) -> Path:
        """Return where a file that was written by a script is to be seen from outside."""
        return self._top / "upper" / name.lstrip("/")

    def put(self, name: str, text: str) -> None:
        """Write a file."""
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text, encoding="utf-8")
