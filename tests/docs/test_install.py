"""What docs/install.md says of the key is what the code does."""

from pathlib import Path

import pytest

from storage.errors import KeyUnusable
from storage.keys import CREDENTIAL, existing_key
from tests.docs.pages import ROOT, blocks

PAGE = "docs/install.md"


def test_the_way_to_a_credential_is_there_under_the_name_that_a_command_says(tmp_path: Path) -> None:
    """Somebody reads it with the service stopped and codes that end."""
    heading = "The key as a credential"
    with pytest.raises(KeyUnusable, match=f'"{heading}" in {PAGE}'):
        existing_key(tmp_path, None)

    assert f"\n### {heading}\n" in (ROOT / PAGE).read_text(encoding="utf-8")
    ways = [block.text for block in blocks(PAGE) if f"-p ImportCredential={CREDENTIAL} " in block.text]
    assert ["pinsmith backup " in way for way in ways] == [True, False]
    assert "pinsmith --config /etc/pinsmith/config.toml restore " in ways[1]
