"""Every command against malformed, contradictory, out-of-range and hostile parameters.

The exact answer, nothing changed, and no value echoed.
"""

import string
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.simulated.models import READABLE
from gateway.domain.errors import InvalidInput
from gateway.engine.commands.desk import VERBS
from gateway.engine.commands.requests import convert
from tests.engine.build import DOOR, HOUR
from tests.engine.conftest import Hang

SECRET = "471134"
LONG = "x" * 65
BAD = "the value is not one of those allowed"
SAME = "duplicate_access_code"

CODE: list[tuple[dict[str, Any], str, str]] = [
    ({"code": 4711}, "invalid_input", "code: Expected `str`, got `int`"),
    ({"code": ""}, "invalid_input", "code: Expected `str` of length >= 1"),
    ({"code": "4" * 33}, "invalid_input", "code: Expected `str` of length <= 32"),
    ({"code": "47 11"}, "invalid_input", "a PIN is 1 to 32 printable ASCII characters without blanks"),
    ({"code": "471\u0661"}, "invalid_input", "a PIN is 1 to 32 printable ASCII characters without blanks"),
    ({"code": "471"}, "invalid_input", "the lock takes PINs of 4, 5, 6, 7, 8 characters, this one has 3"),
    ({"code": "47a1"}, "invalid_input", "the lock takes only the characters 0123456789"),
    ({"code": SECRET}, SAME, "another access code on this lock has this PIN"),
    ({"name": ""}, "invalid_input", "name: Expected `str` of length >= 1"),
    ({"name": "n" * 201}, "invalid_input", "name: Expected `str` of length <= 200"),
    ({"name": ["x"]}, "invalid_input", "name: Expected `str`, got `array`"),
    ({"starts_at": "tomorrow"}, "invalid_input", f"starts_at: {BAD}"),
    ({"starts_at": 1782907200}, "invalid_input", "starts_at: Expected `datetime | null`, got `int`"),
    ({"ends_at": "2026-13-01T00:00:00Z"}, "invalid_input", f"ends_at: {BAD}"),
    (
        {"ends_at": "2026-07-02T12:00:00"},
        "invalid_input",
        "ends_at: Expected `datetime` with a timezone component",
    ),
    ({"ends_at": "2026-07-01T12:00:00Z"}, "invalid_input", "ends_at must lie in the future"),
    ({"ends_at": "2026-07-01T13:59:59+02:00"}, "invalid_input", "ends_at must lie in the future"),
    ({"ends_at": "1970-01-01T00:00:00Z"}, "invalid_input", "ends_at must lie in the future"),
    (
        {"starts_at": "2026-07-03T00:00:00Z", "ends_at": "2026-07-03T00:00:00Z"},
        "invalid_input",
        "ends_at must lie after starts_at",
    ),
    (
        {"starts_at": "0001-01-01T00:00:00Z"},
        "invalid_input",
        "starts_at must lie between the years 1970 and 2199",
    ),
    (
        {"ends_at": "9999-12-31T23:59:59Z"},
        "invalid_input",
        "ends_at must lie between the years 1970 and 2199",
    ),
    (
        {"ends_at": "9999-12-31T23:59:59-23:59"},
        "invalid_input",
        "ends_at must lie between the years 1970 and 2199",
    ),
    (
        {"is_external_modification_allowed": True, "allow_external_modification": False},
        "invalid_input",
        "is_external_modification_allowed and allow_external_modification contradict each other",
    ),
    (
        {"prefer_native_scheduling": "yes"},
        "invalid_input",
        "prefer_native_scheduling: Expected `bool`, got `str`",
    ),
    ({"device_id": {"$ne": None}}, "invalid_input", "device_id: Expected `str`, got `object`"),
]
SHARED = "the backup pool is for codes with an end"
CRON = {"cron": "0 9 * * 2", "minutes": 60}
NEW: list[tuple[dict[str, Any], str, str]] = [
    ({"recurrence": "0 9 * * 2"}, "invalid_input", "recurrence: Expected `object | null`, got `str`"),
    ({"recurrence": {"cron": "0 9 * * 2"}}, "invalid_input",
     "recurrence: Object missing required field `minutes`"),
    ({"recurrence": CRON | {"minutes": 0}}, "invalid_input", "recurrence: Expected `int` >= 1"),
    ({"recurrence": CRON | {"every": 1}}, "invalid_input", f"recurrence: {BAD}"),
    (
        {"recurrence": CRON, "starts_at": "2026-07-02T00:00:00Z", "ends_at": "2026-07-03T00:00:00Z"},
        "invalid_input",
        "recurrence: no window opens before ends_at",
    ),
    ({"attempt_for_offline_device": "no"}, "invalid_input",
     "attempt_for_offline_device: Expected `bool`, got `str`"),
    ({"dry_run": "yes"}, "invalid_input", "dry_run: true or false"),
]  # fmt: skip
CREATE: list[tuple[dict[str, Any], str, str]] = [
    *((params, kind, told.replace("`str`, got", "`str | null`, got")) for params, kind, told in CODE[:-1]),
    CODE[-1],
    ({"device_id": "cellar"}, "not_found", "there is no lock of this name; see devices/list"),
    ({"device_id": ""}, "invalid_input", "device_id: Expected `str` of length >= 1"),
    ({"device_id": LONG}, "invalid_input", "device_id: Expected `str` of length <= 64"),
    (
        {"device_id": "'; DROP TABLE device; --"},
        "not_found",
        "there is no lock of this name; see devices/list",
    ),
    *NEW,
    (
        {"use_backup_access_code_pool": True},
        "invalid_input",
        f"{SHARED}; to fill it regardless use devices/update",
    ),
    (
        {"is_offline_access_code": True},
        "unsupported_device",
        "this lock has no offline codes: it computes none, every code is set by radio",
    ),
    ({"common_code_key": ""}, "invalid_input", "common_code_key: Expected `str` of length >= 1"),
    ({"common_code_key": "k" * 129}, "invalid_input", "common_code_key: Expected `str` of length <= 128"),
    ({"preferred_code_length": 0}, "invalid_input", "preferred_code_length: Expected `int` >= 1"),
    ({"preferred_code_length": 33}, "invalid_input", "preferred_code_length: Expected `int` <= 32"),
    (
        {"preferred_code_length": 4.5},
        "invalid_input",
        "preferred_code_length: Expected `int | null`, got `float`",
    ),
]
NO_CODE = "there is no managed access code with this id"
UPDATE: list[tuple[dict[str, Any], str, str]] = [
    *CODE[:-1],
    *NEW,
    ({"is_managed": 0}, "invalid_input", "is_managed: Expected `bool`, got `int`"),
    ({"access_code_id": "nobody"}, "not_found", NO_CODE),
    ({"device_id": "cellar"}, "not_found", NO_CODE),
    ({"type": "ongoing", "ends_at": "2027-01-01T00:00:00Z"}, "invalid_input",
     "type ongoing and ends_at contradict each other"),
    ({"type": "time_bound"}, "invalid_input", "type time_bound needs ends_at"),
    ({"type": "time_bound", "ends_at": None}, "invalid_input", "type time_bound needs ends_at"),
    ({"type": SECRET}, "invalid_input", f"type: {BAD}"),
    ({"code": None}, "invalid_input", "code: Expected `str`, got `null`"),
]  # fmt: skip
ONE_CODE: list[tuple[dict[str, Any], str, str]] = [
    ({"access_code_id": "nobody"}, "not_found", NO_CODE),
    ({"device_id": "cellar"}, "not_found", NO_CODE),
    ({"access_code_id": None}, "invalid_input", "access_code_id: Expected `str`, got `null`"),
]
ONE_LOCK: list[tuple[dict[str, Any], str, str]] = [
    ({"device_id": "cellar"}, "not_found", "there is no lock of this name; see devices/list"),
    ({"device_id": 7}, "invalid_input", "device_id: Expected `str`, got `int`"),
]
SHORT = [({"preferred_code_length": 0}, "invalid_input", "preferred_code_length: Expected `int` >= 1")]
EITHER = "give supported_code_lengths, or both min_code_length and max_code_length"
FORGOTTEN = "nothing is remembered of an access code with this id"
DAYS = ["2026-07-01T00:00:00Z", "2026-07-02T00:00:00Z"]
NO_LOCK = "there is no lock of this name; see devices/list"
NO_THEIRS = "there is no unmanaged access code with this id"
CURSOR = "page_cursor: the next_page_cursor of the page before"
NO_KEYS = "locks of this kind are not paired by the hub"
LENGTHS = "give supported_code_lengths"
BOTH = "give access_code_id, or device_id and code"
TABLE: dict[str, tuple[dict[str, Any], list[tuple[dict[str, Any], str, str]]]] = {
    "access_codes/create": ({"device_id": DOOR}, CREATE),
    "access_codes/update": ({"access_code_id": "other"}, UPDATE),
    "access_codes/delete": ({"access_code_id": "other"}, ONE_CODE),
    "access_codes/get": (
        {},
        [
            ({}, "invalid_input", BOTH),
            ({"device_id": DOOR}, "invalid_input", BOTH),
            ({"code": SECRET}, "invalid_input", BOTH),
            ({"access_code_id": "other", "device_id": DOOR, "code": SECRET}, "invalid_input", BOTH),
            (
                {"access_code_id": "other", "code": SECRET},
                "invalid_input",
                "give access_code_id or code, not both",
            ),
            ({"access_code_id": "nobody"}, "not_found", NO_CODE),
            ({"device_id": DOOR, "code": "999999"}, "not_found", "no managed code on this lock has this PIN"),
            (
                {"device_id": "cellar", "code": SECRET},
                "not_found",
                "there is no lock of this name; see devices/list",
            ),
        ],
    ),
    "access_codes/list": (
        {},
        [
            *ONE_LOCK[:1],
            ({"type": SECRET}, "invalid_input", f"type: {BAD}"),
            ({"status": SECRET}, "invalid_input", f"status: {BAD}"),
            ({"search": ""}, "invalid_input", "search: Expected `str` of length >= 1"),
            ({"access_code_ids": []}, "invalid_input", "access_code_ids: Expected `array` of length >= 1"),
            ({"limit": 0}, "invalid_input", "limit: Expected `int` >= 1"),
            ({"page_cursor": "?"}, "invalid_input", CURSOR),
            ({"page_cursor": "////"}, "invalid_input", CURSOR),
        ],
    ),
    "access_codes/create_multiple": (
        {"device_ids": [DOOR]},
        [
            *(
                (params, kind, told.replace("`str`, got", "`str | null`, got"))
                for params, kind, told in CODE[:-1]
                if params != {"code": SECRET}
            ),
            *NEW,
            ({"device_ids": []}, "invalid_input", "device_ids: Expected `array` of length >= 1"),
            ({"device_ids": DOOR}, "invalid_input", "device_ids: Expected `array`, got `str`"),
            ({"device_ids": [DOOR, DOOR]}, "invalid_input", "device_ids: each lock once"),
            ({"device_ids": ["d"] * 201}, "invalid_input", "device_ids: Expected `array` of length <= 200"),
            ({"device_ids": [DOOR, "cellar"]}, "not_found", NO_LOCK),
            (
                {"behavior_when_code_cannot_be_shared": "x"},
                "invalid_input",
                f"behavior_when_code_cannot_be_shared: {BAD}",
            ),
            ({"use_backup_access_code_pool": True}, "invalid_input", SHARED),
        ],
    ),
    "access_codes/update_multiple": (
        {"common_code_key": "stay"},
        [
            ({}, "not_found", "no access codes have this common_code_key"),
            ({"common_code_key": None}, "invalid_input", "common_code_key: Expected `str`, got `null`"),
            ({"name": None}, "invalid_input", "name: Expected `str`, got `null`"),
        ],
    ),
    "access_codes/generate_code": (
        {"device_id": DOOR},
        [
            *ONE_LOCK,
            ({"preferred_code_length": 0}, "invalid_input", "preferred_code_length: Expected `int` >= 1"),
        ],
    ),
    "access_codes/pull_backup_access_code": (
        {"access_code_id": "other"},
        [
            *(row for row in ONE_CODE if "device_id" not in row[0]),
            (
                {},
                "access_code_not_time_bound",
                "backups replace access codes with an end only: the backup ends with the code",
            ),
        ],
    ),
    "access_codes/report_device_constraints": (
        {"device_id": DOOR},
        [
            *((asked | {"supported_code_lengths": [4]}, kind, told) for asked, kind, told in ONE_LOCK),
            ({}, "invalid_input", EITHER),
            (
                {"min_code_length": 4},
                "invalid_input",
                EITHER,
            ),
            (
                {"supported_code_lengths": [4], "max_code_length": 6},
                "invalid_input",
                f"{LENGTHS}, or min_code_length and max_code_length, not both",
            ),
            (
                {"min_code_length": 6, "max_code_length": 4},
                "invalid_input",
                "min_code_length is above max_code_length",
            ),
            (
                {"supported_code_lengths": [20]},
                "invalid_input",
                "the driver of this lock sends PINs of 4, 5, 6, 7, 8 digits only",
            ),
            ({"supported_code_lengths": [3]}, "invalid_input", "supported_code_lengths: Expected `int` >= 4"),
        ],
    ),
    "access_codes/get_timeline": (
        {"access_code_id": "other"},
        [
            (
                {"access_code_id": "nobody"},
                "not_found",
                "nothing is remembered of an access code with this id",
            ),
            ({"limit": 1001}, "invalid_input", "limit: Expected `int` <= 1000"),
            ({"after": "now"}, "invalid_input", f"after: {BAD}"),
        ],
    ),
    "access_codes/unmanaged/list": (
        {},
        [*ONE_LOCK[:1], ({"page_cursor": "?"}, "invalid_input", CURSOR)],
    ),
    "access_codes/unmanaged/get": (
        {},
        [
            ({}, "invalid_input", BOTH),
            ({"access_code_id": "other"}, "not_found", NO_THEIRS),
            (
                {"device_id": DOOR, "code": SECRET},
                "not_found",
                "no code of somebody else on this lock is known to have this PIN",
            ),
        ],
    ),
    "access_codes/unmanaged/convert_to_managed": (
        {"access_code_id": "other"},
        [
            ({}, "not_found", NO_THEIRS),
            ({"access_code_id": 7}, "invalid_input", "access_code_id: Expected `str`, got `int`"),
        ],
    ),
    "access_codes/unmanaged/delete": ({"access_code_id": "other"}, [({}, "not_found", NO_THEIRS)]),
    "devices/update": (
        {"device_id": DOOR},
        [
            *((asked | {"is_managed": True}, kind, told) for asked, kind, told in ONE_LOCK),
            ({}, "invalid_input", "give is_managed, backup_access_code_pool_enabled, or both"),
            ({"is_managed": "no"}, "invalid_input", "is_managed: Expected `bool | null`, got `str`"),
        ],
    ),
    "devices/remove_guest_codes": (
        {"device_id": DOOR},
        [*ONE_LOCK, ({"include_ongoing": 1}, "invalid_input", "include_ongoing: Expected `bool`, got `int`")],
    ),
    "devices/pair": (
        {"device_id": DOOR},
        [
            *ONE_LOCK,
            ({"given": {"security_pin": SECRET}}, "unsupported_device", NO_KEYS),
            ({"given": SECRET}, "invalid_input", "given: Expected `object`, got `str`"),
            ({"given": {"security_pin": 4}}, "invalid_input", "given: Expected `str`, got `int`"),
        ],
    ),
    "devices/unpair": ({"device_id": DOOR}, [*ONE_LOCK, ({}, "unsupported_device", NO_KEYS)]),
    "events/get": (
        {"event_id": "none"},
        [({}, "not_found", "there is no event with this id; old ones are dropped, see event_retention")],
    ),
    "action_attempts/get": (
        {"action_attempt_id": "none"},
        [
            (
                {},
                "not_found",
                "there is no action attempt with this id; old ones are dropped, see event_retention",
            )
        ],
    ),
    "action_attempts/list": ({}, [({"status": SECRET}, "invalid_input", f"status: {BAD}")]),
    "devices/list": ({}, []),
    "devices/get": ({"device_id": DOOR}, ONE_LOCK),
    "devices/sync": ({"device_id": DOOR}, ONE_LOCK),
    "devices/pause": (
        {"device_id": DOOR},
        [
            *ONE_LOCK,
            ({"minutes": 0}, "invalid_input", "minutes: Expected `int` >= 1"),
            ({"minutes": 1441}, "invalid_input", "minutes: Expected `int` <= 1440"),
            ({"minutes": "60"}, "invalid_input", "minutes: Expected `int`, got `str`"),
            ({"minutes": 10**30}, "invalid_input", "minutes: Expected `int` <= 1440"),
        ],
    ),
    "devices/resume": ({"device_id": DOOR}, ONE_LOCK),
    "devices/retire": ({"device_id": DOOR}, ONE_LOCK),
    "devices/forget": ({"device_id": DOOR}, ONE_LOCK),
    "devices/replace": ({"device_id": DOOR}, ONE_LOCK),
    "devices/refill": ({"device_id": DOOR}, ONE_LOCK),
    "events/list": (
        {},
        [
            ({"limit": 0}, "invalid_input", "limit: Expected `int` >= 1"),
            ({"limit": 1001}, "invalid_input", "limit: Expected `int` <= 1000"),
            ({"since": "yesterday"}, "invalid_input", f"since: {BAD}"),
            (
                {"between": ["2026-07-01T00:00:00Z"]},
                "invalid_input",
                "between: Expected `array` of length >= 2",
            ),
            (
                {"between": ["2026-07-02T00:00:00Z", "2026-07-01T00:00:00Z"]},
                "invalid_input",
                "the end must lie after the beginning",
            ),
            (
                {"between": ["2026-07-02T00:00:00Z", "9999-07-01T00:00:00Z"]},
                "invalid_input",
                "between must lie between the years 1970 and 2199",
            ),
            (
                {
                    "since": "2026-07-01T00:00:00Z",
                    "between": ["2026-07-01T00:00:00Z", "2026-07-02T00:00:00Z"],
                },
                "invalid_input",
                "give between, or since and until, not both",
            ),
            (
                {"device_id": DOOR, "device_ids": [DOOR]},
                "invalid_input",
                "give device_id or device_ids, not both",
            ),
            (
                {"until": "2200-01-01T00:00:00Z"},
                "invalid_input",
                "until must lie between the years 1970 and 2199",
            ),
        ],
    ),
    "plan/get": ({}, ONE_LOCK[:1]),
    "clock/get": ({}, []),
    "clock/trust": ({}, []),
    "restore/confirm": ({}, []),
}
CASES = [
    (verb, base | changes, kind, told) for verb, (base, rows) in TABLE.items() for changes, kind, told in rows
]


