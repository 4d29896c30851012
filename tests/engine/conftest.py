"""A hub with one lock, of every kind."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from drivers.simulated.models import READABLE, Model
from tests.engine.bench import Bench
from tests.engine.restoring import House, Save

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


@pytest.fixture
def saved() -> Iterator[Save]:
    """Return a function that makes a backup of what a bench's hub knows."""
    houses: list[House] = []

    def save(bench: Bench) -> House:
        houses.append(House(bench))
        return houses[-1]

    yield save
    for house in houses:
        house.backup.close()
