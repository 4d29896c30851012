"""docs/mqtt.md against a running gateway: its requests are sent, its answers, events and states come.

The page is a story. It is told from the first to the last block, to a gateway with two simulated locks.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.simulated import keypad
from gateway.config import Settings
from gateway.domain.catalogue import CATALOGUE
from gateway.domain.errors import CommandError
from gateway.domain.events import EVENTS
from gateway.domain.pin import Pin
from gateway.engine.commands.desk import VERBS
from gateway.system_clock import SystemClock
from scripts import make_asyncapi
from tests.daemon.bed import ROOT as TOPICS
from tests.daemon.bed import Somebody, running, settings, somebody
from tests.docs.examples import ANOTHER_HOUSE, differences
from tests.docs.pages import ROOT, Block, Names, blocks, table
from tests.engine.pairing_bed import attempt, unpaired
from tests.mqtt.broker import Broker, eventually

PAGE = "docs/mqtt.md"
DAY_OF_THE_PAGE = datetime(2026, 12, 1, 9, tzinfo=UTC)
PATIENCE_S = 15.0
LOCKS = """
[locks.front-door]
name = "Front door"
driver = "simulated"
managed_slots = ["3-20"]
[locks.garden-gate]
name = "Garden gate"
driver = "simulated"
model = "masked"
"""
HOME_ASSISTANT = "[mqtt.homeassistant]\nenabled = true"
DISCOVERY_OF_A_LOCK = "homeassistant/device/pinsmith/hub-LOCK-front-door/config"
ENVELOPE = {
    "event_id",
    "seq",
    "event_type",
    "device_id",
    "access_code_id",
    "occurred_at",
    "created_at",
}


class PageClock(SystemClock):
    """Begins on the day of the page, synchronised; `skip` lets time pass."""

    def __init__(self) -> None:
        super().__init__()
        self._began = super().boot()
        self._skipped = 0.0

    def skip(self, seconds: float) -> None:
        """Let so many seconds be over. Nobody who sleeps wakes from it."""
        self._skipped += seconds

    def now(self) -> datetime:
        """Return the time of the story."""
        now = DAY_OF_THE_PAGE + timedelta(seconds=self.boot() - self._began)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def boot(self) -> float:
        """Return the seconds since boot that belong to it."""
        return super().boot() + self._skipped

    def synchronised(self) -> bool:
        """Say yes."""
        return True


class Story:
    """Tells the page, block by block."""

    def __init__(self, how: Settings, app: Somebody, clock: PageClock) -> None:
        self._folder = how.gateway.data_directory / how.simulated.directory
        self._app = app
        self._clock = clock
        self._names = Names()
        self._answer: dict[str, Any] = {}

    async def begin(self) -> None:
        """Wait until the first look at both locks is over."""
        async with asyncio.timeout(PATIENCE_S):
            while any(plan["steps"] or plan["gate"] != "open" for plan in await self._plans()):
                pass

    async def _plans(self) -> list[dict[str, Any]]:
        answer = await self._app.ask("plan/get")
        plans: list[dict[str, Any]] = answer["data"]["plans"]
        return plans

    async def tell(self, block: Block) -> None:
        """Do what a block says, or see that it comes true."""
        what, _, argument = block.about.partition(" ")
        if what == ANOTHER_HOUSE:
            return
        steps: dict[str, Callable[[str, Block], Awaitable[None]]] = {
            "request": self._request,
            "response": self._response,
            "event": self._event,
            "retained": self._retained,
        }
        if block.kind == "at-the-door":
            await self._at_the_door(block)
        elif what:
            await steps[what](argument, block)

    async def _request(self, verb: str, block: Block) -> None:
        already = len(self._app.under("response/"))
        await self._app.send(f"{TOPICS}/request/me/{verb}", self._names.put_in(block.text).encode())
        await eventually(lambda: len(self._app.under("response/")) > already)
        self._answer = self._app.last(f"response/me/{verb}")

    async def _response(self, _: str, block: Block) -> None:
        self._agrees(block, [self._answer])

    async def _event(self, _: str, block: Block) -> None:
        await self._comes(block, lambda: self._app.events()[::-1])

    async def _retained(self, topic: str, block: Block) -> None:
        path = self._names.put_in(topic)
        whole = path if path.startswith("homeassistant/") else f"{TOPICS}/{path}"

        def newest() -> list[dict[str, Any]]:
            return [message.json for message in self._app.heard if message.topic == whole][-1:]

        await self._comes(block, newest)

    async def _at_the_door(self, block: Block) -> None:
        for line in block.text.splitlines():
            match line.split():
                case ["wait", seconds]:
                    self._clock.skip(float(seconds))
                case ["set", device_id, slot, pin]:
                    keypad.set_code(self._folder, device_id, slot, Pin(pin), at=self._clock.now())
                case ["open", device_id, pin]:
                    keypad.open_door(self._folder, device_id, Pin(pin), at=self._clock.now())
                case _:
                    raise AssertionError(f"{PAGE}:{block.line}: {line} is not understood")

    async def _comes(self, block: Block, look: Callable[[], list[dict[str, Any]]]) -> None:
        deadline = self._clock.boot() + PATIENCE_S
        while not self._first_that_agrees(block, look()):
            if self._clock.boot() > deadline:
                self._agrees(block, look())
            await asyncio.sleep(0.02)
        self._agrees(block, look())

    def _first_that_agrees(self, block: Block, found: list[dict[str, Any]]) -> dict[str, Any] | None:
        shown = json.loads(self._names.put_in(block.text))
        return next((real for real in found if not differences(shown, real)), None)

    def _agrees(self, block: Block, found: list[dict[str, Any]]) -> None:
        """Fail with the differences of the likeliest one unless one agrees; then learn its ids."""
        agreed = self._first_that_agrees(block, found)
        if agreed is None:
            shown = json.loads(self._names.put_in(block.text))
            best = min((differences(shown, real) for real in found), key=len, default=["nothing came"])
            raise AssertionError(f"{PAGE}:{block.line}:\n" + "\n".join(best))
        _learn(self._names, json.loads(block.text), agreed)


def _learn(names: Names, shown: Any, real: Any) -> None:  # noqa: ANN401 - JSON
    if isinstance(shown, dict):
        for name in shown.keys() & real.keys():
            _learn(names, shown[name], real[name])
    elif isinstance(shown, list):
        for one, other in zip(shown, real, strict=False):
            _learn(names, one, other)
    elif isinstance(shown, str) and isinstance(real, str):
        names.learn(shown, real)


@pytest.mark.slow
@pytest.mark.mosquitto
async def test_the_page_comes_true(tmp_path: Path) -> None:
    """Requests, answers, events and states as on the page; no event has fields that the page leaves out."""
    clock = PageClock()
    async with Broker(tmp_path) as broker, somebody(broker.port, "me") as app:
        how = settings(tmp_path, broker.port, mqtt_extra=HOME_ASSISTANT, locks=LOCKS)
        async with running(how, app, clock=clock):
            story = Story(how, app, clock)
            await story.begin()
            for block in blocks(PAGE):
                await story.tell(block)
        told = app.events()
    elsewhere = f"homeassistant/device/pinsmith/{how.gateway.id}"
    assert all(message.topic.startswith((TOPICS, elsewhere)) for message in app.heard)
    events = table(PAGE, "All events")
    for event in told:
        own = set(re.findall(r"`(\w+)`", events[event["event_type"]][1]))
        assert own - {"…"} <= event.keys() - ENVELOPE <= own, event["event_type"]


async def test_what_happens_in_another_house_comes_true() -> None:
    """With a lock that must be paired, and which is swapped for another one meanwhile."""
    names = Names()
    async with unpaired() as (bench, _):
        answer: dict[str, Any] = {}
        for block in blocks(PAGE):
            match block.about.split():
                case [house, "request", verb] if house == ANOTHER_HOUSE:
                    if verb == "devices/replace":
                        await bench.tell(bench.seen(serial="another"))
                    answer = await bench.send(verb, names.put_in(block.text).encode())
                    if "action_attempt" in (answer["data"] or {}):
                        await attempt(bench, answer["data"])
                        await bench.tell(bench.seen())
                case [house, "response"] if house == ANOTHER_HOUSE:
                    assert differences(json.loads(block.text), answer) == [], f"{PAGE}:{block.line}"
    assert answer != {}


def test_every_command_has_an_example_that_is_run() -> None:
    """No verb is left out, and none is made up; each has an answer that is no refusal."""
    asked, answered, verb = set(), set(), ""
    for block in blocks(PAGE):
        what, _, argument = block.about.removeprefix(f"{ANOTHER_HOUSE} ").partition(" ")
        if what == "request":
            verb = argument
            asked.add(verb)
        elif what == "response" and json.loads(block.text)["status"] == "ok":
            answered.add(verb)
    assert asked == answered == set(VERBS)


def test_every_retained_topic_has_an_example_that_is_seen() -> None:
    """Those below the root as AsyncAPI knows them, and Home Assistant's discovery of hub and lock."""
    shown = [block.about.partition(" ")[2] for block in blocks(PAGE) if block.about.startswith("retained")]
    below = [address.partition("/{gateway_id}/")[2] for address in make_asyncapi.RETAINED]
    wanted = [*below, "homeassistant/device/pinsmith/hub/config", DISCOVERY_OF_A_LOCK]
    patterns = [re.sub(r"\\{\w+\\}", "[^/]+", re.escape(topic)) for topic in wanted]
    assert [one for one in patterns if not any(re.fullmatch(one, topic) for topic in shown)] == []


