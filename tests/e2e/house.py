"""A gateway at work on locks of the Z-Wave bed, with somebody who talks to it over a real broker."""

import asyncio
import contextlib
import io
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from gateway import logs
from gateway.config import Settings, load
from gateway.daemon import serve
from tests.daemon.bed import PINS, ROOT, Somebody, online
from tests.e2e.clock import PassingClock
from tests.mqtt.broker import eventually
from tests.zwave_bed.bed import ZwaveBed
from tests.zwave_bed.config import Counters, Model, NodeConfig

MODELS: tuple[Model, ...] = (
    "v1",
    "v2_s2",
    "v2_plain",
    "masked_s2",
    "masked_v1",
    "write_only",
    "tiny",
    "scheduled",
)
NODES = {
    model: NodeConfig(node_id=2 + place, model=model, slots=3, serial=f"serial of {model}")
    for place, model in enumerate(MODELS)
}
"""One lock of each model, small: between two looks at a lock the gateway pauses for 2 s."""
PATIENCE_S = 20.0
"""Far more than anything takes: reaching it is a failure."""
_BREATH_S = 0.02


def settings(folder: Path, bed: ZwaveBed, broker_port: int, *models: Model, extra: str = "") -> Settings:
    """Write a configuration below `folder` and read it; the locks are called like their models."""
    file = folder / "pinsmith.toml"
    file.write_text(
        f"""
        [gateway]
        id = "hub"
        time_zone = "Europe/Berlin"
        data_directory = "data"
        [mqtt]
        url = "mqtt://127.0.0.1:{broker_port}"
        [drivers.zwave]
        url = "{bed.ws}"
        reconnect_first_s = 0.1
        reconnect_most_s = 1
        {extra}
        """
        + "".join(_lock(model) for model in models)
    )
    return load(file, {})


def _lock(model: Model) -> str:
    blind = 'readback = "none"\nmanaged_slots = ["2-3"]\n' if model == "write_only" else ""
    native = "native_schedules = true\n" if model == "scheduled" else ""
    return f'[locks.{model}]\ndriver = "zwave"\nnode = {NODES[model].node_id}\n{blind}{native}'


