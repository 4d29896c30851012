"""Boots the guest, shows what it says, and takes the verdict from the file that it leaves.

python -m tests.hub_guest FOLDER      FOLDER: where build.sh has put disk, kernel and packages
"""

import subprocess
import sys
import time
from pathlib import Path

TREE = Path(__file__).parents[2]
LIMIT_S = 900
"""Under emulation on two busy cores; an idle machine takes two minutes."""


def main() -> int:
    """Run the guest to its end; 0 when everything in it passed."""
    folder = Path(sys.argv[1]).resolve()
    results = folder / "results"
    results.mkdir(exist_ok=True)
    verdict = results / "verdict"
    verdict.unlink(missing_ok=True)
    started = time.monotonic()
    try:
        subprocess.run(_command(folder, results), check=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL)  # noqa: S603 - our own command
    except subprocess.TimeoutExpired:
        print(f"the guest did not end within {LIMIT_S} s")
        return 1
    print(f"the guest ran for {time.monotonic() - started:.0f} s")
    found = verdict.read_text(encoding="utf-8").strip() if verdict.exists() else "it left no verdict"
    print(f"verdict: {found}")
    return 0 if found == "passed" else 1


def _command(folder: Path, results: Path) -> list[str]:
    """Return what starts the guest: no network, the disk unchanged by what it does."""
    shares = (("tree", TREE, "on"), ("packages", folder / "packages", "on"), ("results", results, "off"))
    command = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024"]
    command += ["-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot", "-net", "none"]
    command += ["-kernel", str(folder / "vmlinuz"), "-initrd", str(folder / "initrd")]
    command += ["-append", "root=/dev/vda rw console=ttyS0 loglevel=3 systemd.show_status=false"]
    command += ["-drive", f"file={folder / 'disk.img'},format=raw,if=virtio,snapshot=on"]
    for tag, path, readonly in shares:
        command += ["-virtfs", f"local,path={path},mount_tag={tag},security_model=none,readonly={readonly}"]
    return command


if __name__ == "__main__":
    sys.exit(main())
