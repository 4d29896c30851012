"""What is refused because of how a code or a lock stands: the exact answer, and nothing changed.

Each row prepares that state. The last test looks for every refusal in the source: a new one needs a row here,
or in one of the tables beside this one.
"""

import ast
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from msgspec.structs import replace

import gateway.engine.commands
from drivers.simulated.models import MASKED, NATIVE, READABLE, TINY, WRITE_ONLY, Model
from gateway.domain import errors
from gateway.domain.credential import Schedule
from gateway.domain.driver import LockDead, SlotTouched
from gateway.domain.lock import PinRules, Reach
from gateway.engine.commands.desk import VERBS
from gateway.engine.mutations import instant
from tests.engine.bench import Bench
from tests.engine.build import DAY, DOOR, HOUR, MINUTE, NOON
from tests.engine.commands.test_refusals import CASES
from tests.engine.commands.test_refusals_by_lock import BY_LOCK, NOT_OURS
from tests.engine.conftest import Hang
from tests.engine.pairing_bed import unpaired
from tests.engine.test_recurring import THURSDAYS

PIN, OTHER = "471134", "582245"
TOMORROW, NEXT_WEEK = instant(NOON + DAY), instant(NOON + 7 * DAY)
CREATE, UPDATE = "access_codes/create", "access_codes/update"
PULL, CONVERT = "access_codes/pull_backup_access_code", "access_codes/unmanaged/convert_to_managed"
OF_LOCK = {"device_id": DOOR}
PULLED = "a backup was pulled for this code, and it opens at any time: delete the backup first"
NO_POLICY = "the lock is no longer in the configuration"
UNDER_WAY = "pairing with this lock is under way already"


def able(model: Model, **changes: Any) -> Model:  # noqa: ANN401 - fields of Capabilities
    """Return a kind of lock that differs in what it can do."""
    return replace(model, capabilities=replace(model.capabilities, **changes))


def remember(bench: Bench, **changes: Any) -> None:  # noqa: ANN401 - fields of Device
    """Change what is remembered of the lock."""
    changed = replace(bench.snap().device, **changes)
    bench.store.do(lambda tx: tx.save_device(changed))


async def plain(_bench: Bench) -> dict[str, Any]:
    """Prepare nothing."""
    return OF_LOCK


async def one_code(bench: Bench) -> dict[str, Any]:
    """Put an ongoing code on the lock."""
    return {"access_code_id": await bench.create(PIN)}


async def one_of_a_group(bench: Bench) -> dict[str, Any]:
    """Put one there that shares its PIN."""
    return {"access_code_id": await bench.create(PIN, common_code_key="stay")}


async def waiting_backup(bench: Bench) -> dict[str, Any]:
    """Fill the pool."""
    await bench.do("devices/update", device_id=DOOR, backup_access_code_pool_enabled=True)
    await bench.settle(HOUR)
    waiting = [code for code in bench.snap().codes.values() if code.backup == "waiting"]
    return {"access_code_id": waiting[0].access_code_id}


async def replaced_by_a_backup(bench: Bench) -> dict[str, Any]:
    """Pull a backup for a code."""
    await waiting_backup(bench)
    code_id = await bench.create(PIN, ends_at=NEXT_WEEK)
    await bench.do(PULL, access_code_id=code_id)
    return {"access_code_id": code_id}


async def on_thursdays(bench: Bench) -> dict[str, Any]:
    """Create one whose windows come back, until next week."""
    return {"access_code_id": await bench.create(PIN, recurrence=THURSDAYS, ends_at=NEXT_WEEK)}


async def for_a_week(bench: Bench) -> dict[str, Any]:
    """Create one with an end, on a lock without a pool."""
    return {"access_code_id": await bench.create(PIN, ends_at=NEXT_WEEK)}


async def for_later(bench: Bench) -> dict[str, Any]:
    """Create one that begins tomorrow."""
    return {"access_code_id": await bench.create(PIN, starts_at=TOMORROW, ends_at=NEXT_WEEK)}


async def ended(bench: Bench) -> dict[str, Any]:
    """Let one come to its end."""
    code_id = await bench.create(PIN, ends_at=instant(NOON + HOUR))
    await bench.settle(2 * HOUR)
    return {"access_code_id": code_id}


async def let_go(bench: Bench) -> dict[str, Any]:
    """Give one out of the hub's hands."""
    asked = await one_code(bench)
    await bench.settle(HOUR)
    await bench.do(UPDATE, **asked, is_managed=False)
    return asked


