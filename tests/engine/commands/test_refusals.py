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
from gateway.domain.driver import SlotTouched
from gateway.domain.errors import InvalidInput
from gateway.engine.commands.desk import VERBS
from gateway.engine.commands.requests import convert
from tests.engine.build import DOOR, HOUR
from tests.engine.commands.refused import (
    ATTEMPTS,
    BAD,
    BOTH,
    CODE,
    CONVERT,
    CREATE,
    EITHER,
    EVENTS,
    GROUP,
    KEY,
    LENGTHS,
    NEW,
    NO_ATTEMPT,
    NO_CODE,
    NO_EVENT,
    NO_KEYS,
    NO_LOCK,
    NO_THEIRS,
    ONE_CODE,
    ONE_LOCK,
    PAGE,
    SEARCH,
    SECRET,
    SHARED,
    SHORT,
    THEIRS,
    UPDATE,
    ids,
    moments,
    optional,
)
from tests.engine.conftest import Hang

TABLE: dict[str, tuple[dict[str, Any], list[tuple[dict[str, Any], str, str]]]] = {
    "access_codes/create": ({"device_id": DOOR}, CREATE),
    "access_codes/update": ({"access_code_id": "other"}, UPDATE),
    "access_codes/delete": (
        {"access_code_id": "other"},
        [
            *ONE_CODE,
            ({"force": "yes"}, "invalid_input", "force: Expected `bool`, got `str`"),
            ({"force": 1}, "invalid_input", "force: Expected `bool`, got `int`"),
            ({"force": None}, "invalid_input", "force: Expected `bool`, got `null`"),
            ({"force": True, "access_code_id": "nobody"}, "not_found", NO_CODE),
        ],
    ),
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
            ({"access_code_ids": []}, "invalid_input", "access_code_ids: Expected `array` of length >= 1"),
            *KEY,
            *SEARCH,
            *PAGE,
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
            *SHORT,
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
        GROUP,
    ),
    "access_codes/generate_code": (
        {"device_id": DOOR},
        [
            *ONE_LOCK,
            *SHORT,
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
            *ids("access_code_id"),
            *moments("after"),
            *moments("before"),
            (
                {"access_code_id": "nobody"},
                "not_found",
                "nothing is remembered of an access code with this id",
            ),
            ({"limit": 1001}, "invalid_input", "limit: Expected `int` <= 1000"),
            (
                {"after": "2026-07-02T00:00:00Z", "before": "2026-07-01T00:00:00Z"},
                "invalid_input",
                "the end must lie after the beginning",
            ),
        ],
    ),
    "access_codes/unmanaged/list": (
        {},
        [*ONE_LOCK[:1], *optional(ids("device_id")), *SEARCH, *PAGE],
    ),
    "access_codes/unmanaged/get": (
        {},
        [
            ({}, "invalid_input", BOTH),
            ({"device_id": DOOR}, "invalid_input", BOTH),
            ({"code": SECRET}, "invalid_input", BOTH),
            *optional([*ids("access_code_id"), *ids("device_id")]),
            ({"device_id": "cellar", "code": SECRET}, "not_found", NO_LOCK),
            ({"access_code_id": "other"}, "not_found", NO_THEIRS),
            (
                {"device_id": DOOR, "code": SECRET},
                "not_found",
                "no code of somebody else on this lock is known to have this PIN",
            ),
        ],
    ),
    "access_codes/unmanaged/convert_to_managed": (
        {"access_code_id": "theirs"},
        CONVERT,
    ),
    "access_codes/unmanaged/delete": ({"access_code_id": "theirs"}, THEIRS),
    "devices/update": (
        {"device_id": DOOR},
        [
            *((asked | {"is_managed": True}, kind, told) for asked, kind, told in ONE_LOCK),
            ({}, "invalid_input", "give is_managed, backup_access_code_pool_enabled, or both"),
            ({"is_managed": "no"}, "invalid_input", "is_managed: Expected `bool | null`, got `str`"),
            *(
                (
                    {"backup_access_code_pool_enabled": wrong},
                    "invalid_input",
                    f"backup_access_code_pool_enabled: Expected `bool | null`, got `{kind}`",
                )
                for wrong, kind in (("yes", "str"), (1, "int"), ([], "array"))
            ),
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
        [({}, "not_found", NO_EVENT), *ids("event_id")],
    ),
    "action_attempts/get": (
        {"action_attempt_id": "none"},
        [({}, "not_found", NO_ATTEMPT), *ids("action_attempt_id")],
    ),
    "action_attempts/list": ({}, ATTEMPTS),
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
    "events/list": ({}, EVENTS),
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
    named = {"other": await bench.create("582245")}
    await bench.create("693356", common_code_key="stay")
    bench.by_hand("3", "998877")
    await bench.tell(SlotTouched(device_id=DOOR, slot="3"))
    named["theirs"] = str(bench.snap().slots["3"].unmanaged_id)
    asked = {
        key: named.get(value, value) if isinstance(value, str) else value for key, value in params.items()
    }
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
