"""Tables on terminals of any width: what is copied or told to a guest stands on one line."""

import pytest

from tests.cli.conftest import House, Keys, Pinsmith
from tests.cli.samples import CODE, PLAN

IDS = ("0c5e2b0e-7b3c-4a52-9d0e-2f6b1c9a7d11", "9b0e6a52-1f4d-4c8e-8a57-3d2c1b0a9f88")
WIDTHS = range(20, 201, 5)


def shown(pinsmith: Pinsmith, line: str, monkeypatch: pytest.MonkeyPatch, width: int) -> list[str]:
    """Return the lines of an answer on a terminal with that many columns."""
    monkeypatch.setenv("COLUMNS", str(width))
    return [text.rstrip() for text in pinsmith(*line.split(), out=Keys()).out.splitlines()]


@pytest.mark.parametrize("trouble", [{}, {"errors": [], "warnings": []}])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_pin_and_no_id_is_broken(
    house: House,
    pinsmith: Pinsmith,
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    trouble: dict[str, list[str]],
) -> None:
    """Half a PIN would be handed to a guest. Without trouble it stands in the last column."""
    house.answers["access_codes/list"] = {
        "access_codes": [CODE | {"access_code_id": one} | trouble for one in IDS]
    }

    lines = shown(pinsmith, "codes list --show-pins", monkeypatch, width)

    for whole in (*IDS, CODE["code"], "Anna", "front-door", "2026-12-24 15:00 CET"):
        assert any(whole in line for line in lines)


def test_where_the_table_does_not_fit_each_code_is_a_block(
    house: House, pinsmith: Pinsmith, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `codes get` shows it, with an empty line in between."""
    house.answers["access_codes/list"] = {"access_codes": [CODE | {"access_code_id": one} for one in IDS]}

    lines = shown(pinsmith, "codes list --show-pins", monkeypatch, 80)

    assert [" ".join(line.split()) for line in lines[:10]] == [
        f"id {IDS[0]}",
        "lock front-door",
        "slot 20",
        "name Anna",
        "status setting",
        "from 2026-12-24 15:00 CET",
        "until 2026-12-27 11:00:30 CET",
        "PIN 840275",
        "trouble device_disconnected, delay_in_setting_on_device",
        "",
    ]
    assert lines[10].endswith(IDS[1])


def test_only_the_last_column_is_wrapped_and_only_between_words(
    house: House, pinsmith: Pinsmith, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the one for words."""
    why = "its window starts in 30 min and the lock is slow"
    step = PLAN["steps"][0] | {"access_code_id": IDS[0], "why": why}
    house.answers["plan/get"] = {"plans": [PLAN | {"steps": [step]}]}

    lines = shown(pinsmith, "plan", monkeypatch, 100)

    row = next(index for index, line in enumerate(lines) if IDS[0] in line)
    assert lines[row].split()[:4] == ["write", "20", IDS[0], "3"]
    assert all(len(line) <= 100 for line in lines[row : row + 2])
    assert " ".join(" ".join(lines[row : row + 2]).split()).endswith(why)
