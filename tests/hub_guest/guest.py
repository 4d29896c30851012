"""The guest seen from the host: a machine that boots, takes orders as root, and reboots."""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Self

from tests.mqtt.broker import free_port

TREE = Path(__file__).parents[2]
BOOT_S = 240.0
"""Under emulation on two busy cores; an idle machine takes half a minute."""
PROBE_S = 3.0
"""For an order that does nothing: ten times of what it takes on an idle machine."""
ORDER_S = 600.0
HOST = "10.0.2.2"
"""The loopback of the host, as QEMU shows it to a guest."""


class RefusedError(Exception):
    """An order ended with an error; the text is all it said."""


class AbsentError(Exception):
    """Nobody takes orders: the guest is down, or boots."""


class Guest:
    """A running guest. Two of its ports are on loopback here: `mqtt_port`, and that of the orders."""

    def __init__(self, command: list[str], log: BinaryIO, mqtt_port: int, orders_port: int) -> None:
        """Use `boot`."""
        self.mqtt_port = mqtt_port
        self.orders_port = orders_port
        self._command = command
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @classmethod
    @asynccontextmanager
    async def boot(cls, image: Path, debs: Path, radio: int, console: Path) -> AsyncIterator[Self]:
        """Boot from a copy of what is in `image`; what the guest prints goes to `console`.

        `radio` is the port of the host where it finds the far end of its Bluetooth adapter.
        """
        ports = free_port(), free_port()
        with console.open("wb") as log, TemporaryDirectory(dir=image) as folder:
            disk = Path(folder) / "disk.img"
            await asyncio.to_thread(_copy, image / "disk.img", disk)
            guest = cls(_command(image, disk, debs, radio, *ports), log, *ports)
            try:
                await guest._start()
                yield guest
            finally:
                await guest._stop()

    async def reboot(self) -> None:
        """Have the guest go down in order, and boot it again."""
        assert self._process is not None
        with suppress(AbsentError):  # It may be faster than its answer.
            await self.order("systemctl --no-block reboot")
        async with asyncio.timeout(BOOT_S):
            await self._process.wait()
        await self._start()

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT
        )
        deadline = time.monotonic() + BOOT_S
        while time.monotonic() < deadline:
            # QEMU takes a connection for a guest that does not listen yet and knocks more and more rarely:
            # a new one is answered sooner.
            with suppress(AbsentError, TimeoutError):
                await self.order("true", seconds=PROBE_S)
                return
            await asyncio.sleep(0.5)
        raise AbsentError(f"the guest did not come up within {BOOT_S:.0f} s")

    async def _stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def order(self, script: str, *, seconds: float = ORDER_S) -> str:
        """Run lines of sh as root, return what they say. Raises RefusedError, AbsentError, TimeoutError."""
        code, said = await self.attempt(script, seconds=seconds)
        if code != 0:
            raise RefusedError(f"ended with {code}: {script.strip()}\n{said}")
        return said

    async def attempt(self, script: str, *, seconds: float = ORDER_S) -> tuple[int, str]:
        """Run lines of sh as root; return how they ended and what they said."""
        async with asyncio.timeout(seconds):
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.orders_port)
                try:
                    writer.write(script.encode())
                    writer.write_eof()
                    answer = (await reader.read()).decode(errors="replace")
                finally:
                    writer.close()
            except OSError as error:
                raise AbsentError("no answer") from error
        said, _, code = answer.rpartition("\n")
        if not code.isdigit():
            raise AbsentError("the answer was cut off")
        return int(code), said.rstrip("\n")


def _copy(disk: Path, to: Path) -> None:
    subprocess.run(["cp", "--sparse=always", str(disk), str(to)], check=True)  # noqa: S603, S607 - our own


def _command(image: Path, disk: Path, debs: Path, radio: int, mqtt_port: int, orders_port: int) -> list[str]:
    command = ["qemu-system-x86_64", *_processor(), "-m", "1536"]
    # Under emulation a machine that was switched off boots three times as fast as one that was reset.
    command += ["-nodefaults", "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot"]
    command += ["-kernel", str(image / "vmlinuz"), "-initrd", str(image / "initrd")]
    command += [
        "-append",
        f"root=/dev/vda rw console=ttyS0 loglevel=3 mitigations=off systemd.show_status=false radio={radio}",
    ]
    command += ["-drive", f"file={disk},format=raw,if=virtio,cache=unsafe"]
    ports = ((mqtt_port, 1883), (orders_port, 2000))
    forwarded = ",".join(f"hostfwd=tcp:127.0.0.1:{here}-:{there}" for here, there in ports)
    command += ["-netdev", f"user,id=net,{forwarded}", "-device", "virtio-net-pci,netdev=net"]
    for tag, path in (("tree", TREE), ("debs", debs)):
        command += ["-virtfs", f"local,path={path},mount_tag={tag},security_model=none,readonly=on"]
    return command


def _processor() -> list[str]:
    """Virtualise where the processor can, else emulate; HUB_GUEST_ACCEL overrides.

    What is emulated is an older one, whose instructions cost less, and only one: two would wait for each
    other where the host has two for both guests. A guest boots in 36 s instead of 50 then.
    """
    if (wanted := os.environ.get("HUB_GUEST_ACCEL")) is None:
        # A /dev/kvm may be there without: what it then makes of newer instructions ends the guest.
        flags = set(Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split())
        able = flags & {"vmx", "svm"} and os.access("/dev/kvm", os.R_OK | os.W_OK)
        wanted = "kvm" if able else "tcg"
    if wanted == "tcg":
        return ["-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-smp", "1"]
    return ["-accel", wanted, "-cpu", "max", "-smp", "2"]
