"""docs/events.md: made by the engine, with an example of every event."""

import json

import pytest

from gateway.domain.events import EVENTS
from scripts import make_events_page
from tests.docs.pages import Block, blocks
from tests.docs.situations import MEDDLERS, OTHER
from tests.engine.deeds import PIN

EXAMPLES = {block.about.removeprefix("event "): block for block in blocks("docs/events.md") if block.about}


def test_it_is_as_the_code_makes_it() -> None:
    """The file is made by python -m scripts.make_events_page."""
    assert make_events_page.PAGE.read_text(encoding="utf-8") == make_events_page.page()


def test_every_type_has_an_example() -> None:
    """In the order of the catalogue, and no other."""
    assert list(EXAMPLES) == list(EVENTS)


@pytest.mark.parametrize(("event_type", "block"), EXAMPLES.items(), ids=EXAMPLES.keys())
def test_an_example_has_every_field_of_its_own(event_type: str, block: Block) -> None:
    """Those that the catalogue names, beside what the event is about."""
    shown = json.loads(block.text)
    assert set(shown) - {"device_id", "access_code_id"} == set(EVENTS[event_type].fields)


def test_no_example_has_a_pin() -> None:
    """Of those that are typed and asked for in the situations."""
    shown = make_events_page.page()
    assert [pin for pin in (PIN, OTHER, *MEDDLERS) if pin in shown] == []
