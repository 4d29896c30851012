"""Which recurrences are taken, and how the others are refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.domain.errors import InvalidInput
from gateway.domain.recurrence import LONGEST, Recurrence, check


def recurrence(cron: str = "0 9 * * *", minutes: int = 60, zone: str = "Europe/Berlin") -> Recurrence:
    """Return a recurrence, good where nothing else is said."""
    return Recurrence(cron=cron, minutes=minutes, time_zone=zone)


def refusal(asked: Recurrence) -> InvalidInput:
    """Return how it was refused."""
    with pytest.raises(InvalidInput) as refused:
        check(asked)
    return refused.value


@pytest.mark.parametrize(
    "cron",
    [
        "* * * * *",
        "*/15 0-6,22,23 1-15/7 JAN,mar-May Mon-Fri",
        "  0\t9   * * 7 ",
        "0 9 * * SAT-TUE",
        "0 9 1 NOV-FEB *",
        "0 9 1-31 * MON",
        "0 9 */2 * *",
        "0 9 * * */2",
        "0 9 L * *",
        "0 9 1,L * SUN",
        "0 9 * * MON#1,5#3",
        "0 9 29 2 *",
        "0 9 * 2 MON#5",
        ",".join(str(minute) for minute in range(60)) + " * * * *",
    ],
)
def test_five_fields_of_common_cron_are_taken(cron: str) -> None:
    """Numbers, names in any case, lists, ranges, steps, the last day, the n-th weekday."""
    check(recurrence(cron))


@pytest.mark.parametrize(
    ("why", "crons"),
    [
        ("not five fields", ["", " ", "* * * *", "0 * * * * *", "0 0 * * * * 2030", "@reboot", "@daily"]),
        ("drawn by chance", ["H * * * *", "R 9 * * *", "H(0-9) 9 * * *", "0 H/2 * * *", "0 9 * * h"]),
        (
            "other dialects",
            ["0 9 ? * MON", "0 9 15W * *", "0 9 LW * *", "0 9 * * 5L", "0 9 * * L5", "0 9 L-3 * *"],
        ),
        (
            "does not exist",
            ["60 * * * *", "0 24 * * *", "0 0 0 * *", "0 0 32 * *", "0 0 1 13 *", "0 0 * 0 *"],
        ),
        ("no such weekday", ["0 0 * * 8", "0 0 * * MON#6", "0 0 * * MON#0", "0 0 * * FOO", "0 0 * * #1"]),
        (
            "not a field",
            ["5- * * * *", "-5 * * * *", "1,,2 * * * *", ", * * * *", "1.5 * * * *", "a * * * *"],
        ),
        ("not a step", ["*/0 * * * *", "*/ * * * *", "5/15 * * * *", "0-9/-1 * * * *", "*/5/5 * * * *"]),
        ("names elsewhere", ["MON * * * *", "0 JAN * * *", "0 0 MON * *", "0 0 * MON *", "0 0 * * JAN"]),
        (
            "other alphabets",
            ["\u0663 * * * *", "0 9 * * \u017fUN", "0\u00a09 * * *", "0\u30009 * * * *", "\uff10 9 * * *"],
        ),
        # croniter reads these as the whole field, or differently from others.
        (
            "a range of one",
            ["0 9-9 * * *", "0 9 * * MON-MON", "0 9 * JAN-1 *", "0 9 * * SUN-7", "0 9 * * 0-7"],
        ),
        (
            "downwards",
            ["50-10 * * * *", "0 22-2 * * *", "0 0 28-3 * *", "0 0 * NOV-FEB/2 *", "0 0 * * SAT-TUE/2"],
        ),
        (
            "day and weekday",
            ["0 9 */2 * MON", "0 9 1 * */2", "0 9 1 * MON#1", "0 9 L * MON#1", "0 9 */1 * */1"],
        ),
        ("mixed", ["0 9 * * MON,TUE#1"]),
        ("never", ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30,31 FEB *"]),
    ],
)
def test_what_programs_read_differently_or_not_at_all_is_refused(why: str, crons: list[str]) -> None:
    """With one clear sentence each."""
    for cron in crons:
        refused = refusal(recurrence(cron))
        assert refused.data == {"field": "cron"}, (why, cron)
        assert refused.message.startswith("cron: "), (why, cron)
        assert len(refused.message) < 150


def test_a_window_that_always_falls_into_the_skipped_hour_never_comes() -> None:
    """02:00 on the second Sunday of March does not exist in New York."""
    assert refusal(recurrence("0 2 * 3 SUN#2", 60, "America/New_York")).data == {"field": "cron"}
    check(recurrence("0 2 * 3 SUN#2", 61, "America/New_York"))


def test_a_window_lasts_from_a_minute_to_a_week() -> None:
    """Both included."""
    check(recurrence(minutes=1))
    check(recurrence(minutes=LONGEST))
    for minutes in (0, -1, LONGEST + 1, 10**30):
        assert refusal(recurrence(minutes=minutes)).data == {"field": "minutes"}


@pytest.mark.parametrize(
    "zone", ["UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "America/Port-au-Prince"]
)
def test_zones_have_their_name_in_the_iana_database(zone: str) -> None:
    """With and without folders."""
    check(recurrence(zone=zone))


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Europe",
        "Europe/Atlantis",
        "europe/berlin ",
        "../Berlin",
        "/etc/passwd",
        "Europe/../Europe/Berlin",
        "Europe/Berlin\0",
        "Europe/Berlin\n",
        "right/Europe/Berlin",
        "posix/Europe/Berlin",
        "localtime",
        "posixrules",
        "zone.tab",
        "leapseconds",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "+02:00",
        "E" * 5000,
    ],
)
def test_other_zones_are_refused(zone: str) -> None:
    """Neither paths, nor the system's own, nor offsets, nor those that count leap seconds."""
    refused = refusal(recurrence(zone=zone))
    assert refused.data == {"field": "time_zone"}
    assert "E" * 10 not in refused.message


def test_a_refusal_does_not_repeat_what_was_given() -> None:
    """It may be long, or meant for somebody's terminal."""
    for part, cron in (
        ("\x1b", "\x1b[31m 0 0 * *"),
        ("999", "9" * 100_000 + " * * * *"),
        ("999", "999 * * * *"),
        ("secret", "secret 0 * * *"),
    ):
        refused = refusal(recurrence(cron))
        assert part not in refused.message
        assert len(refused.message) < 150


FIELD = st.text("0123456789*,-/#LHRW?@JANMOFRISU \t", max_size=8)


@given(st.lists(FIELD, min_size=4, max_size=6).map(" ".join) | st.text(max_size=20), st.integers(1, 200))
@example("*/99 */99 */31 */12 *", 1)
@example("0 0 31-31 * *", 1)
def test_any_text_is_either_taken_or_refused(cron: str, minutes: int) -> None:
    """Never anything but `InvalidInput`."""
    try:
        check(recurrence(cron, minutes))
    except InvalidInput as refused:
        assert refused.data == {"field": "cron"}  # noqa: PT017 - both outcomes are right
