"""A throw-away Debian 13: what one test changes, no other sees."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_INSIDE = """
set -eu
mount -t overlay overlay -o "lowerdir=$BELOW,upperdir=$TOP/upper,workdir=$TOP/work" "$TOP/root"
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
    """Runs scripts in it as its administrator."""

    def __init__(self, below: tuple[Path, ...], top: Path) -> None:
        """`below` are layers that are only read, the uppermost first; changes are kept in `top`."""
        self._below = below
        self._top = top
        for name in ("upper", "work", "root"):
            (top / name).mkdir()

    def another(self, top: Path) -> "Root":
        """Return one that begins as this one is now, and which is no longer changed itself."""
        return Root((self._top / "upper", *self._below), top)

    def run(self, script: str, *, seconds: float = 240) -> Done:
        """Run lines of sh. Debconf asks nothing: nobody is there to answer."""
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
            "BELOW": ":".join(map(str, self._below)),
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

    def must_not(self, script: str) -> str:
        """Run lines of sh that have to fail, and return what they said."""
        done = self.run(script)
        assert done.code != 0, done.said
        return done.said

    def put(self, name: str, text: str) -> None:
        """Write a file."""
        path = self._top / "upper" / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
