"""The figures of a run, a line a row of faults."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from tests.faults.arrivals import Arrivals
from tests.faults.daemon import Home

_TITLES = ("fault", "sent", "lost", "twice", "twice by id", "calls", "seconds", "cpu s", "besides")


@dataclass(slots=True, kw_only=True)
class Row:
    """What became of one fault."""

    name: str
    sent: int
    lost: int
    twice: int
    """Calls that told what the receiver had taken already, under the same id."""
    anew: int
    """Calls that told it under another id: what honouring the id does not mend."""
    calls: int
    seconds: float
    """From the first start of a daemon to when the last was told."""
    cpu: float
    besides: str = ""

    @property
    def counts(self) -> tuple[int, int, int]:
        """Lost, told twice, and told twice for a receiver that honours the id."""
        return self.lost, self.twice, self.anew

    def cells(self) -> tuple[str, ...]:
        """Return its texts, in the order of the titles."""
        numbers = map(str, (self.sent, *self.counts, self.calls))
        return (self.name, *numbers, f"{self.seconds:.1f}", f"{self.cpu:.2f}", self.besides)


@dataclass(slots=True)
class Table:
    """The rows of a run, in the order in which they were counted."""

    rows: list[Row] = field(default_factory=list)

    async def told(
        self, name: str, owed: Collection[str], got: Arrivals, home: Home, within: float = 60
    ) -> Row:
        """Wait until all has been told and nothing is owed any more, and count."""
        await got.until_told(owed, within)
        await home.rest()
        return self.add(name, owed, got, home)

    def add(self, name: str, owed: Collection[str], got: Arrivals, home: Home) -> Row:
        """Count what has come of what was owed, and keep it for the end of the run."""
        row = Row(
            name=name,
            sent=len(owed),
            lost=len(got.missing(owed)),
            twice=len(got.repeated()),
            anew=got.told_anew(),
            calls=len(got.calls),
            seconds=max(got.last - home.began, 0.0),
            cpu=home.cpu(),
        )
        self.rows.append(row)
        return row

    def lines(self) -> list[str]:
        """Return the table as text, its numbers to the right."""
        cells = [_TITLES, *(row.cells() for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return [_line(row, widths) for row in cells]


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    name, *numbers, besides = cells
    right = (cell.rjust(width) for cell, width in zip(numbers, widths[1:-1], strict=True))
    return "  ".join((name.ljust(widths[0]), *right, besides)).rstrip()
