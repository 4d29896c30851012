"""A hub that was synchronised at noon, and its memory."""

from collections.abc import Iterator

import pytest

from tests.engine.bench import MemoryStore
from tests.engine.clock.hub import Hub


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    """Return a memory that leaves no trace."""
    memory = MemoryStore()
    yield memory
    memory.close()


@pytest.fixture
def hub(store: MemoryStore) -> Hub:
    """Return a hub that was synchronised at noon."""
    started = Hub(store)
    started.guard.view()
    started.persist()
    return started
