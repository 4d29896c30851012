"""Every `pinsmith` command that a page shows can be typed."""

import re
import shlex
from collections.abc import Iterator

import pytest

from gateway.cli.main import make_parser
from gateway.domain.catalogue import CATALOGUE
from tests.docs.pages import PAGES, ROOT, blocks, prose

SHELL = ("sh", "")
"""Blocks with these words hold lines for a terminal; without a word also what make can do."""
GROUPS = ("codes", "locks", "keypad", "clock", "pair", "restore")
"""Commands that prose also names without `pinsmith`, such as `locks pause LOCK`."""
LEFT_OUT = (
    *((), ("LOCK",), ("--pin",), ("LOCK", "--pin")),
    ("LOCK", "20", "--pin"),
    ("LOCK", "--key-slot", "1"),
)
"""What prose may leave out at the end, because it is about something else."""
_CALL = re.compile(
    r"(?:^|[|;&] )(?:sudo )?(?:-u \w+ )?(?:systemd-run (?:-\S+ +(?:\w+=\S+ +)?)+)?(?:[\w./]*/)?pinsmith "
    r"(?P<words>[^|;&\n]+)"
)


def _in_blocks(page: str) -> Iterator[str]:
    for block in blocks(page):
        if block.kind not in SHELL:
            continue
        for line in re.sub(r" *\\\n *", " ", block.text).splitlines():
            # Three blanks: from there on it is said what the line does.
            for call in _CALL.finditer(re.split(r" {3,}(?=[^- ])", line)[0]):
                yield call["words"]


def _in_prose(page: str) -> Iterator[str]:
    for code in re.findall(r"`([^`]+)`", prose(page)):
        words = " ".join(code.split())
        call = _CALL.match(words)
        if call is not None:
            yield call["words"]
        elif words.split()[0] in GROUPS and " " in words:
            yield words


def _words(command: str) -> list[str]:
    """Return a command's words with something in the place of each placeholder."""
    words = shlex.split(command.replace("\\|", "|"), comments=True)
    plain = [re.sub(r"[\[\]<>]", "", word).split("|")[0] for word in words]
    return ["5" if word == "N" else word for word in plain if word != "…"]


def understood(command: str) -> bool:
    """Say whether the parser takes a command, if need be with what the page has left out."""
    words = _words(command)
    if "COMMAND" in words:
        return True
    return any(_parsed([*words, *more]) for more in LEFT_OUT)


def _parsed(words: list[str]) -> bool:
    try:
        make_parser().parse_args(words)
    except SystemExit as ended:
        return ended.code == 0
    return True


@pytest.mark.parametrize("page", PAGES)
def test_commands_can_be_typed(page: str) -> None:
    """In blocks and in prose, with and without sudo, in tables too."""
    assert [one for one in {*_in_blocks(page), *_in_prose(page)} if not understood(one)] == []


def test_commands_are_found() -> None:
    """Otherwise nothing was tried."""
    found = [command for page in PAGES for command in (*_in_blocks(page), *_in_prose(page))]
    assert len(found) > 200
    assert 'codes create front-door --name "Anna"' in found
    assert found.count("backup /var/lib/pinsmith/before-upgrade.backup") == 2


@pytest.mark.parametrize("command", ["codes creat LOCK", "locks pause LOCK --hours N", "doctor a b"])
def test_what_cannot_be_typed_is_found(command: str) -> None:
    """A misspelt command, an option or an argument that there is not."""
    assert not understood(command)


@pytest.mark.parametrize("code", CATALOGUE)
def test_remedies_name_commands_that_there_are(code: str) -> None:
    """What a lock's error tells people to type."""
    for command in re.findall(r"pinsmith ([a-z]+(?: --confirm| [a-z|]+)?)", CATALOGUE[code].remedy):
        assert understood(command), command


def test_pages_are_told_from_other_files() -> None:
    """All that people read, those beside the systemd units included."""
    assert {"README.md", "CHANGELOG.md", "docs/operation.md", "systemd/README.md"} <= set(PAGES)
    assert all((ROOT / page).is_file() for page in PAGES)
