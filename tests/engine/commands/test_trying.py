"""`dry_run`: what a command would do, without doing it."""

from typing import Any

import pytest

from drivers.simulated.models import CHOOSER, READABLE, Model
from gateway.engine.commands.desk import VERBS
from gateway.engine.mutations import instant
from tests.engine.build import DAY, DOOR, HOUR, NOON
from tests.engine.commands.test_refusals import TABLE
from tests.engine.conftest import Hang

PIN = "471134"


async def test_a_creation_is_tried_with_everything_that_would_follow(hang: Hang) -> None:
    """The reply, the steps now with their radio cost, and what comes later."""
    bench = await hang(READABLE)
    before = bench.store.dump()
    tried = await bench.do("access_codes/create", device_id=DOOR, code=PIN, dry_run=True)
    assert tried["dry_run"] is True
    assert tried["would_reply"]["access_code"]["status"] == "setting"
    [plan] = tried["plans"]
    assert [(step["action"], step["slot"], step["radio_commands"]) for step in plan["steps"]] == [
        ("write", "20", 1)
    ]
    assert (bench.store.dump(), bench.driver.taken(), bench.events()) == (before, [], [])


@pytest.mark.parametrize(("model", "look"), [(READABLE, ("read", "20")), (CHOOSER, ("list", None))])
async def test_the_write_behind_a_look_is_told_too(
    hang: Hang, model: Model, look: tuple[str, str | None]
) -> None:
    """A slot read long ago is read again before its first use: that alone is not what the command costs."""
    bench = await hang(model)
    bench.clock.pass_by(HOUR)
    tried = await bench.do("access_codes/create", device_id=DOOR, code="822815", dry_run=True)
    steps = [(step["action"], step["slot"]) for step in tried["plans"][0]["steps"]]
    assert steps == [look, ("write", look[1])]
    pool = {"device_id": DOOR, "backup_access_code_pool_enabled": True}
    tried = await bench.do("devices/update", dry_run=True, **pool)
    actions = [step["action"] for step in tried["plans"][0]["steps"]]
    assert actions == [look[0], "write", "write", "write"]
    assert bench.driver.taken() == []


async def test_what_comes_later_is_foretold(hang: Hang) -> None:
    """When, what, why, at what cost."""
    bench = await hang(READABLE)
    tried = await bench.do(
        "access_codes/create",
        device_id=DOOR,
        starts_at=instant(NOON + DAY),
        ends_at=instant(NOON + 2 * DAY),
        dry_run=True,
    )
    coming = tried["plans"][0]["coming"]
    assert [(step["at"], step["action"], step["why"], step["radio_commands"]) for step in coming] == [
        (instant(NOON + DAY - HOUR / 2), "write", "it is set this long before its start", 1),
        (instant(NOON + DAY), "write", "it is enabled at its start", 1),
        (instant(NOON + 2 * DAY), "clear", "its window ends", 1),
    ]


@pytest.mark.parametrize(
    ("verb", "asked"),
    [
        ("access_codes/delete", {"access_code_id": "it"}),
        ("access_codes/delete", {"access_code_id": "it", "force": True}),
        ("access_codes/update", {"access_code_id": "it", "code": "582245"}),
        ("access_codes/update", {"access_code_id": "it", "is_managed": False}),
        ("devices/update", {"device_id": DOOR, "is_managed": False}),
        ("devices/remove_guest_codes", {"device_id": DOOR, "include_ongoing": True}),
        ("devices/retire", {"device_id": DOOR}),
        ("devices/forget", {"device_id": DOOR}),
        ("devices/pause", {"device_id": DOOR}),
        ("devices/sync", {"device_id": DOOR}),
        ("clock/trust", {}),
    ],
)
async def test_nothing_is_changed_by_trying(hang: Hang, verb: str, asked: dict[str, Any]) -> None:
    """Nothing stored, nothing told, nothing on the air; and the same transaction may then be meant."""
    bench = await hang(READABLE)
    code_id = await bench.create(PIN)
    await bench.settle(HOUR)
    bench.events()
    bench.driver.taken()
    asked = {key: code_id if value == "it" else value for key, value in asked.items()}
    before = bench.store.dump()
    assert (await bench.do(verb, **asked, dry_run=True))["dry_run"] is True
    await bench.settle()
    assert (bench.store.dump(), bench.driver.taken(), bench.events()) == (before, [], [])


@pytest.mark.parametrize("verb", sorted(verb for verb, known in VERBS.items() if known.changes))
async def test_every_command_that_changes_something_can_be_tried(hang: Hang, verb: str) -> None:
    """Done or refused as it would be in earnest, and nothing is stored."""
    bench = await hang(READABLE)
    await bench.create(PIN)
    other = await bench.create("582245")
    await bench.settle(HOUR)
    asked = {key: other if value == "other" else value for key, value in TABLE[verb][0].items()}
    before = bench.store.dump()
    tried = await bench.ask(verb, **asked, dry_run=True)
    assert bench.store.dump() == before
    meant = await bench.ask(verb, **asked)
    assert (tried["status"], tried["error"]) == (meant["status"], meant["error"])


async def test_a_refusal_is_the_same_as_in_earnest(hang: Hang) -> None:
    """And `dry_run` is for commands that change something."""
    bench = await hang(READABLE)
    reply = await bench.ask("access_codes/create", device_id=DOOR, code="1", dry_run=True)
    assert reply["error"]["data"] == {"field": "code"}
    for wrong in ({"dry_run": "yes"}, {"dry_run": 1}):
        reply = await bench.ask("access_codes/create", device_id=DOOR, **wrong)
        assert reply["error"]["data"] == {"field": "dry_run"}
    reply = await bench.ask("devices/list", dry_run=True)
    assert reply["error"]["data"] == {"field": "dry_run"}


async def test_guests_go_at_one_word(hang: Hang) -> None:
    """Codes with an end or windows; those without an end only if asked for."""
    bench = await hang(READABLE)
    family = await bench.create(PIN)
    guest = await bench.create("582245", ends_at=instant(NOON + DAY))
    await bench.settle()
    done = await bench.do("devices/remove_guest_codes", device_id=DOOR)
    assert done["access_code_ids"] == [guest]
    await bench.settle(HOUR)
    assert list(bench.on_lock().values()) == [PIN]
    done = await bench.do("devices/remove_guest_codes", device_id=DOOR, include_ongoing=True)
    assert done["access_code_ids"] == [guest, family] or done["access_code_ids"] == [family]
    await bench.settle(HOUR)
    assert bench.on_lock() == {}
