"""That no parameter of any command is left out of the table of refusals."""

import re
from typing import Any, get_args, get_type_hints

import pytest

from drivers.simulated.models import READABLE
from gateway.engine.commands.desk import VERBS
from gateway.engine.commands.requests import Params
from tests.engine.commands.refused import CRON
from tests.engine.commands.test_refusals import TABLE
from tests.engine.conftest import Hang


def named(params: type[Params]) -> set[str]:
    """Return the name of every parameter, and of what is within one."""
    found: set[str] = set()
    for field, kind in get_type_hints(params).items():
        inner = [part for part in get_args(kind) if isinstance(part, type) and issubclass(part, Params)]
        found |= {field, *(f"{field}.{name}" for part in inner for name in part.__struct_fields__)}
    return found


def refused(changes: dict[str, Any], told: str) -> set[str]:
    """Return the parameters that a row is about: the only one it changes, or those its sentence names."""
    found = {field for field in changes if len(changes) == 1 or re.search(rf"\b{field}\b", told)}
    within = changes.get("recurrence")
    if isinstance(within, dict):
        found |= {f"recurrence.{field}" for field in {*CRON, *within} if within.get(field) != CRON.get(field)}
    return found


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_parameter_has_its_row(verb: str) -> None:
    """No exception: a new one needs at least one refusal that is about it alone, or names it.

    What every command takes is not among them (see `test_what_every_command_takes_is_checked_alike`).
    """
    rows = TABLE[verb][1]
    assert named(VERBS[verb].params) <= {field for row in rows for field in refused(row[0], row[2])}


@pytest.mark.parametrize("verb", list(VERBS))
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"transaction": 7}, "transaction: a text of 1 to 128 characters, new for every command"),
        ({"transaction": "t" * 129}, "transaction: a text of 1 to 128 characters, new for every command"),
        ({"expires_at": "tomorrow"}, "expires_at: a time in ISO 8601 with its zone"),
        ({"expires_at": "2026-07-02T12:00:00"}, "expires_at: a time in ISO 8601 with its zone"),
        ({"dry_run": "yes"}, "dry_run: true or false"),
    ],
)
async def test_what_every_command_takes_is_checked_alike(
    hang: Hang, verb: str, wrong: dict[str, Any], told: str
) -> None:
    """Whatever the command; nothing is changed."""
    bench = await hang(READABLE)
    before = [line for line in bench.store.dump() if 'INTO "reply"' not in line]
    reply = await bench.ask(verb, **(TABLE[verb][0] | wrong))
    assert (reply["error"]["type"], reply["error"]["message"]) == ("invalid_input", told)
    assert [line for line in bench.store.dump() if 'INTO "reply"' not in line] == before
