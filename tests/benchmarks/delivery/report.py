"""What the rounds come to, as a table. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one contestant did in one round, as the receiver saw it."""

    messages: int
    """How many different ones arrived."""
    seconds: float
    """From the first arrival to the last."""
    cpu: float
    """Seconds of it that the contestant had, for `counted` messages."""
    counted: int
    peak: int
    """The most memory that it held, in bytes."""
    others: float
    """How many cores were busy with what is no part of the bench."""
    lost: int = 0
    twice: int = 0

    @property
    def rate(self) -> float:
        """Messages a second: the first one only starts the watch."""
        return (self.messages - 1) / self.seconds if self.seconds > 0 else 0.0

    @property
    def cpu_each(self) -> float:
        """Microseconds a message."""
        return self.cpu / self.counted * 1e6 if self.counted else 0.0


Results = Mapping[str, Sequence[Round]]
Row = Sequence[str]


def spread(values: Sequence[float]) -> float:
    """Return how far best and worst are apart, as a share of the median."""
    middle = statistics.median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


def ratio(rounds: Sequence[Round], base: Sequence[Round]) -> float:
    """Return how many times as fast: the median of the rounds that ran side by side."""
    pairs = [(a.rate, b.rate) for a, b in zip(rounds, base, strict=False) if b.rate]
    return statistics.median(a / b for a, b in pairs) if pairs else 0.0


def summary(results: Results, bases: Mapping[str, str]) -> list[Row]:
    """Return the rows of a table; `bases` are contestants by the heading of their ratio."""
    there = {title: results[name] for title, name in bases.items() if results.get(name)}
    heads = ["", "best/s", "median/s", "spread", "CPU µs", "MiB", *there]
    heads += ["lost", "twice", "other load"]
    return [heads, *(_row(name, rounds, there) for name, rounds in results.items() if rounds)]


def _row(name: str, rounds: Sequence[Round], bases: Results) -> Row:
    rates = [one.rate for one in rounds]
    return [
        name,
        f"{max(rates):,.0f}",
        f"{statistics.median(rates):,.0f}",
        f"{spread(rates):.0%}",
        f"{statistics.median(one.cpu_each for one in rounds):.1f}",
        f"{max(one.peak for one in rounds) / MIB:.0f}",
        *(f"{ratio(rounds, base):.2f}" for base in bases.values()),
        str(sum(one.lost for one in rounds)),
        str(sum(one.twice for one in rounds)),
        load([one.others for one in rounds]),
    ]


def load(others: Sequence[float]) -> str:
    """Return the load of the machine besides the bench, in cores: its median and its worst."""
    return f"{statistics.median(others):.2f} to {max(others):.2f}"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that so large a share of them does not exceed."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def aligned(rows: Sequence[Row]) -> str:
    """Return a table: its first column on the left, the others on the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *rest in rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join([f"{first:<{widths[0]}}", *cells]).rstrip())
    return "\n".join(lines)
