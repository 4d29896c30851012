"""What the configuration may say."""

from typing import get_args

import msgspec
import pytest

from drivers.simulated.models import MODELS
from drivers.simulated.settings import ModelName, SimulatedLockSettings


def test_every_model_that_can_be_configured_exists() -> None:
    """And under its own name."""
    assert set(get_args(ModelName.__value__)) == set(MODELS)
    assert all(model.name == name for name, model in MODELS.items())


def test_settings_come_from_plain_values() -> None:
    """As the configuration file gives them."""
    settings = msgspec.convert({"model": "chooser", "slots": 5}, SimulatedLockSettings)
    assert (settings.model, settings.slots, settings.reports) == ("chooser", 5, "notification")


@pytest.mark.parametrize("wrong", [{"slots": 0}, {"slots": 251}, {"model": "abacus"}, {"reports": "loudly"}])
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    """Before any lock is touched."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, SimulatedLockSettings)
