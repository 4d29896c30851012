"""Messages as they are really sent, for docs/events.md and docs/asyncapi.json.

Events come from a run of the engine, requests and answers from the blocks of docs/mqtt.md, which a test runs.
"""

import asyncio
import json
import re
from functools import cache
from typing import Any

from tests.docs import situations
from tests.docs.examples import ANOTHER_HOUSE, ANYTHING
from tests.docs.pages import blocks

type Json = dict[str, Any]

PAGE = "docs/mqtt.md"
_EVENT_ID = "0b6f2e91-3c4d-4a5b-9e8f-7a6b5c4d3e2f"
_CODE_ID = "2f1c8a4e-6b0d-4c7e-9a35-1d7e5b9c0f42"
_OTHER_ID = "b8d0a3f6-52c1-4e9d-a7b4-3c2e1f0d9a88"
"""Of a backup, an attempt, or a code that is named beside the envelope."""


@cache
def of_events() -> dict[str, Json]:
    """Return one message of every type of event."""
    return {name: _with_ids(told) for name, told in asyncio.run(situations.events()).items()}


def _with_ids(told: Json) -> Json:
    """Put ids into it that look like those of a hub, and do not change with what was told before."""
    known = {told["event_id"]: _EVENT_ID, told["access_code_id"]: _CODE_ID}
    text = re.sub(r'"(id-\d+)"', lambda found: f'"{known.get(found[1], _OTHER_ID)}"', json.dumps(told))
    shown: Json = json.loads(text)
    return shown | {"seq": 1}


def of_the_page() -> list[tuple[str, Json]]:
    """Return what the page shows whole: topics below the root, with their content, in its order."""
    found: list[tuple[str, Json]] = []
    verb = ""
    for block in blocks(PAGE):
        what, _, argument = block.about.removeprefix(f"{ANOTHER_HOUSE} ").partition(" ")
        if block.kind != "json" or not what:
            continue
        verb = argument if what == "request" else verb
        payload = json.loads(block.text)
        topics = {
            "request": f"request/me/{verb}",
            "response": f"response/me/{verb}",
            "event": f"event/{payload.get('device_id')}/{payload.get('event_type')}",
            "retained": argument,
        }
        if ANYTHING not in block.text:
            found.append((topics[what], payload))
    return found
