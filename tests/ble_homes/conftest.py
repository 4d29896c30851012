"""The library's pauses, which it takes by the wall clock, are left out."""

import pytest


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of a second before each command spares real locks; virtual time would only spin in it."""
    monkeypatch.setattr("yalexs_ble.session.COOLDOWN_TIME", 0.0)
