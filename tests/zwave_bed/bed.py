"""Client of the Z-Wave bed: starts the Node process and speaks to its control port."""

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import urlsplit

from tests.zwave_bed.config import BedConfig, Counters, Faults, Report, Schedules, Slot

HERE = Path(__file__).parent
# Ten locks are ready in about 6 s on an idle machine; a busy small one gets ten times that.
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
INSTALL_TIMEOUT_S = 300.0
# The longest action is a restart of the driver with all its interviews.
ACTION_TIMEOUT_S = 60.0


class BedFailedError(Exception):
    """The bed could not be installed or started, or refused an action."""


@dataclass(frozen=True)
class ZwaveBed:
    """A running bed. `ws` is the address of the zwave-js-server, `control` that of the control port.

    Every method raises BedFailedError when the bed refuses (unknown node, slot or fault). Methods can
    be called from any event loop: each opens its own connection.
    """

    ws: str
    control: str

    @classmethod
    @asynccontextmanager
    async def start(cls, config: BedConfig, *, patience_s: float = START_TIMEOUT_S) -> AsyncIterator[Self]:
        """Start the Node process; it ends with the context, or with this process, whatever comes first."""
        await install()
        with tempfile.TemporaryFile() as errors:
            process = await asyncio.create_subprocess_exec(
                _tool("node"),
                "main.js",
                cwd=HERE,
                env=os.environ | {"TZ": config.time_zone},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
            try:
                ready = await asyncio.wait_for(_hand_over(process, config), patience_s)
                if not ready:
                    raise BedFailedError(f"the bed did not start: {_tail(errors)}")
                yield cls(ws=ready["ws"], control=ready["control"])
            finally:
                await _stop(process)

    async def slots(self, node_id: int) -> dict[int, Slot]:
        """The taken slots as the lock truly holds them, whatever its model shows over the air."""
        answer = await self._post("slots", node_id=node_id)
        return {entry["slot"]: Slot(status=entry["status"], code=entry["code"]) for entry in answer}

    async def schedules(self, node_id: int, slot: int) -> Schedules:
        """The schedules that a slot truly has, by their number."""
        answer = await self._post("schedules", node_id=node_id, slot=slot)
        return Schedules(
            **{kind: {int(n): entry for n, entry in held.items()} for kind, held in answer.items()}
        )

    async def put_year_day(self, node_id: int, slot: int, schedule: Mapping[str, int] | None) -> None:
        """Another program gives a slot a schedule by dates, or takes it away."""
        await self._post("put_schedule", node_id=node_id, slot=slot, index=1, kind=1, schedule=schedule)

    async def put_daily(
        self, node_id: int, slot: int, index: int, schedule: Mapping[str, Any] | None
    ) -> None:
        """Another program gives a slot a window that repeats daily, or takes it away."""
        await self._post("put_schedule", node_id=node_id, slot=slot, index=index, kind=2, schedule=schedule)

    async def clock(self, node_id: int) -> datetime:
        """What the face of the lock's clock shows: no time zone."""
        return datetime.fromisoformat(await self._post("clock", node_id=node_id)).replace(tzinfo=None)

    async def edit(self, node_id: int, slot: int, code: str, report: Report) -> None:
        """Somebody types a code into a slot at the keypad."""
        await self._post("edit", node_id=node_id, slot=slot, code=code, report=report)

    async def clear(self, node_id: int, slot: int, report: Report) -> None:
        """Somebody deletes the code of a slot at the keypad."""
        await self._post("clear", node_id=node_id, slot=slot, report=report)

    async def clear_all(self, node_id: int, report: Report) -> None:
        """Somebody deletes all codes at the keypad. As `report`, each slot that was taken reports itself."""
        await self._post("clear_all", node_id=node_id, report=report)

    async def unlock(self, node_id: int, slot: int) -> None:
        """Somebody opens the door with the code of a slot; the lock says which slot."""
        await self._post("unlock", node_id=node_id, slot=slot)

    async def wrong_code(self, node_id: int) -> None:
        """Somebody has typed wrong codes until the lock reports it."""
        await self._post("wrong_code", node_id=node_id)

    async def send_report(self, node_id: int, slot: int, status: int, code: str) -> None:
        """Let the lock send a User Code Report that need not be true, as some do just after a change.

        The driver drops reports of taken slots with fewer than four characters.
        """
        await self._post("send_report", node_id=node_id, slot=slot, status=status, code=code)

    async def send_notification(self, node_id: int, event: int, parameters: Sequence[int] = ()) -> None:
        """Let the lock send any Access Control notification, with raw event parameter bytes."""
        await self._post("send_notification", node_id=node_id, event=event, parameters=list(parameters))

    async def send_alarm(self, node_id: int, kind: int, level: int) -> None:
        """Let the lock send any V1 alarm of this type and level, 0..255 each."""
        await self._post("send_alarm", node_id=node_id, type=kind, level=level)

    async def keypad_mode(self, node_id: int, mode: int) -> None:
        """Switch the keypad to normal (0), vacation (1), privacy (2) or locked out (3); the lock tells."""
        await self._post("keypad_mode", node_id=node_id, mode=mode)

    async def battery(self, node_id: int, level: int) -> None:
        """Set the battery level in per cent and let the lock report it."""
        await self._post("battery", node_id=node_id, level=level)

    async def refuse_duplicates(self, node_id: int, *, on: bool) -> None:
        """Whether a code that already stands in another slot is refused and reported as a duplicate."""
        await self._post("refuse_duplicates", node_id=node_id, on=on)

    async def fault(self, node_id: int, faults: Faults) -> None:
        """Replace all faults of a lock by these."""
        await self._post("faults", node_id=node_id, faults=asdict(faults))

    async def alive(self, node_id: int) -> None:
        """A dead lock works again and shows it with a frame of its own."""
        await self._post("alive", node_id=node_id)

    async def counters(self, node_id: int) -> Counters:
        """Radio traffic towards a lock since the last reset of its counters."""
        return Counters(**await self._post("counters", node_id=node_id))

    async def stored(self, node_id: int) -> dict[str, int]:
        """How often each code was stored by a command since the last reset of the counters."""
        return dict(await self._post("stored", node_id=node_id))

    async def reset_counters(self, node_id: int) -> None:
        """Count from zero again."""
        await self._post("reset_counters", node_id=node_id)

    async def reset(self) -> None:
        """Every lock as configured, empty, healthy and uncounted; the driver's cache is told so too."""
        await self._post("reset")

    async def replace(self, node_id: int, ids: tuple[int, int, int], serial: str | None = None) -> None:
        """Put another, empty lock with this identity on a known node id; the driver interviews it anew."""
        await self._post("replace", node_id=node_id, ids=ids, serial=serial)

    async def restart_server(self) -> None:
        """Close the websocket server with its connections and open it again on the same port."""
        await self._post("restart_server")

    async def restart_driver(self, *, keep_cache: bool = True) -> None:
        """Restart driver and server; without its cache the driver meets all locks for the first time."""
        await self._post("restart_driver", keep_cache=keep_cache)

    async def shutdown(self) -> None:
        """End the Node process as its operator would."""
        await self._post("shutdown")

    async def _post(self, action: str, **body: Any) -> Any:  # noqa: ANN401 - JSON of any shape
        status, answer = await asyncio.wait_for(
            _request(self.control, f"/{action}", body), timeout=ACTION_TIMEOUT_S
        )
        if status != 200:
            raise BedFailedError(f"the bed refused {action}: {answer.get('error')}")
        return answer["result"]


async def install() -> None:
    """Install the bed's Node packages from its lock file, unless they are there already."""
    lock, installed = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    # npm writes the second at the end of an install: older than the lock means stale or broken off.
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    process = await asyncio.create_subprocess_exec(
        _tool("npm"),
        "ci",
        "--ignore-scripts",
        "--loglevel=error",
        cwd=HERE,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(process.communicate(), INSTALL_TIMEOUT_S)
    if process.returncode != 0:
        raise BedFailedError(f"npm ci failed in {HERE.name}: {errors.decode(errors='replace')[-500:]}")
    installed.touch()


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise BedFailedError(f"the Z-Wave bed needs {name}: install Node.js 20 or newer")
    return path


async def _hand_over(process: asyncio.subprocess.Process, config: BedConfig) -> Mapping[str, str]:
    """Give the configuration to the process; an empty answer means that it ended instead."""
    if process.stdin is None or process.stdout is None:
        raise BedFailedError("the bed was started without pipes")
    process.stdin.write(json.dumps(config.as_json()).encode() + b"\n")
    await process.stdin.drain()
    line = await process.stdout.readline()
    answer: Mapping[str, str] = json.loads(line or "{}")
    return answer


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Close stdin, which ends the process, and make sure of it."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def _tail(errors: IO[bytes]) -> str:
    errors.seek(0)
    return errors.read()[-2000:].decode(errors="replace")


async def _request(base: str, path: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """One HTTP exchange on a connection of its own."""
    address = urlsplit(base)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        content = json.dumps(body).encode()
        head = (f"POST {path} HTTP/1.1", "host: bed", "connection: close", f"content-length: {len(content)}")
        writer.write("\r\n".join((*head, "", "")).encode() + content)
        response = await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
    first, _, payload = response.partition(b"\r\n\r\n")
    status = int(first.split(b" ", 2)[1])
    return status, json.loads(payload)