def test_every_parameter_is_named() -> None:
    """The table of commands has the parameters of the code, those that must be given in bold."""
    for verb, (given, *_) in table(PAGE, "All commands").items():
        fields = msgspec.structs.fields(VERBS[verb].params)
        assert set(re.findall(r"`(\w+)`", given)) == {field.name for field in fields}, verb
        assert set(re.findall(r"\*\*`(\w+)`\*\*", given)) == {f.name for f in fields if f.required}, verb
    assert table(PAGE, "All commands").keys() == VERBS.keys()


def test_every_error_type_is_explained() -> None:
    """A client that branches on them finds all of them."""
    assert table(PAGE, "Errors").keys() == {kind.type for kind in CommandError.__subclasses__()}


def test_every_event_type_is_explained() -> None:
    """The table says what the code says, security events with a star."""
    shown = table(PAGE, "All events")
    assert list(shown) == list(EVENTS)
    for name, (when, fields) in shown.items():
        kind = EVENTS[name]
        assert (when, tuple(re.findall(r"`(\w+)`", fields))) == (kind.when, kind.fields)


def test_every_event_of_the_list_is_told_somewhere_and_no_other() -> None:
    """By the code itself, as a text in it."""
    sources = [path for path in sorted((ROOT / "gateway").rglob("*.py")) if path.name != "events.py"]
    source = "".join(path.read_text(encoding="utf-8") for path in sources)
    told = set(re.findall(r'(?:tell\(|make\(|event_type=)\s*"([a-z_]+(?:\.[a-z_]+)+)"', source))
    told |= {kind.event for kind in CATALOGUE.values() if kind.event is not None}
    assert told <= EVENTS.keys()
    assert not [name for name in EVENTS if f'"{name}"' not in source]
