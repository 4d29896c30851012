"""What every command that makes, changes or names a code or a lock refuses: parameters, kind and sentence."""

from typing import Any

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
        {"recurrence": CRON | {"cron": "61 9 * * 2"}},
        "invalid_input",
        "cron: a value does not exist, a step is 0, or MON#1 stands beside a plain weekday",
    ),
    (
        {"recurrence": CRON | {"time_zone": "Mars/Base"}},
        "invalid_input",
        "time_zone: the name of a time zone is expected, such as Europe/Berlin or UTC",
    ),
    (
        {"recurrence": CRON, "starts_at": "2026-07-02T00:00:00Z", "ends_at": "2026-07-03T00:00:00Z"},
        "invalid_input",
        "recurrence: no window opens before ends_at",
    ),
    ({"attempt_for_offline_device": "no"}, "invalid_input",
     "attempt_for_offline_device: Expected `bool`, got `str`"),
    ({"dry_run": "yes"}, "invalid_input", "dry_run: true or false"),
]  # fmt: skip
KEY: list[tuple[dict[str, Any], str, str]] = [
    ({"common_code_key": ""}, "invalid_input", "common_code_key: Expected `str` of length >= 1"),
    ({"common_code_key": "k" * 129}, "invalid_input", "common_code_key: Expected `str` of length <= 128"),
    ({"common_code_key": 7}, "invalid_input", "common_code_key: Expected `str | null`, got `int`"),
]
SHORT: list[tuple[dict[str, Any], str, str]] = [
    ({"preferred_code_length": 0}, "invalid_input", "preferred_code_length: Expected `int` >= 1"),
    ({"preferred_code_length": 33}, "invalid_input", "preferred_code_length: Expected `int` <= 32"),
    (
        {"preferred_code_length": 4.5},
        "invalid_input",
        "preferred_code_length: Expected `int | null`, got `float`",
    ),
]
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
    ({"is_one_time_use": "yes"}, "invalid_input", "is_one_time_use: Expected `bool`, got `str`"),
    ({"is_one_time_use": None}, "invalid_input", "is_one_time_use: Expected `bool`, got `null`"),
    *KEY,
    (
        {"common_code_key": "stay", "code": SECRET},
        "invalid_input",
        "codes of this common_code_key have another PIN; leave code out",
    ),
    ({"common_code_key": "stay"}, SAME, "another access code on this lock has this PIN"),
    *SHORT,
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
EITHER = "give supported_code_lengths, or both min_code_length and max_code_length"
FORGOTTEN = "nothing is remembered of an access code with this id"
DAYS = ["2026-07-01T00:00:00Z", "2026-07-02T00:00:00Z"]
NO_LOCK = "there is no lock of this name; see devices/list"
NO_THEIRS = "there is no unmanaged access code with this id"
CURSOR = "page_cursor: the next_page_cursor of the page before"
NO_KEYS = "locks of this kind are not paired by the hub"
LENGTHS = "give supported_code_lengths"
BOTH = "give access_code_id, or device_id and code"
NO_EVENT = "there is no event with this id; old ones are dropped, see event_retention"
NO_ATTEMPT = "there is no action attempt with this id; old ones are dropped, see event_retention"


def ids(name: str) -> list[tuple[dict[str, Any], str, str]]:
    """Return what is refused of any field that names something."""
    return [
        ({name: None}, "invalid_input", f"{name}: Expected `str`, got `null`"),
        ({name: 7}, "invalid_input", f"{name}: Expected `str`, got `int`"),
        ({name: [SECRET]}, "invalid_input", f"{name}: Expected `str`, got `array`"),
        ({name: ""}, "invalid_input", f"{name}: Expected `str` of length >= 1"),
        ({name: LONG}, "invalid_input", f"{name}: Expected `str` of length <= 64"),
    ]


def optional(rows: list[tuple[dict[str, Any], str, str]]) -> list[tuple[dict[str, Any], str, str]]:
    """Return the rows of a field that may be null as well."""
    return [
        (params, kind, told.replace("Expected `str`, got", "Expected `str | null`, got"))
        for params, kind, told in rows
        if None not in params.values()
    ]


