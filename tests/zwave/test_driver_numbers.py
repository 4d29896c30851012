"""Our names of events beside those in the table of zwave-js."""

import asyncio
import json

import pytest

from drivers.zwave.alarms import AccessEvent
from tests.zwave_bed.bed import HERE, install

pytestmark = pytest.mark.zwave_bed
SCRIPT = """
import { getNotification } from "@zwave-js/core";
const table = getNotification(6);
const all = [...table.events, ...table.variables.flatMap(({ states }) => [...states])];
console.log(JSON.stringify(Object.fromEntries(all.map(([number, { label }]) => [number, label]))));
"""
LABELS = {
    AccessEvent.KEYPAD_UNLOCK: "Keypad unlock",
    AccessEvent.ALL_DELETED: "All user codes deleted",
    AccessEvent.DELETED: "Single user code deleted",
    AccessEvent.ADDED: "New user code added",
    AccessEvent.DUPLICATE: "duplicate",
    AccessEvent.KEYPAD_DISABLED: "Keypad temporary disabled",
    AccessEvent.ADMIN_CODE_CHANGED: "New program code",
    AccessEvent.TOO_MANY_WRONG_CODES: "exceeds code limit",
    AccessEvent.UNLOCK_WITH_CODE: "Unlock operation with User Code",
    AccessEvent.CREDENTIAL_DISABLED: "Occupied Disabled",
    AccessEvent.CREDENTIAL_OUT_OF_SCHEDULE: "Schedule inactive",
    AccessEvent.CREDENTIALS_MISSING: "Not enough credentials",
    AccessEvent.CREDENTIAL_INVALID: "Invalid credential",
}


async def test_every_event_has_the_number_that_the_server_gives_it() -> None:
    """Two of them were swapped once, and a test of our own numbers cannot see that."""
    await install()
    arguments = ("node", "--input-type=module", "-e", SCRIPT)
    process = await asyncio.create_subprocess_exec(*arguments, cwd=HERE, stdout=asyncio.subprocess.PIPE)
    answer, _ = await process.communicate()
    table = {int(number): label for number, label in json.loads(answer).items()}
    assert set(LABELS) == set(AccessEvent)
    assert [event for event, label in LABELS.items() if label not in table[event]] == []
