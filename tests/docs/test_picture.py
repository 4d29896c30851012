"""The picture in the README shows what its script types today: `make picture` draws it anew."""

import re
from html import unescape

from scripts.make_picture import FILE, TYPED

_TEXT = re.compile(r'<text[^>]* y="([\d.]+)"[^>]*>(.*?)</text>', re.DOTALL)
_PROMPT = "$ "


def test_the_picture_shows_the_commands_of_its_script() -> None:
    """Whoever changes the one is reminded of the other."""
    lines: dict[str, str] = {}
    for height, text in _TEXT.findall(FILE.read_text(encoding="utf-8")):
        lines[height] = lines.get(height, "") + unescape(text).replace("\N{NO-BREAK SPACE}", " ")
    shown = [line.strip().removeprefix(_PROMPT) for line in lines.values() if line.startswith(_PROMPT)]
    assert shown == list(TYPED)