NAME = [row for row in CODE if set(row[0]) == {"name"}]
TIMES = [row for row in CODE if set(row[0]) <= {"starts_at", "ends_at"}]
FLAGS: list[tuple[dict[str, Any], str, str]] = [
    row for row in CODE if "allow_external_modification" in row[0]
]
GROUP: list[tuple[dict[str, Any], str, str]] = [
    ({"common_code_key": "nobody"}, "not_found", "no access codes have this common_code_key"),
    ({"common_code_key": None}, "invalid_input", "common_code_key: Expected `str`, got `null`"),
    ({"common_code_key": ""}, "invalid_input", "common_code_key: Expected `str` of length >= 1"),
    ({"common_code_key": "k" * 129}, "invalid_input", "common_code_key: Expected `str` of length <= 128"),
    ({"name": None}, "invalid_input", "name: Expected `str`, got `null`"),
    *NAME,
    *TIMES,
]
THEIRS: list[tuple[dict[str, Any], str, str]] = [
    ({"access_code_id": "other"}, "not_found", NO_THEIRS),
    ({"access_code_id": "nobody"}, "not_found", NO_THEIRS),
    *ids("access_code_id"),
]
CONVERT: list[tuple[dict[str, Any], str, str]] = [
    *THEIRS,
    ({"code": 4711}, "invalid_input", "code: Expected `str | null`, got `int`"),
    ({"code": ""}, "invalid_input", "code: Expected `str` of length >= 1"),
    ({"code": "4" * 33}, "invalid_input", "code: Expected `str` of length <= 32"),
    ({"code": "47 11"}, "invalid_input", "a PIN is 1 to 32 printable ASCII characters without blanks"),
    ({"code": SECRET}, "invalid_input", "the code on the lock has another PIN; leave code out"),
    *optional(NAME),
    *FLAGS,
    (
        {"is_external_modification_allowed": "yes"},
        "invalid_input",
        "is_external_modification_allowed: Expected `bool | null`, got `str`",
    ),
]
LIMIT: list[tuple[dict[str, Any], str, str]] = [
    ({"limit": 0}, "invalid_input", "limit: Expected `int` >= 1"),
    ({"limit": -(2**64)}, "invalid_input", "limit: Expected `int` >= 1"),
    ({"limit": 1001}, "invalid_input", "limit: Expected `int` <= 1000"),
    ({"limit": "9"}, "invalid_input", "limit: Expected `int`, got `str`"),
    ({"limit": None}, "invalid_input", "limit: Expected `int`, got `null`"),
]
SEARCH: list[tuple[dict[str, Any], str, str]] = [
    ({"search": ""}, "invalid_input", "search: Expected `str` of length >= 1"),
    ({"search": "s" * 201}, "invalid_input", "search: Expected `str` of length <= 200"),
    ({"search": [SECRET]}, "invalid_input", "search: Expected `str | null`, got `array`"),
]
PAGE: list[tuple[dict[str, Any], str, str]] = [
    ({"page_cursor": "?"}, "invalid_input", CURSOR),
    ({"page_cursor": "////"}, "invalid_input", CURSOR),
    ({"page_cursor": ""}, "invalid_input", "page_cursor: Expected `str` of length >= 1"),
    ({"page_cursor": "c" * 201}, "invalid_input", "page_cursor: Expected `str` of length <= 200"),
    *LIMIT,
]
ATTEMPTS: list[tuple[dict[str, Any], str, str]] = [
    *optional([*ids("device_id"), *ids("access_code_id")]),
    ({"status": SECRET}, "invalid_input", f"status: {BAD}"),
    ({"status": 1}, "invalid_input", "status: Expected `str | null`, got `int`"),
    *LIMIT,
]


def moments(name: str) -> list[tuple[dict[str, Any], str, str]]:
    """Return what is refused of a time by which something is looked for."""
    return [
        ({name: "yesterday"}, "invalid_input", f"{name}: {BAD}"),
        ({name: 1782907200}, "invalid_input", f"{name}: Expected `datetime | null`, got `int`"),
        (
            {name: "2026-07-02T12:00:00"},
            "invalid_input",
            f"{name}: Expected `datetime` with a timezone component",
        ),
        ({name: "2200-01-01T00:00:00Z"}, "invalid_input", f"{name} must lie between the years 1970 and 2199"),
    ]


def either(name: str, longest: int, most: int) -> list[tuple[dict[str, Any], str, str]]:
    """Return what is refused of a filter that takes one value, or several under its plural."""
    return [
        *optional([row for row in ids(name) if row[0] != {name: LONG}]),
        ({name: "x" * (longest + 1)}, "invalid_input", f"{name}: Expected `str` of length <= {longest}"),
        ({f"{name}s": []}, "invalid_input", f"{name}s: Expected `array` of length >= 1"),
        ({f"{name}s": ["x"] * (most + 1)}, "invalid_input", f"{name}s: Expected `array` of length <= {most}"),
        ({f"{name}s": SECRET}, "invalid_input", f"{name}s: Expected `array | null`, got `str`"),
        ({f"{name}s": [SECRET, None]}, "invalid_input", f"{name}s: Expected `str`, got `null`"),
        ({name: "x", f"{name}s": ["x"]}, "invalid_input", f"give {name} or {name}s, not both"),
    ]


EVENTS: list[tuple[dict[str, Any], str, str]] = [
    *LIMIT,
    ({"after_seq": -1}, "invalid_input", "after_seq: Expected `int` >= 0"),
    ({"after_seq": "7"}, "invalid_input", "after_seq: Expected `int | null`, got `str`"),
    ({"after_seq": 2**63}, "invalid_input", "after_seq: Expected `int` <= 9007199254740991"),
    *moments("since"),
    *moments("until"),
    *either("device_id", 64, 200),
    *either("access_code_id", 64, 200),
    *either("event_type", 128, 100),
    ({"between": DAYS[:1]}, "invalid_input", "between: Expected `array` of length >= 2"),
    ({"between": [*DAYS, DAYS[1]]}, "invalid_input", "between: Expected `array` of length <= 2"),
    ({"between": DAYS[::-1]}, "invalid_input", "the end must lie after the beginning"),
    ({"since": DAYS[1], "until": DAYS[0]}, "invalid_input", "the end must lie after the beginning"),
    (
        {"between": [DAYS[1], "9999-07-01T00:00:00Z"]},
        "invalid_input",
        "between must lie between the years 1970 and 2199",
    ),
    ({"since": DAYS[0], "between": DAYS}, "invalid_input", "give between, or since and until, not both"),
]