def by_hand(begins: Any, ends: Any) -> Callable[[Bench], Awaitable[dict[str, Any]]]:  # noqa: ANN401 - datetimes
    """Return what types in a code with dates at the keypad."""

    async def typed(bench: Bench) -> dict[str, Any]:
        bench.by_hand("3", "998877", schedule=Schedule(starts_at=begins, ends_at=ends))
        await bench.tell(SlotTouched(device_id=DOOR, slot="3"))
        await bench.settle(MINUTE)
        return {"access_code_id": bench.snap().slots["3"].unmanaged_id}

    return typed


async def asleep(bench: Bench) -> dict[str, Any]:
    """Let it listen only when touched."""
    remember(bench, asleep_since=NOON)
    return OF_LOCK


async def dead(bench: Bench) -> dict[str, Any]:
    """Let it not answer."""
    await bench.tell(LockDead(device_id=DOOR))
    return OF_LOCK


async def unseen(bench: Bench) -> dict[str, Any]:
    """Know nothing of what it can do."""
    remember(bench, capabilities=None)
    return OF_LOCK


async def unconfigured(bench: Bench) -> dict[str, Any]:
    """Take it out of the configuration."""
    remember(bench, policy=None)
    return OF_LOCK


async def retiring(bench: Bench) -> dict[str, Any]:
    """Retire it."""
    await bench.do("devices/retire", device_id=DOOR)
    return OF_LOCK


class Row(NamedTuple):
    """A state, a command that it forbids, and the answer."""

    prepare: Callable[[Bench], Awaitable[dict[str, Any]]]
    verb: str
    asked: dict[str, Any]
    kind: str
    told: str
    data: dict[str, Any]
    model: Model = READABLE


def field(name: str) -> dict[str, str]:
    """Return the data of a refusal that names a parameter."""
    return {"field": name}


