"""Every configuration that a page shows can be loaded: alone, or as the part of one that it says it is."""

from pathlib import Path

import pytest

from gateway.config import load
from tests.docs.pages import PAGES, Block, blocks

PART = "part"
"""Behind the fence: the block is added to a configuration that has the rest."""
REST = '[gateway]\nid = "home"\ntime_zone = "Europe/Berlin"\n[mqtt]\nurl = "mqtt://127.0.0.1"\n'
SHOWN = [(page, block) for page in PAGES for block in blocks(page) if block.kind == "toml"]


@pytest.mark.parametrize(("page", "block"), SHOWN, ids=[f"{page}:{block.line}" for page, block in SHOWN])
def test_a_shown_configuration_is_understood(page: str, block: Block, tmp_path: Path) -> None:
    """No key is misspelt, no value out of range, and nothing lacks."""
    assert block.about in {"", PART}, page
    whole = REST + block.text if block.about == PART else block.text
    (tmp_path / "pinsmith.toml").write_text(whole, encoding="utf-8")
    settings = load(tmp_path / "pinsmith.toml", {})
    assert settings.gateway.id == "home"


def test_there_are_whole_ones_and_parts() -> None:
    """Otherwise nothing was tried."""
    assert {block.about for _, block in SHOWN} == {"", PART}