class House:
    """What a test sees: the locks as they are, and what the gateway tells."""

    def __init__(self, bed: ZwaveBed, app: Somebody) -> None:
        self.bed = bed
        self.app = app

    async def create(self, model: Model, pin: str, **parameters: object) -> str:
        """Ask for a code and return its id."""
        answer = await self.app.ask(
            "access_codes/create", transaction=None, device_id=model, code=pin, **parameters
        )
        assert answer["status"] == "ok", answer["error"]
        code_id: str = answer["data"]["access_code"]["access_code_id"]
        return code_id

    async def create_set(self, model: Model, pin: str, **parameters: object) -> str:
        """Ask for a code, wait until it is told to be on the lock, and return its id."""
        code_id = await self.create(model, pin, **parameters)
        await self.hears("access_code.set_on_device", code_id)
        return code_id

    async def do(self, verb: str, **parameters: object) -> dict[str, Any]:
        """Give a command that must succeed; return its data."""
        answer = await self.app.ask(verb, transaction=None, **parameters)
        assert answer["status"] == "ok", answer["error"]
        data: dict[str, Any] = answer["data"]
        return data

    def told(self, event_type: str, about: str | None = None) -> list[dict[str, Any]]:
        """Return the events of a type heard so far, of one code or lock or of all."""
        return [
            event
            for event in self.app.events()
            if event["event_type"] == event_type
            and about in {None, event["access_code_id"], event["device_id"]}
        ]

    async def hears(
        self, event_type: str, about: str | None = None, *, times: int = 1, seconds: float = PATIENCE_S
    ) -> None:
        """Wait until an event has been told so many times."""
        await eventually(lambda: len(self.told(event_type, about)) >= times, seconds)

    def code(self, code_id: str) -> dict[str, Any]:
        """Return the retained state of a code; empty where there is none."""
        return self._last(f"access_code/{code_id}/state")

    def lock(self, model: Model) -> dict[str, Any]:
        """Return the retained state of a lock; empty where there is none."""
        return self._last(f"lock/{model}/state")

    def errors(self, what: dict[str, Any]) -> set[str]:
        """Return the codes of the errors of a code or a lock."""
        return {error["error_code"] for error in what.get("errors", ())}

    def warnings(self, what: dict[str, Any]) -> set[str]:
        """Return the codes of the warnings of a code or a lock."""
        return {warning["warning_code"] for warning in what.get("warnings", ())}

    async def until(self, condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
        """Wait for what the gateway tells to fulfil a condition."""
        await eventually(condition, seconds)

    async def gate_is(self, model: Model, gate: str) -> None:
        """Wait until the plan says that this is why nothing may be done on a lock."""

        async def is_so() -> bool:
            (plan,) = (await self.do("plan/get", device_id=model))["plans"]
            return bool(plan["gate"] == gate)

        await in_time(is_so)

    async def settled(self, model: Model) -> None:
        """Wait until the gateway sees nothing to do on a lock now, looking at all its slots included."""

        async def nothing_to_do() -> bool:
            (plan,) = (await self.do("plan/get", device_id=model))["plans"]
            return plan["gate"] == "open" and not plan["steps"]

        await in_time(nothing_to_do)

    async def heard_out(self, model: Model) -> None:
        """Wait until the gateway has taken in everything that the lock has sent until now.

        Told by a battery level, sent again where the radio loses it: an encrypted report that crosses another
        one may not be understood.
        """
        before = self.lock(model)["properties"]["battery"]["level"]
        for level in (level for level in range(70, 78) if level / 100 != before):
            await self.bed.battery(NODES[model].node_id, level)
            with contextlib.suppress(AssertionError):
                await self.until(
                    lambda: self.lock(model)["properties"]["battery"]["level"] != before, seconds=4
                )
                return
        raise AssertionError("the gateway hears nothing of the lock")

    async def on_lock(self, model: Model) -> dict[int, str]:
        """Return the codes that a lock truly holds and that open the door, by slot."""
        slots = await self.bed.slots(NODES[model].node_id)
        return {number: slot.code for number, slot in slots.items() if slot.status == 1}

    async def becomes(self, model: Model, *pins: str, seconds: float = PATIENCE_S) -> None:
        """Wait until a lock holds exactly these codes."""

        async def holds() -> bool:
            return sorted((await self.on_lock(model)).values()) == sorted(pins)

        await in_time(holds, seconds)

    async def radio(self, model: Model) -> Counters:
        """Return how often a lock was spoken to since it was reset or forgotten."""
        return await self.bed.counters(NODES[model].node_id)

    async def radio_reaches(self, model: Model, **counts: int) -> None:
        """Wait until a lock was spoken to so often: `set=1`, `get=2`, named like the counters."""

        async def reached() -> bool:
            radio = await self.radio(model)
            return all(getattr(radio, kind) >= times for kind, times in counts.items())

        await in_time(reached)

    async def forget_radio(self, model: Model) -> None:
        """Count from zero again."""
        await self.bed.reset_counters(NODES[model].node_id)

    def _last(self, path: str) -> dict[str, Any]:
        return self.app.last(path) if self.app.under(path) else {}


class TimedHouse(House):
    """A house in this process, where the test says how the time passes."""

    def __init__(self, bed: ZwaveBed, app: Somebody, clock: PassingClock) -> None:
        super().__init__(bed, app)
        self.clock = clock

    def in_time(self, **ahead: float) -> str:
        """Return the time so far from now, as commands want it."""
        return (self.clock.now() + timedelta(**ahead)).isoformat()

    def let_pass(self, **time: float) -> None:
        """Let so much time pass now."""
        self.clock.let_pass(timedelta(**time))


async def in_time(condition: Callable[[], Awaitable[bool]], seconds: float = PATIENCE_S) -> None:
    """Wait until a condition holds that has to be asked for; fail when it does not in time."""
    async with asyncio.timeout(seconds):
        while True:
            if await condition():
                return
            # Leave the machine, which may be small, to those who work.
            await asyncio.sleep(_BREATH_S)


@contextlib.asynccontextmanager
async def at_work(
    how: Settings, bed: ZwaveBed, app: Somebody, clock: PassingClock | None = None
) -> AsyncIterator[TimedHouse]:
    """Run a gateway in this process; in the end nothing may have gone wrong in it and no PIN got out."""
    clock = clock or PassingClock()
    with listening_to_log() as log:
        task = asyncio.create_task(serve(how, clock=clock))
        try:
            await online(app)
            house = TimedHouse(bed, app, clock)
            await house.until(
                lambda: all(
                    house.lock(_model(name)).get("capabilities_supported") for name in how.zwave_locks
                )
            )
            yield house
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    # Alarms about locks and codes are what some tests are about; all others are mistakes.
    mistakes = [line for line in log.getvalue().splitlines() if re.search("ERROR (?!gateway.events)", line)]
    assert mistakes == []
    keeps_secrets(app, log.getvalue())


def keeps_secrets(app: Somebody, log: str) -> None:
    """Fail if a PIN was told to anybody but the client that asked, or logged."""
    private = (f"{ROOT}/request/", f"{ROOT}/response/")
    public = [message for message in app.heard if not message.topic.startswith(private)]
    for pin in PINS:
        assert pin not in log
        assert not [m.topic for m in public if pin in m.topic or pin.encode() in m.payload]


@contextlib.contextmanager
def listening_to_log() -> Iterator[io.StringIO]:
    """Collect what the gateway and its libraries log, as the product would write it."""
    root, log = logging.getLogger(), io.StringIO()
    handler, level = logging.StreamHandler(log), root.level
    handler.setFormatter(logs.Lines(journal=False))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield log
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def _model(name: str) -> Model:
    return next(model for model in MODELS if model == name)
