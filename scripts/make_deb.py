"""Builds build/pinsmith_<version>_<architecture>.deb for Debian 13, with its Python packages inside.

python -m scripts.make_deb [--arch amd64|arm64] [--version V] [--output FOLDER]

Runs on any machine that has dpkg-deb, for another architecture too: nothing of the package is executed, and
all Python packages are fetched as wheels for the target, by the hashes of requirements/daemon.txt.
"""

import argparse
import gzip
import os
import re
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.deb_copyright import copyright_of

TREE = Path(__file__).parents[1]
PARTS = TREE / "deb"
PLATFORMS = {"amd64": "x86_64-manylinux_2_36", "arm64": "aarch64-manylinux_2_36"}
"""Debian 13 has glibc 2.41."""
PYTHON = "3.13"
"""Of Debian 13. Compiled packages fit this one only, so the package depends on it."""
MAINTAINER = "The pinsmith maintainers <maintainers@pinsmith.invalid>"
UNITS = {
    "*.service": "usr/lib/systemd/system",
    "*.timer": "usr/lib/systemd/system",
    "*.sysusers": "usr/lib/sysusers.d",
    "*.tmpfiles": "usr/lib/tmpfiles.d",
    "*.conf": "usr/share/dbus-1/system.d",
}
"""Where Debian wants what lies in systemd/; the bus reads the only .conf there."""
DOCUMENTS = (
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "config.example.toml",
    "systemd/README.md",
    "tests/zwave_bed/README.md",
    "docs/**/*",
)
"""Laid out in the package as they are here: the links between them lead somewhere."""
NOT_SHIPPED = ("bin", "RECORD", "REQUESTED", "INSTALLER", "direct_url.json", "uv_cache.json", ".lock")
"""What an installer leaves behind: it names this machine, or serves only to uninstall."""


def main() -> int:
    """Build, print file and size."""
    parser = argparse.ArgumentParser(description="build the Debian package")
    parser.add_argument("--arch", default=_run("dpkg", "--print-architecture").strip())
    parser.add_argument("--version", help="default: that of pyproject.toml")
    parser.add_argument("--output", type=Path, default=TREE / "build")
    args = parser.parse_args()
    if args.arch not in PLATFORMS:
        print(
            f"no package can be made for {args.arch}: not all Python packages are published for it "
            "(see docs/install.md, Other machines)",
            file=sys.stderr,
        )
        return 1
    project = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    # 0.2.0rc1 comes before 0.2.0.
    version = args.version or re.sub(r"(?<=\d)(a|b|rc|\.dev)(?=\d)", r"~\1", project["version"])
    deb = build(args.output, args.arch, version)
    print(f"{deb}: {deb.stat().st_size / 2**20:.1f} MiB")
    return 0


def build(output: Path, arch: str, version: str) -> Path:
    """Build into `output` and return the file; the same sources and date give the same bytes."""
    date = int(
        os.environ.get("SOURCE_DATE_EPOCH") or _run("git", "-C", str(TREE), "log", "-1", "--format=%ct")
    )
    output.mkdir(parents=True, exist_ok=True)
    deb = output / f"pinsmith_{version}_{arch}.deb"
    with TemporaryDirectory(prefix="pinsmith-deb-") as folder:
        root = Path(folder) / "root"
        _packages(root / "usr/lib/pinsmith", Path(folder), arch)
        _compile(root, date)
        _files(root)
        _documents(root, version, date)
        _control(root, version, arch)
        _settle(root, date)
        _run(
            "dpkg-deb",
            "--root-owner-group",
            # Debian's archive knows no zstd in packages; more than this costs minutes for a twentieth less.
            "-Zxz",
            "-z2",
            "--threads-max=1",
            "--build",
            str(root),
            str(deb),
            SOURCE_DATE_EPOCH=str(date),
        )
    return deb


