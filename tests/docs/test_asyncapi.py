"""docs/asyncapi.json: made from the code, valid for the official parser, and true of what is really sent."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.events import EVENTS
from gateway.engine import told
from gateway.engine.commands.desk import VERBS
from gateway.engine.wire import Wire
from scripts import asyncapi_schemas, interface_examples, make_asyncapi
from tests.daemon.bed import ROOT as TOPICS
from tests.daemon.bed import Message, running, settings, somebody
from tests.docs.examples import ANYTHING
from tests.docs.pages import ROOT, blocks
from tests.docs.test_mqtt_examples import HOME_ASSISTANT, LOCKS, PAGE, PageClock, Story
from tests.mqtt.broker import Broker

VALIDATOR = ROOT / "tests" / "asyncapi"
NODE_TIMEOUT_S = 120.0


def node(document: Path, *arguments: str, messages: object = None) -> Any:  # noqa: ANN401 - JSON
    """Run the validator and return what it found."""
    assert (VALIDATOR / "node_modules").is_dir(), "the validator's packages are missing: make node"
    program = shutil.which("node")
    assert program is not None, "node is missing: make node"
    done = subprocess.run(  # noqa: S603 - a script of ours
        [program, str(VALIDATOR / "validate.mjs"), str(document), *arguments],
        input=json.dumps(messages),
        capture_output=True,
        text=True,
        timeout=NODE_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def faults(messages: Sequence[tuple[str, object]]) -> list[list[str]]:
    """Return of each message what the document does not say: topics below the root, with their content."""
    asked = [{"topic": f"{TOPICS}/{topic}", "payload": payload} for topic, payload in messages]
    found: list[list[str]] = node(make_asyncapi.FILE, "--messages", messages=asked)
    return found


def unfit(messages: Sequence[tuple[str, object]]) -> list[str]:
    """Return the topics of messages that do not fit, and why."""
    told_of = zip(messages, faults(messages), strict=True)
    return [f"{topic}: {fault}" for (topic, _), of_one in told_of for fault in of_one]


def test_it_is_as_the_code_makes_it() -> None:
    """The file is made by python -m scripts.make_asyncapi."""
    assert make_asyncapi.FILE.read_text(encoding="utf-8") == make_asyncapi.text()


def test_every_command_says_what_it_answers_with() -> None:
    """A use case without the type of its reply would have an answer without a schema."""
    for verb, known in VERBS.items():
        kinds = asyncapi_schemas.replies(known)
        assert all(issubclass(kind, Wire) and kind is not Wire for kind in kinds), verb


def test_every_field_of_an_event_has_a_type() -> None:
    """And no type is left of one that is told no more."""
    fields = {field for kind in EVENTS.values() for field in kind.fields}
    assert fields == set(told.EventFields.__struct_fields__)


@pytest.mark.slow
def test_the_official_parser_finds_nothing_wrong() -> None:
    """But that there is a newer version of AsyncAPI."""
    found = node(make_asyncapi.FILE)
    assert [one for one in found if not one.startswith("information:")] == []


@pytest.mark.slow
def test_the_official_parser_would_find_what_is_wrong(tmp_path: Path) -> None:
    """A reply on a channel that does not exist."""
    document = make_asyncapi.document()
    document["operations"]["clock.get"]["reply"]["channel"] = {"$ref": "#/channels/nowhere"}
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(document))

    assert any(one.startswith("error: operations.clock.get.reply") for one in node(broken))


@pytest.mark.slow
def test_examples_of_the_page_fit() -> None:
    """Requests, answers, events and retained topics, as far as the page shows them whole."""
    shown = interface_examples.of_the_page()
    assert len(shown) >= len(VERBS)
    assert unfit(shown) == []


@pytest.mark.slow
def test_examples_of_events_fit() -> None:
    """One of each type, told by the engine."""
    shown = interface_examples.of_events()
    assert unfit([(f"event/{told['device_id']}/{name}", told) for name, told in shown.items()]) == []


def test_every_event_and_command_has_an_example() -> None:
    """In the document itself, for those who read nothing else."""
    messages = make_asyncapi.document()["components"]["messages"]
    wanted = [*(f"event.{name}" for name in EVENTS), *(f"request.{verb.replace('/', '.')}" for verb in VERBS)]
    assert [name for name in wanted if not messages[name].get("examples")] == []


@pytest.mark.slow
def test_what_does_not_fit_is_found() -> None:
    """Misspelt parameters, answers of other commands, fields and events that nobody knows."""
    wrong = [
        ("request/me/devices/get", {"device": "front-door"}),
        ("request/me/clock/trust", {}),
        ("response/me/clock/get", _answer({"device_ids": []})),
        ("event/front-door/device.added", {"event_type": "device.added"}),
        ("bridge/state", {"state": "online", "mood": "good"}),
        ("bridge/mood", {}),
    ]
    assert [topic for (topic, _), found in zip(wrong, faults(wrong), strict=True) if not found] == []


def _answer(data: object) -> dict[str, object]:
    return {"transaction": None, "status": "ok", "data": data, "error": None}


@pytest.mark.slow
@pytest.mark.mosquitto
@pytest.mark.parametrize("publish_names", [False, True])
async def test_everything_that_is_sent_while_the_page_comes_true_fits(
    tmp_path: Path, *, publish_names: bool
) -> None:
    """Every request, answer, event and retained state, also those that the page does not show."""
    clock = PageClock()
    async with Broker(tmp_path) as broker, somebody(broker.port, "me") as app:
        extra = f"publish_names = {str(publish_names).lower()}\n{HOME_ASSISTANT}"
        how = settings(tmp_path, broker.port, mqtt_extra=extra, locks=LOCKS)
        async with running(how, app, clock=clock):
            story = Story(how, app, clock)
            await story.begin()
            for block in blocks(PAGE):
                whole = ANYTHING not in block.text
                if publish_names and whole and block.about.startswith("retained access_code"):
                    continue  # shown without names
                await story.tell(block)
        heard = [one for one in app.heard if one.payload and one.topic.startswith(TOPICS)]
    assert {_kind(message) for message in heard} >= {"bridge", "lock", "access_code", "event", "response"}
    assert unfit([(message.topic.removeprefix(f"{TOPICS}/"), message.json) for message in heard]) == []


def _kind(message: Message) -> str:
    return message.topic.removeprefix(f"{TOPICS}/").partition("/")[0]
