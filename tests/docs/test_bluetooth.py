"""The tables that the pages on Bluetooth locks show can be loaded."""

from pathlib import Path

import pytest

from gateway.config import load
from tests.docs.pages import ROOT, blocks

WHOLE = '[gateway]\nid = "home"\ntime_zone = "Europe/Berlin"\n[mqtt]\nurl = "mqtt://127.0.0.1"\n'
TABLES = [
    (page, block.text)
    for page in (f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("bluetooth*.md")))
    for block in blocks(page)
    if block.kind == "toml"
]


@pytest.mark.parametrize(("page", "table"), TABLES)
def test_a_shown_table_is_understood(page: str, table: str, tmp_path: Path) -> None:
    """It names a lock of the family that the page is about, and no key is misspelt."""
    (tmp_path / "pinsmith.toml").write_text(WHOLE + table)
    (policy,) = load(tmp_path / "pinsmith.toml", {}).policies.values()
    assert page == f"docs/bluetooth-{policy.driver}.md"


def test_there_are_tables() -> None:
    """Otherwise nothing was tried."""
    assert len(TABLES) > 1
