"""docs/benchmarks.md and the command that measures."""

import sys

import pytest

from benchmarks.__main__ import TOPICS, main
from tests.docs.pages import ROOT


def test_every_topic_is_named_in_the_page_and_explained_by_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that nobody looks for the memory of a hub with all drivers in the topic that has only some."""
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--help"])
    with pytest.raises(SystemExit):
        main()
    said, page = capsys.readouterr().out, (ROOT / "docs/benchmarks.md").read_text()
    for topic, what in TOPICS.items():
        assert f"`{topic}`" in page
        assert f"{topic} " in said
        assert what in said
