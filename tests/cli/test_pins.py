"""PINs are typed hidden or read from a pipe, and shown only to who asks for them."""

import json

import pytest

from gateway.cli.exits import Exit
from gateway.cli.main import make_parser
from tests.cli.conftest import House, Pinsmith
from tests.cli.samples import CODE, PINS


def test_a_pin_is_typed_twice_and_sent(house: House, pinsmith: Pinsmith) -> None:
    """A slip of the finger would lock somebody out."""
    done = pinsmith("codes", "create", "front-door", "--pin", typed=("4711", "4711"))

    assert done.code == Exit.OK
    assert house.asked == [("access_codes/create", {"device_id": "front-door", "code": "4711"})]


def test_a_pin_typed_differently_is_not_sent(house: House, pinsmith: Pinsmith) -> None:
    """Neither of the two is shown."""
    done = pinsmith("codes", "update", "c1", "--pin", typed=("4711", "4712"))

    assert (done.code, house.asked) == (Exit.USAGE, [])
    assert "471" not in done.out + done.err


@pytest.mark.parametrize("line_end", ["", "\n", "\r\n"])
def test_a_pin_can_come_from_a_pipe(house: House, pinsmith: Pinsmith, line_end: str) -> None:
    """The first line counts, whatever ends it."""
    pinsmith("codes", "update", "c1", "--pin-stdin", stdin=f"4711{line_end}")

    assert house.asked == [("access_codes/update", {"access_code_id": "c1", "code": "4711"})]


@pytest.mark.parametrize("stdin", ["", "\n", "47 11\n"])
def test_what_is_no_pin_is_refused_without_showing_it(house: House, pinsmith: Pinsmith, stdin: str) -> None:
    """An empty pipe must not become a code without PIN."""
    done = pinsmith("codes", "create", "front-door", "--pin-stdin", stdin=stdin)

    assert (done.code, house.asked) == (Exit.USAGE, [])
    assert "47 11" not in done.err


def test_a_code_is_found_by_its_pin_typed_once(house: House, pinsmith: Pinsmith) -> None:
    """Looking does no harm, so once is enough."""
    pinsmith("codes", "get", "--device", "front-door", "--pin", typed=("4711",))

    assert house.asked == [("access_codes/get", {"device_id": "front-door", "code": "4711"})]


def test_a_pin_that_the_daemon_made_up_is_shown(house: House, pinsmith: Pinsmith) -> None:
    """Somebody has to tell it to the guest."""
    house.answers["access_codes/create"] = {"access_code": CODE}

    assert "PIN 840275" in pinsmith("codes", "create", "front-door").lines
    shown = json.loads(pinsmith("codes", "create", "front-door", "--json").out)
    assert shown["access_code"]["code"] == "840275"


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize(
    ("line", "verb", "answer"),
    [
        ("codes create front-door --pin-stdin", "access_codes/create", {"access_code": CODE}),
        ("codes get c0de-1", "access_codes/get", {"access_code": CODE}),
        ("codes update c0de-1 --name Anna", "access_codes/update", {"access_code": CODE}),
        ("codes list", "access_codes/list", {"access_codes": [CODE]}),
    ],
)
def test_no_pin_is_shown_unless_asked_for(
    house: House, pinsmith: Pinsmith, line: str, verb: str, answer: dict[str, object], options: list[str]
) -> None:
    """Somebody may look over the shoulder, and terminals remember; PINs of pending changes count too."""
    house.answers[verb] = answer

    hidden = pinsmith(*line.split(), *options, stdin="840275\n")
    shown = pinsmith(*line.split(), "--show-pins", *options, stdin="840275\n")

    assert "Anna" in hidden.out
    assert not any(pin in hidden.out + hidden.err for pin in PINS)
    assert "840275" in shown.out


@pytest.mark.parametrize("typed", [["--pin=4711"], ["--pin", "4711"], ["4711"], ["--pin-stdin=4711"]])
def test_a_pin_typed_as_argument_is_not_taken_and_not_repeated(
    typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It would be visible to every user of the machine; the message says how to do it right."""
    with pytest.raises(SystemExit) as ended:
        make_parser().parse_args(["codes", "create", "front-door", *typed])

    printed = capsys.readouterr()
    assert ended.value.code == Exit.USAGE
    assert "PINs are never typed as arguments" in printed.err
    assert "4711" not in printed.out + printed.err
