"""What the log says of clients whose answers do not get through."""

import json
import logging
from collections.abc import Iterator
from itertools import count
from typing import cast

import pytest

from gateway.cli.report.lines import entries
from gateway.cli.report.scrub import Scrub
from gateway.journal import fields
from gateway.logs import Lines, Objects, Words
from gateway.mqtt import intake as module
from gateway.mqtt.health import Health
from gateway.mqtt.intake import Intake
from gateway.mqtt.link import Link
from gateway.mqtt.link_connection import Incoming
from gateway.mqtt.link_errors import LinkDown, LinkError, MessageTooLarge, PublishRefused
from gateway.mqtt.own_events import OwnEvents
from gateway.mqtt.topics import Topics
from tests.engine.bench import Bench

ROOT = "pinsmith/hub"


class Refusing:
    """Stands for the link: says no to what a broker says no to."""

    def __init__(self) -> None:
        """Take everything, until told otherwise."""
        self.error: LinkError | None = None
        self.largest = 1_000_000

    async def publish(self, topic: str, payload: bytes, **_: object) -> None:
        """Take a message, or not."""
        if self.error is not None:
            raise self.error
        if len(payload) > self.largest:
            raise MessageTooLarge(topic)


class Asking:
    """An intake and somebody who asks it."""

    def __init__(self) -> None:
        """Begin with a hub that has one lock."""
        self.bench, self.link = Bench(), Refusing()
        ids = count()
        self.intake = Intake(
            cast("Link", self.link),
            self.bench.desk,
            self.bench.store,
            Topics(ROOT),
            Health(self.bench.clock, dict),
            own_events=OwnEvents("hub", self.bench.clock.now, lambda: f"id-{next(ids)}"),
            max_payload_bytes=65536,
            clock=self.bench.clock.boot,
        )

    async def ask(self, client: str, verb: str = "devices/list", *, unanswerable: bool = False) -> None:
        """Hand in a command as the link does."""
        topic = f"{ROOT}/request/{client}/{verb}"
        await self.intake.handle(Incoming(topic, b"{}", retain=False, unanswerable=unanswerable))


@pytest.fixture
def asking() -> Iterator[Asking]:
    """An intake."""
    one = Asking()
    yield one
    one.bench.store.close()


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    """Ends are told at INFO."""
    caplog.set_level(logging.INFO)


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    """Return the lines that programs find by this trouble: level, state, words."""
    return [
        (record.levelname, vars(record).get("state", ""), record.getMessage())
        for record in caplog.records
        if vars(record).get("trouble") == "answers_refused"
    ]


async def test_it_is_told_once_when_it_begins_and_once_when_it_ends(
    asking: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    """Per client; a connection that is away meanwhile is neither."""
    asking.link.error = PublishRefused("not authorized")
    await asking.ask("app")
    await asking.ask("app")
    asking.link.error = LinkDown("not connected to the broker")
    await asking.ask("app")
    asking.link.error = None
    await asking.ask("other")
    await asking.ask("app")
    await asking.ask("app")
    assert said(caplog) == [
        ("WARNING", "begins", "The broker refuses the answers to app: check its access list"),
        (
            "INFO",
            "ends",
            "Answers to app get through again, after less than 1 s and 2 failed attempts",
        ),
    ]


async def test_a_smaller_answer_does_not_end_what_was_wrong_with_a_large_one(
    asking: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    """Else somebody who asks for much and for little in turn would fill the log."""
    await asking.bench.start()
    asking.link.largest = 600
    for _ in range(3):
        await asking.ask("app", "devices/list")
        await asking.ask("app", "access_codes/list")
    assert [state for _, state, _ in said(caplog)] == ["begins"]
    asking.link.largest = 1_000_000
    await asking.ask("app", "access_codes/list")
    assert [state for _, state, _ in said(caplog)] == ["begins"]
    await asking.ask("app", "devices/list")
    assert [state for _, state, _ in said(caplog)] == ["begins", "ends"]


async def test_words_sent_instead_do_not_end_it(asking: Asking, caplog: pytest.LogCaptureFixture) -> None:
    """They tell the client what became of its command, and are small."""
    await asking.bench.start()
    await asking.ask("app", unanswerable=True)
    await asking.ask("app", unanswerable=True)
    assert [state for _, state, _ in said(caplog)] == ["begins"]
    await asking.ask("app", "devices/list")
    assert [state for _, state, _ in said(caplog)] == ["begins", "ends"]


async def test_no_number_of_clients_fills_memory_or_log(
    asking: Asking, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker may be asked under any number of names; one that is answered again makes room."""
    monkeypatch.setattr(module, "_MOST_CLIENTS", 2)
    refusal = asking.link.error = PublishRefused("not authorized")
    for client in ("a", "b", "c"):
        await asking.ask(client)
    asking.link.error = None
    await asking.ask("a")
    asking.link.error = refusal
    await asking.ask("c")
    about = [words.partition(":")[0].partition(",")[0] for _, _, words in said(caplog)]
    assert about == [
        "The broker refuses the answers to a",
        "The broker refuses the answers to b",
        "Answers to a get through again",
        "The broker refuses the answers to c",
    ]


@pytest.mark.parametrize("form", ["journal", "text", "json"])
async def test_a_report_does_not_hand_on_what_a_client_calls_itself(
    asking: Asking, caplog: pytest.LogCaptureFixture, form: str
) -> None:
    """Somebody may be called so. Who reads the log needs it, to find the line of the access list."""
    asking.link.error = PublishRefused("not authorized")
    await asking.ask("marthas-tablet")
    asking.link.error = None
    await asking.ask("marthas-tablet")
    asking.link.largest = 1
    await asking.ask("marthas-tablet")
    assert ["marthas-tablet" in words for _, _, words in said(caplog)] == [True, True, True]
    output = b"\n".join(json.dumps(_in_journal(record, form)).encode() for record in caplog.records)

    told = list(entries(output, Scrub()))

    assert "marthas" not in str(told)
    begun = "The broker refuses the answers to [hidden]: check its access list"
    assert begun in str(told[0]["message"])
    assert [one.get("trouble", "answers_refused") for one in told] == ["answers_refused"] * 3


def _in_journal(record: logging.LogRecord, form: str) -> dict[str, str]:
    """Return what journalctl has of a record, with each of the formats that can be configured."""
    if form == "journal":
        return fields(record, Words().format(record))
    if form == "json":
        return {"MESSAGE": Objects().format(record)}
    # The journal takes the priority off again.
    return {"MESSAGE": Lines(journal=True).format(record).partition(">")[2]}
