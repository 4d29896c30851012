"""A hub with one lock, of every kind."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from drivers.simulated.models import READABLE, Model
from tests.engine.bench import Bench

type Hang = Callable[..., Awaitable[Bench]]


@pytest.fixture
def hang() -> Iterator[Hang]:
    """Return a function that hangs up a lock of a kind, with a hub that has looked at all of it."""
    benches: list[Bench] = []

    async def up(model: Model = READABLE, **settings: Any) -> Bench:  # noqa: ANN401 - settings of Bench
        bench = Bench(model, **settings)
        benches.append(bench)
        await bench.start()
        bench.events()
        return bench

    yield up
    for bench in benches:
        bench.store.close()