ROWS = [
    # the code
    Row(waiting_backup, UPDATE, {"name": "Bo"}, "invalid_input",
        "a backup code that waits in the pool cannot be changed", field("access_code_id")),
    Row(one_of_a_group, UPDATE, {"code": OTHER}, "invalid_input",
        "this code shares its PIN with others (common_code_key): delete them and create them anew",
        field("code")),
    Row(one_code, UPDATE, {"is_managed": False, "name": "Bo"}, "invalid_input",
        "is_managed false leaves the code on the lock as it is: make the other changes before",
        field("is_managed")),
    Row(on_thursdays, UPDATE, {"ends_at": instant(NOON + HOUR)}, "invalid_input",
        "no window of the code opens between starts_at and ends_at; to end it for good, delete it",
        field("ends_at")),
    Row(replaced_by_a_backup, UPDATE, {"recurrence": THURSDAYS}, "invalid_input", PULLED,
        field("recurrence")),
    Row(replaced_by_a_backup, UPDATE, {"starts_at": TOMORROW}, "invalid_input", PULLED, field("starts_at")),
    # its backup
    Row(ended, PULL, {}, "invalid_input", "the access code has ended or was used up",
        field("access_code_id")),
    Row(for_a_week, PULL, {}, "backup_access_code_not_found",
        "no backup code is ready on this lock; see the errors of the lock", OF_LOCK),
    Row(on_thursdays, PULL, {}, "invalid_input",
        "a backup opens at any time until the code ends, and this one is for certain times only "
        "(recurrence): create a code with the same recurrence", field("access_code_id")),
    Row(for_later, PULL, {}, "invalid_input",
        "a backup opens at once, and this code does not begin yet (starts_at): "
        "pull one from 30 minutes before its start on", field("access_code_id")),
    # codes of others
    Row(by_hand(NOON - DAY, NOON - HOUR), CONVERT, {}, "device_refused",
        "this code has ended, and the hub would take it off the lock: delete it", OF_LOCK, NATIVE),
    Row(by_hand(NOON + DAY, None), CONVERT, {}, "device_refused",
        "this code has not begun, and the hub would take it off the lock until shortly before its start: "
        "take it over once it has begun", OF_LOCK, NATIVE),
    Row(let_go, "access_codes/unmanaged/delete", {}, "device_refused",
        "this lock does not show what it holds, so nobody can make sure which code is deleted",
        OF_LOCK, WRITE_ONLY),
    # the lock
    Row(asleep, CREATE, {"attempt_for_offline_device": False}, "device_refused",
        "the lock listens only after somebody touches it, and it was asked not to wait", OF_LOCK),
    Row(dead, CREATE, {"attempt_for_offline_device": False}, "device_refused",
        "the lock is offline, and it was asked not to wait", OF_LOCK),
    Row(plain, CREATE, {"recurrence": THURSDAYS}, "unsupported_device",
        "this lock listens only after somebody touches it and keeps no such windows itself, so the code "
        "would open between them: give it starts_at and ends_at, or leave recurrence out",
        OF_LOCK, able(MASKED, reach=Reach.ON_TOUCH)),
    Row(plain, CREATE, {"use_backup_access_code_pool": True, "ends_at": TOMORROW}, "unsupported_device",
        "this lock has few slots, and backups would take the places of guests: leave out "
        "use_backup_access_code_pool, or turn the pool on with devices/update", OF_LOCK, TINY),
    Row(unseen, CREATE, {"is_one_time_use": True}, "unsupported_device",
        "it is not known yet whether this lock reports use", OF_LOCK),
    Row(plain, CREATE, {"is_one_time_use": True}, "unsupported_device",
        "this lock does not report which code was used, so one for a single use cannot be ended",
        OF_LOCK, TINY),
    Row(unconfigured, CREATE, {}, "device_refused", NO_POLICY, OF_LOCK),
    Row(unconfigured, "devices/unpair", {}, "device_refused", NO_POLICY, OF_LOCK),
    Row(unconfigured, "devices/retire", {}, "device_refused",
        "the lock is not in the configuration, so nothing can be taken off it: put it back, reload, then "
        "retire it; or give it up with `pinsmith locks forget`", OF_LOCK),
    Row(retiring, CREATE, {}, "device_refused", "the lock is being retired and takes no codes", OF_LOCK),
    Row(plain, "devices/replace", {}, "device_refused", "the lock that answers is the one the hub knows",
        OF_LOCK),
]  # fmt: skip
ALIKE = "another access code has a PIN that begins alike: the keypad cannot tell them apart"
IN_TURN = (
    "the lock still has this PIN for another access code, which waits for the one that this code has there: "
    "ask again once the lock has taken the changes asked for before"
)
NONE_SUITS = "no PIN suits all of these locks: give fewer of them, or ask for create_random_code"
AGAIN = "this transaction was used before with other parameters; use a new one"
ENVELOPE: list[tuple[str, bytes, str, str, dict[str, Any]]] = [
    (CREATE, b"{", "invalid_input", "the payload is not JSON", {}),
    (CREATE, b"[]", "invalid_input", "the payload must be a JSON object", {}),
    (CREATE, b"{}", "invalid_input",
     "transaction: a text of 1 to 128 characters, new for every command", {}),
    ("door/open", b"{}", "not_found", f"there is no such command; known are: {', '.join(VERBS)}", {}),
    ("clock/get", b'{"dry_run": true}', "invalid_input", "dry_run is for commands that change something",
     field("dry_run")),
    ("clock/get", b'{"pincode": 1}', "invalid_input", "unknown parameter: pincode; known are: none",
     field("pincode")),
    ("clock/get", b'{"expires_at": 7}', "invalid_input", "expires_at: a time in ISO 8601 with its zone",
     field("expires_at")),
    ("clock/get", b'{"expires_at": "2026-07-01T11:59:59Z"}', "expired",
     "the command came after its expires_at and was not carried out", {}),
]  # fmt: skip
NOT_TOLD = {
    "broken": "a rule of the lock's PINs: the rows with `code`, and tests/domain/test_pins.py",
    "'these locks take no PIN in common'": "groups.py turns it into NONE_SUITS, or into a PIN of their own",
}
"""Refusals that stand in no table, as they are written, and why."""


def stored(bench: Bench) -> list[str]:
    """Return everything stored but the replies, as SQL: to compare."""
    return [line for line in bench.store.dump() if 'INTO "reply"' not in line]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.prepare.__name__}-{row.verb}")
async def test_a_state_that_forbids_it_is_named_and_stays(hang: Hang, row: Row) -> None:
    """Type, sentence and data as they stand in the table; nothing but the reply itself is stored."""
    bench = await hang(row.model)
    asked = await row.prepare(bench) | row.asked
    before = stored(bench)
    reply = await bench.ask(row.verb, **asked)
    assert (reply["status"], reply["data"]) == ("error", None)
    assert reply["error"] == {"type": row.kind, "message": row.told, "data": row.data}
    assert stored(bench) == before


@pytest.mark.parametrize(("verb", "body", "kind", "told", "data"), ENVELOPE)
async def test_a_command_that_is_none_is_refused(
    hang: Hang, verb: str, body: bytes, kind: str, told: str, data: dict[str, Any]
) -> None:
    """Before anything of it is looked at."""
    bench = await hang(READABLE)
    before = bench.store.dump()
    reply = await bench.send(verb, body)
    assert reply["error"] == {"type": kind, "message": told, "data": data}
    assert bench.store.dump() == before


