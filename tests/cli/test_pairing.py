"""`pinsmith pair`: asks in private, guides aloud, and ends as the pairing does."""

from pathlib import Path
from typing import Any

import pytest

from gateway.cli.exits import Exit
from tests.cli.conftest import House, Keys, Pinsmith

SECRET = "4711"
KEY = "000102030405060708090a0b0c0d0e0f"
BLUETOOTH = """
[locks.cellar]
driver = "nuki"

[locks.attic]
driver = "yale"
bluetooth_name = "M1XY012"

[locks.shed]
driver = "ttlock"
"""
BEGUN = {"action_attempt": {"action_attempt_id": "a1", "status": "pending"}}


def told(kind: str, message: str | None = None, attempt: str = "a1") -> dict[str, Any]:
    """Return an event of a pairing."""
    words = {} if message is None else {"message": message}
    return {"event_type": f"device.{kind}", "action_attempt_id": attempt, **words}


@pytest.fixture
def paired(house: House, tmp_path: Path) -> House:
    """A house with a lock of each family; pairing works."""
    file = tmp_path / "pinsmith.toml"
    file.write_text(file.read_text() + BLUETOOTH)
    house.answers = {"devices/pair": BEGUN, "devices/unpair": BEGUN}
    house.events = [told("pairing_progress", "hold the button"), told("paired")]
    return house


@pytest.mark.parametrize(
    ("line", "typed", "device", "given"),
    [
        ("pair nuki cellar", (SECRET,), "cellar", {"security_pin": SECRET}),
        (
            "pair nuki cellar --keep-keys --address AA:BB:CC:DD:EE:FF",
            (SECRET,),
            "cellar",
            {"security_pin": SECRET, "keep_keys": "yes", "address": "AA:BB:CC:DD:EE:FF"},
        ),
        ("pair yale attic --key-slot 1", (KEY,), "attic", {"key": KEY, "key_slot": "1"}),
        ("pair ttlock shed", (), "shed", {}),
        ("pair ttlock shed --address AA:BB:CC:DD:EE:FF", (), "shed", {"address": "AA:BB:CC:DD:EE:FF"}),
        (
            "pair ttlock shed --keys --address AA:BB:CC:DD:EE:FF --admin-passcode",
            (KEY, "12", "34", SECRET),
            "shed",
            {
                "aes_key": KEY,
                "admin_ps": "12",
                "unlock_key": "34",
                "admin_passcode": SECRET,
                "address": "AA:BB:CC:DD:EE:FF",
            },
        ),
        (
            "pair ttlock shed --keys --address AA:BB:CC:DD:EE:FF --uid 7",
            (KEY, "12", "34"),
            "shed",
            {
                "aes_key": KEY,
                "admin_ps": "12",
                "unlock_key": "34",
                "uid": "7",
                "address": "AA:BB:CC:DD:EE:FF",
            },
        ),
    ],
)
def test_each_family_is_asked_for_what_it_needs(
    paired: House, pinsmith: Pinsmith, line: str, typed: tuple[str, ...], device: str, given: dict[str, str]
) -> None:
    """Secrets where nobody sees them, everything else as it was typed."""
    done = pinsmith(*line.split(), typed=typed)

    assert done.code == Exit.OK
    assert paired.asked == [("devices/pair", {"device_id": device, "given": given})]
    assert [secret for secret in typed if secret in done.out + done.err] == []


def test_secrets_may_come_from_standard_input(paired: House, pinsmith: Pinsmith) -> None:
    """For programs; one line for each question."""
    line = "pair ttlock shed --keys --address AA:BB:CC:DD:EE:FF --stdin"

    assert pinsmith(*line.split(), stdin=f"{KEY}\n12\n34\n").code == Exit.OK
    assert paired.asked[0][1]["given"]["admin_ps"] == "12"


def test_it_says_what_to_do_until_the_lock_is_paired(paired: House, pinsmith: Pinsmith) -> None:
    """What belongs to another attempt is not shown; listening begins before anything is asked for."""
    paired.events = [
        told("pairing_progress", "of somebody else", "a0"),
        {"event_type": "lock.unlocked"},
        told("pairing_progress", "hold the button for five seconds") | {"seconds_left": 120},
        told("pairing_progress", "found it"),
        told("paired"),
        told("pairing_progress", "never read"),
    ]

    done = pinsmith("pair", "nuki", "cellar", typed=(SECRET,))

    assert done.lines == [
        "hold the button for five seconds (2 min left)",
        "found it",
        "paired; `pinsmith locks show cellar` tells what the hub finds on it",
    ]
    assert paired.watched == ["cellar"]


def test_a_pairing_that_fails_says_why(paired: House, pinsmith: Pinsmith) -> None:
    """With an exit code of its own."""
    paired.events = [told("pairing_failed", "no such lock was heard within 120 s")]

    done = pinsmith("pair", "nuki", "cellar", typed=(SECRET,))

    assert (done.code, done.out) == (Exit.FAILED, "")
    assert done.err == "pinsmith: no such lock was heard within 120 s\n"


def test_silence_is_no_success(paired: House, pinsmith: Pinsmith) -> None:
    """Nobody knows how it ended."""
    paired.events = [told("pairing_progress", "hold the button")]

    assert pinsmith("pair", "nuki", "cellar", typed=(SECRET,)).code == Exit.FAILED


@pytest.mark.usefixtures("paired")
def test_programs_get_every_event(pinsmith: Pinsmith) -> None:
    """As it was told."""
    done = pinsmith("pair", "nuki", "cellar", "--json", typed=(SECRET,))

    assert done.out.count('"event_type"') == 2
    assert SECRET not in done.out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pair nuki gate", "no lock gate in the configuration: add [locks.gate]"),
        ("pair nuki attic", 'driver = "yale", so it is not paired as nuki'),
        ("pair nuki front-door", 'driver = "simulated"'),
        ("pair ttlock shed --keys", "--keys needs --address"),
        ("pair ttlock shed --uid 7", "add --keys"),
        ("pair ttlock shed --admin-passcode", "add --keys"),
    ],
)
def test_what_cannot_be_meant_is_not_begun(paired: House, pinsmith: Pinsmith, line: str, words: str) -> None:
    """Nobody is asked for a secret in vain."""
    done = pinsmith(*line.split())

    assert done.code == Exit.USAGE
    assert words in done.err
    assert paired.asked == []


def test_an_empty_secret_is_not_sent(paired: House, pinsmith: Pinsmith) -> None:
    """Enter alone is no security PIN."""
    assert pinsmith("pair", "nuki", "cellar", typed=("",)).code == Exit.USAGE
    assert paired.asked == []


def test_a_secret_as_an_argument_is_refused_without_a_word_of_it(
    paired: House, pinsmith: Pinsmith, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other users of the machine see the arguments of a process."""
    with pytest.raises(SystemExit):
        pinsmith("pair", "nuki", "cellar", SECRET)

    assert SECRET not in capsys.readouterr().err
    assert paired.asked == []


@pytest.mark.parametrize(("stdin", "sent"), [("y\n", 1), ("n\n", 0)])
def test_unpairing_is_asked_first(paired: House, pinsmith: Pinsmith, stdin: str, sent: int) -> None:
    """PINs stay on the lock, out of reach."""
    paired.events = [told("unpaired")]

    done = pinsmith("unpair", "cellar", stdin=Keys(stdin))

    assert "PINs that are on it go on working" in done.err
    assert len(paired.asked) == sent
    assert done.code == (Exit.OK if sent else Exit.FAILED)
