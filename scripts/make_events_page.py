"""Writes docs/events.md, an example of every event: python -m scripts.make_events_page."""

import json
import logging
from pathlib import Path

import msgspec

from gateway.domain.events import EVENTS
from gateway.engine.told import EventEnvelope
from scripts.asyncapi_schemas import sentence
from scripts.interface_examples import Json, of_events

PAGE = Path(__file__).parent.parent / "docs" / "events.md"
_WIDTH = 100
_ABOUT = ("device_id", "access_code_id")
_HEAD = """# Events by example

One of each, as it is told on `event/<device_id>/<event_type>`. What all have in common is shown once, here of
`access_code.set_on_device`:

```json
{whole}
```

Below only the two that say what an event is about are shown, and the fields of its own. How events are
delivered, and a table of all: [mqtt.md](mqtt.md#events). The errors and warnings in them:
[errors.md](errors.md).

This page is made from a run of the code (`python -m scripts.make_events_page`).
"""


def page() -> str:
    """Return the page as it should be."""
    told = of_events()
    whole = json.dumps(told["access_code.set_on_device"], indent=2, ensure_ascii=False)
    return "\n".join([_HEAD.replace("{whole}", whole), *(_section(name, told[name]) for name in EVENTS)])


def _section(event_type: str, told: Json) -> str:
    envelope = {field.name for field in msgspec.structs.fields(EventEnvelope)}
    shown = {name: value for name, value in told.items() if name in _ABOUT or name not in envelope}
    when = sentence(EVENTS[event_type].when)
    return f"## `{event_type}`\n\n{when}.\n\n```json event {event_type}\n{_compact(shown)}\n```\n"


def _compact(shown: Json) -> str:
    """Return it on one line, or if that is long with a line for each field."""
    line = json.dumps(shown, ensure_ascii=False)
    if len(line) <= _WIDTH:
        return line
    fields = (f"  {json.dumps(name)}: {json.dumps(shown[name], ensure_ascii=False)}" for name in shown)
    return "{\n" + ",\n".join(fields) + "\n}"


if __name__ == "__main__":
    logging.disable()  # what the engine says while the examples come about
    PAGE.write_text(page(), encoding="utf-8")