async def test_a_pin_that_begins_like_another_is_refused(hang: Hang) -> None:
    """On a keypad that takes a code as soon as its digits are complete."""
    bench = await hang(able(READABLE, pin_rules=PinRules(prefix_free=True)))
    code_id = await bench.create(PIN)
    before = stored(bench)
    reply = await bench.ask(CREATE, device_id=DOOR, code=PIN[:4])
    told = {"type": "duplicate_access_code", "message": ALIKE, "data": {"access_code_id": code_id}}
    assert (reply["error"], stored(bench)) == (told, before)


async def test_a_swap_that_would_never_come_about_is_refused(hang: Hang) -> None:
    """The lock has taken nothing of it yet."""
    bench = await hang(READABLE)
    one, other = await bench.create(PIN), await bench.create(OTHER)
    await bench.settle(MINUTE)
    await bench.do(UPDATE, access_code_id=one, code="998877")
    await bench.do(UPDATE, access_code_id=other, code=PIN)
    before = stored(bench)
    reply = await bench.ask(UPDATE, access_code_id=one, code=OTHER)
    told = {"type": "duplicate_access_code", "message": IN_TURN, "data": {"access_code_id": other}}
    assert (reply["error"], stored(bench)) == (told, before)


async def test_a_pin_that_suits_no_lock_is_not_made_up(hang: Hang) -> None:
    """One lock is enough for that, where its operator allows no length that it takes."""
    bench = await hang(able(READABLE, pin_rules=PinRules(lengths=())))
    before = stored(bench)
    reply = await bench.ask("access_codes/create_multiple", device_ids=[DOOR])
    told = {"type": "invalid_input", "message": NONE_SUITS, "data": field("device_ids")}
    assert (reply["error"], stored(bench)) == (told, before)


async def test_another_command_under_the_same_transaction_is_refused(hang: Hang) -> None:
    """The first one counts."""
    bench = await hang(READABLE)
    first, second = ({"transaction": "t", "device_id": DOOR, "code": pin} for pin in (PIN, OTHER))
    await bench.send(CREATE, msgspec.json.encode(first))
    before = bench.store.dump()
    reply = await bench.send(CREATE, msgspec.json.encode(second))
    assert reply["error"] == {"type": "transaction_reused", "message": AGAIN, "data": {}}
    assert bench.store.dump() == before


async def test_while_pairing_is_under_way_another_is_refused() -> None:
    """Also letting go."""
    async with unpaired() as (bench, driver):
        driver.go_on.clear()
        await bench.do("devices/pair", device_id=DOOR)
        for verb in ("devices/pair", "devices/unpair"):
            before = stored(bench)
            reply = await bench.ask(verb, device_id=DOOR)
            assert reply["error"] == {"type": "device_refused", "message": UNDER_WAY, "data": OF_LOCK}
            assert stored(bench) == before


def raised(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield the sentence of every refusal that is raised, as it is written."""
    kinds = {kind.__name__ for kind in vars(errors).values() if isinstance(kind, type)}
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        inside = list(ast.walk(function))
        named = {
            target.id: node.value
            for node in inside
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in inside:
            call = node.exc if isinstance(node, ast.Raise) else None
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in kinds:
                sentence = call.args[0]
                given = named.get(sentence.id) if isinstance(sentence, ast.Name) else None
                said = given if isinstance(given, ast.Constant) else sentence
                yield from (said.body, said.orelse) if isinstance(said, ast.IfExp) else (said,)


def pattern(sentence: ast.expr) -> str | None:
    """Return what a sentence can be, as a regular expression; None where the source does not tell."""
    if isinstance(sentence, ast.Constant):
        return re.escape(str(sentence.value))
    if isinstance(sentence, ast.JoinedStr):
        parts = (re.escape(str(p.value)) if isinstance(p, ast.Constant) else ".+" for p in sentence.values)
        return "".join(parts)
    return None


def test_every_refusal_stands_in_a_table() -> None:
    """Each sentence of the commands' source, but for those that no client is told."""
    told = {row[3] for row in CASES} | {row[4] for row in BY_LOCK} | {row.told for row in ROWS}
    told |= {row[3] for row in ENVELOPE} | {NOT_OURS, ALIKE, IN_TURN, NONE_SUITS, AGAIN, UNDER_WAY}
    [folder] = gateway.engine.commands.__path__
    found = [
        sentence
        for path in sorted(Path(folder).glob("*.py"))
        for sentence in raised(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert len(found) > 70
    missing = {
        ast.unparse(sentence)
        for sentence in found
        if (expected := pattern(sentence)) is None or not any(re.fullmatch(expected, one) for one in told)
    }
    assert missing == set(NOT_TOLD)
