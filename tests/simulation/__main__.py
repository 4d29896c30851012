"""Runs worlds and tells what they found.

    python -m tests.simulation                     some seeds, as many as fit into 60 s
    SEED=17 python -m tests.simulation             one seed, with its story if a rule broke
    SEEDS=100-200 python -m tests.simulation       these seeds
    SECONDS=180 python -m tests.simulation         as many seeds as fit
    YEARS=0.5 ...                                  length of the storm in each world (default: 1.5 days)

The same as options: --seed, --seeds, --seconds, --years, --jobs, --json.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import count

from tests.simulation.one import Outcome, run_seed

_STORY = 60
_DAYS = 365.25


def main() -> int:
    """Run what was asked for; 1 when a rule broke."""
    asked = _parse()
    storm = asked.years * _DAYS if asked.years is not None else 1.5
    if asked.seed is not None:
        outcome = run_seed(asked.seed, storm_days=storm)
        _tell([outcome], 0.0)
        print(f"trace {outcome.digest}")
        return 1 if outcome.broken else 0
    started = time.monotonic()
    outcomes: list[Outcome] = []
    with ProcessPoolExecutor(asked.jobs) as pool:
        for outcome in _run_many(pool, asked, storm, started):
            outcomes.append(outcome)
            if outcome.broken:
                print(f"seed {outcome.seed}: {outcome.broken}", flush=True)
            if len(outcomes) % 100 == 0:
                print(_line(outcomes, time.monotonic() - started), flush=True)
    _tell(outcomes, time.monotonic() - started)
    if asked.json:
        _save(outcomes, asked.json)
    return 1 if any(outcome.broken for outcome in outcomes) else 0


def _parse() -> argparse.Namespace:
    given = {key: value for key, value in os.environ.items() if value}
    parser = argparse.ArgumentParser(description="Run simulated worlds.")
    parser.add_argument("--seed", type=int, default=given.get("SEED"))
    parser.add_argument("--seeds", default=given.get("SEEDS"), help="FIRST-LAST")
    parser.add_argument("--seconds", type=float, default=given.get("SECONDS"))
    parser.add_argument("--years", type=float, default=given.get("YEARS"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", help="add the figures to this file")
    return parser.parse_args()


def _run_many(
    pool: ProcessPoolExecutor, asked: argparse.Namespace, storm: float, started: float
) -> Iterator[Outcome]:
    """Keep every process busy until the seeds or the time run out."""
    if asked.seeds:
        first, _, last = asked.seeds.partition("-")
        seeds = iter(range(int(first), int(last or first) + 1))
        seconds = asked.seconds or float("inf")
    else:
        seeds, seconds = count(), asked.seconds or 60.0
    running: set[Future[Outcome]] = set()
    more = True
    while more or running:
        while more and len(running) < asked.jobs:
            seed = next(seeds, None)
            more = seed is not None and time.monotonic() - started < seconds
            if more and seed is not None:
                running.add(pool.submit(run_seed, seed, storm_days=storm))
        if running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)


def _line(outcomes: list[Outcome], seconds: float) -> str:
    operations = sum(sum(outcome.operations.values()) for outcome in outcomes)
    bad = sum(1 for outcome in outcomes if outcome.broken)
    return f"{len(outcomes)} worlds, {operations} lock operations, {bad} broken, {seconds:.0f} s"


def _tell(outcomes: list[Outcome], seconds: float) -> None:
    """Print the stories of broken rules, the coverage table and the totals."""
    for outcome in [outcome for outcome in outcomes if outcome.broken][:3]:
        print(f"\nseed {outcome.seed}: {outcome.broken}\nthe last things that happened:")
        print("\n".join(f"  {line}" for line in outcome.story[-_STORY:]))
        print(f"replay: make simulate SEED={outcome.seed}\n")
    coverage: Counter[tuple[str, str, str]] = sum((o.coverage for o in outcomes), Counter())
    models = sorted({model for _, _, model in coverage})
    print(f"\n{'fault':<16}{'phase':<14}" + "".join(f"{model:>12}" for model in models))
    for fault, phase in sorted({(fault, phase) for fault, phase, _ in coverage}):
        cells = "".join(f"{coverage[fault, phase, model]:>12}" for model in models)
        print(f"{fault:<16}{phase:<14}{cells}")
    faults: Counter[str] = sum((o.faults for o in outcomes), Counter())
    print("\n" + ", ".join(f"{name} {number}" for name, number in sorted(faults.items())))
    total = sum(coverage.values())
    faulty = total - sum(number for (fault, _, _), number in coverage.items() if fault == "none")
    print(f"{_line(outcomes, seconds)}; a fault in 1 of {total / max(faulty, 1):.1f} operations")
    broken = sum(1 for outcome in outcomes if outcome.broken)
    print(f"{len(outcomes) - broken} passed, {broken} failed")


def _save(outcomes: list[Outcome], file: str) -> None:
    with open(file, "a", encoding="utf-8") as out:  # noqa: PTH123 - a plain report
        for o in outcomes:
            row = {"seed": o.seed, "operations": sum(o.operations.values()), "broken": o.broken}
            out.write(json.dumps(row | {"trace": o.digest}) + "\n")


if __name__ == "__main__":
    sys.exit(main())