def test_every_verb_has_its_table() -> None:
    """A new verb needs one."""
    assert set(TABLE) == set(VERBS)


@pytest.mark.parametrize(("verb", "params", "kind", "told"), CASES)
async def test_a_refusal_says_why_and_changes_nothing(
    hang: Hang, verb: str, params: dict[str, Any], kind: str, told: str
) -> None:
    """Type and sentence as they stand in the table; nothing but the reply itself is stored."""
    bench = await hang(READABLE)
    await bench.create(SECRET)
    other = await bench.create("582245")
    asked = {key: other if value == "other" else value for key, value in params.items()}
    await bench.settle(HOUR)
    before = [line for line in bench.store.dump() if 'INTO "reply"' not in line]
    reply = await bench.ask(verb, **asked)
    assert (reply["status"], reply["data"]) == ("error", None)
    assert (reply["error"]["type"], reply["error"]["message"]) == (kind, told)
    assert [line for line in bench.store.dump() if 'INTO "reply"' not in line] == before
    digits = asked.get("code")
    assert digits in (None, "") or str(digits) not in msgspec.json.encode(reply["error"]).decode()


@pytest.mark.parametrize("verb", list(VERBS))
async def test_an_unknown_parameter_is_refused_by_name(hang: Hang, verb: str) -> None:
    """With those that are known; a name that may hide a value is not printed."""
    bench = await hang(READABLE)
    base = TABLE[verb][0]
    reply = await bench.ask(verb, **base, pincode=SECRET)
    assert reply["error"]["type"] == "invalid_input"
    assert reply["error"]["message"].startswith("unknown parameter: pincode; known are: ")
    assert reply["error"]["data"] == {"field": "pincode"}
    hidden: dict[str, Any] = base | {f"code={SECRET}": 1}
    reply = await bench.ask(verb, **hidden)
    assert "one whose name is not printed here" in reply["error"]["message"]
    assert SECRET not in str(reply["error"])


HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(alphabet=string.digits, min_size=5, max_size=40),
    st.text(max_size=100),
    st.datetimes().map(str),
    st.lists(st.text(alphabet=string.digits, min_size=5), max_size=2),
    st.dictionaries(st.text(alphabet=string.digits, min_size=5), st.text(), max_size=2),
)


@given(verb=st.sampled_from(sorted(VERBS)), data=st.data())
def test_conversion_never_echoes_a_value(verb: str, data: st.DataObject) -> None:
    """Whatever stands in whichever field: a number in the message is a limit, never what was given."""
    kind = VERBS[verb].params
    fields = data.draw(st.sets(st.sampled_from([*kind.__struct_fields__, "pin", "12345678"])))
    body = {field: data.draw(HOSTILE) for field in fields}
    try:
        convert(body, kind)
    except InvalidInput as error:
        said = f"{error.message} {error.data}"
        given = [str(value) for value in body.values() if isinstance(value, str) and len(value) > 4]
        for value in body.values():
            given += [str(part) for part in value] if isinstance(value, list | dict) else []
        assert not [value for value in given if value in said]
        assert "12345678" not in said