def _packages(target: Path, folder: Path, arch: str) -> None:
    """Install what is locked, and ourselves."""
    uv = str(Path(sys.executable).with_name("uv"))
    install = [uv, "pip", "install", "--quiet", "--target", str(target), "--python-version", PYTHON]
    install += ["--python-platform", PLATFORMS[arch], "--only-binary", ":all:", "--link-mode", "copy"]
    _run(*install, "--no-deps", "--require-hashes", "-r", str(TREE / "requirements/daemon.txt"))
    # Building writes into the source tree, so a copy is built.
    source = folder / "source"
    for name in ("gateway", "drivers", "storage"):
        shutil.copytree(TREE / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(TREE / name, source)
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    _run(*wheel, "--wheel-dir", str(folder), str(source))
    [ours] = folder.glob("*.whl")
    _run(*install, "--no-deps", str(ours))
    for path in sorted(target.rglob("*"), reverse=True):
        top = path.parent == target
        if path.name in NOT_SHIPPED and (top or path.parent.suffix == ".dist-info"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        elif path.name in {"tests", "__pycache__"} and path.is_dir():
            shutil.rmtree(path)


def _compile(root: Path, date: int) -> None:
    """Compile the Python: an installation on a small hub takes seconds so, not minutes.

    By the Python of Debian 13, whose cache it is: another would be read, and compiled anew at each start.
    """
    library = root / "usr/lib/pinsmith"
    for file in library.rglob("*.py"):
        os.utime(file, (date, date))
    command = [_python(), "-P", "-S", "-m", "compileall", "-q", "-j", "0", "-s", str(root), "-p", "/"]
    # The order of what is in a set would differ from one build to the next.
    _run(*command, "--invalidation-mode", "timestamp", str(library), PYTHONHASHSEED="0")


def _python() -> str:
    """Return a Python of the version that Debian 13 has; which build of it does not matter to the cache."""
    if sys.version_info[:2] == tuple(map(int, PYTHON.split("."))):
        return sys.executable
    uv = str(Path(sys.executable).with_name("uv"))
    try:
        return _run(uv, "python", "find", PYTHON).strip()
    except subprocess.CalledProcessError:
        raise SystemExit(f"building needs a Python {PYTHON}: {uv} python install {PYTHON}") from None


def _files(root: Path) -> None:
    """Put command, unit and folders in place."""
    _copy(PARTS / "pinsmith", root / "usr/bin/pinsmith")
    (root / "etc/pinsmith").mkdir(parents=True)
    for pattern, place in UNITS.items():
        for file in (TREE / "systemd").glob(pattern):
            # What systemd calls sysusers.d/x.conf lies here as x.sysusers.
            name = f"{file.stem}.conf" if file.suffix in {".sysusers", ".tmpfiles"} else file.name
            _copy(file, root / place / name)


def documents_shipped() -> list[Path]:
    """Return the files below /usr/share/doc/pinsmith that are those of this tree, as paths in it."""
    files = (file for pattern in DOCUMENTS for file in TREE.glob(pattern) if file.is_file())
    return sorted(file.relative_to(TREE) for file in files)


def _documents(root: Path, version: str, date: int) -> None:
    documents = root / "usr/share/doc/pinsmith"
    for name in documents_shipped():
        _copy(TREE / name, documents / name)
    (documents / "copyright").write_text(copyright_of(root / "usr/lib/pinsmith"), encoding="utf-8")
    signed = f" -- {MAINTAINER}  {format_datetime(datetime.fromtimestamp(date, UTC))}"
    entry = f"pinsmith ({version}) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n{signed}\n"
    (documents / "changelog.gz").write_bytes(gzip.compress(entry.encode(), mtime=0))
    _copy(PARTS / "lintian-overrides", root / "usr/share/lintian/overrides/pinsmith")


def _control(root: Path, version: str, arch: str) -> None:
    size = sum(file.stat().st_size for file in root.rglob("*") if file.is_file()) // 1024
    newest = max(int(file.name.split("_")[0]) for file in (TREE / "storage/migrations").glob("*.sql"))
    values = {"VERSION": version, "ARCHITECTURE": arch, "SIZE": str(size), "FORMAT": str(newest)}
    values["MAINTAINER"] = MAINTAINER
    for name in ("control", "preinst", "postinst", "prerm", "postrm", "config", "templates"):
        text = (PARTS / name).read_text(encoding="utf-8")
        target = root / "DEBIAN" / name
        target.parent.mkdir(exist_ok=True)
        target.write_text(re.sub("@([A-Z]+)@", lambda found: values[found[1]], text), encoding="utf-8")
    sums = [
        f"{_md5(file)}  {file.relative_to(root)}\n"
        for file in sorted(root.rglob("*"))
        if file.is_file() and (root / "DEBIAN") not in file.parents
    ]
    (root / "DEBIAN/md5sums").write_text("".join(sums), encoding="utf-8")


def _settle(root: Path, date: int) -> None:
    """Give everything modes and dates that do not depend on this machine."""
    programs = {root / "usr/bin/pinsmith"} | {
        root / "DEBIAN" / name for name in ("preinst", "postinst", "prerm", "postrm", "config")
    }
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path in programs else 0o644)
        os.utime(path, (date, date))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _md5(file: Path) -> str:
    import hashlib  # noqa: PLC0415 - for this alone

    # dpkg wants it; it protects against a bad card and not against people.
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()


def _run(*command: str, **environment: str) -> str:
    return subprocess.run(  # noqa: S603 - our own commands
        command, check=True, text=True, stdout=subprocess.PIPE, env={**os.environ, **environment}
    ).stdout


if __name__ == "__main__":
    sys.exit(main())
