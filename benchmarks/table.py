"""Tables that can be read in a terminal and pasted into a page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Table:
    """Figures of one topic. Every row has as many cells as there are columns; `notes` stand below."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        """Return the table as Markdown with aligned columns."""
        widths = [max(map(len, cells)) for cells in zip(self.columns, *self.rows, strict=True)]

        def line(cells: Iterable[str]) -> str:
            padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
            return f"| {' | '.join(padded)} |"

        rule = line("-" * width for width in widths)
        body = "\n".join([line(self.columns), rule, *map(line, self.rows)])
        notes = "".join(f"\n{note}" for note in self.notes)
        return f"### {self.title}\n\n{body}\n" + (f"{notes}\n" if notes else "")


def milliseconds(seconds: Sequence[float]) -> str:
    """Return the median of times, with the digits that mean something."""
    middle = median(seconds) * 1000
    return f"{middle:.2f} ms" if middle < 10 else f"{middle:.0f} ms"


def per_second(times: int, seconds: float) -> str:
    """Return a rate."""
    return f"{times / seconds:.0f}/s"
