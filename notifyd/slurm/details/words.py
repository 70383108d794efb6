"""What hints can speak of: a job's figures, written for people, and what to ask for. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from notifyd.units import duration, percent, shortened, size

_STEMS = {
    "": ("cpus", "gpus", "nodes"),
    "_percent": ("cpu", "elapsed", "gpu", "memory"),
    "_bytes": ("gpu_memory", "memory_asked", "memory_used"),
    "_seconds": ("elapsed", "time_limit"),
}
FIGURES = frozenset(stem + unit for unit, stems in _STEMS.items() for stem in stems)
"""What a condition may measure: of the whole job; a percentage is of what it had.
Each is a placeholder too, without its unit: `$memory_used`, `$time_limit`."""
_FIGURE_OF = {name.removesuffix("_bytes").removesuffix("_seconds"): name for name in FIGURES}
PLACEHOLDERS = frozenset(
    {
        *_FIGURE_OF,
        "match",
        "state",
        "reason",
        "exit_code",
        "signal",
        "memory_suggested",
        "time_suggested",
    }
)

LONGEST = 200
"""Characters of what a job itself has written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a job that ended; `figures` are by the names in FIGURES."""

    state: str
    exit_code: int | None = None
    signal: int | None = None
    reason: str | None = None
    output: str | None = None
    """The end of what it printed."""
    figures: Mapping[str, float] = field(default_factory=dict)


def signal_of(facts: Facts) -> int | None:
    """Return what killed it, also as a shell reports it: as an exit code of 128 and more."""
    code = facts.exit_code or 0
    return facts.signal or (code - 128 if 128 < code <= 192 else None)


def words_of(facts: Facts) -> dict[str, str]:
    """Return what is known of the placeholders, written for people."""
    known = {"state": facts.state, "reason": facts.reason, "exit_code": facts.exit_code}
    known["signal"] = signal_of(facts)
    words = {name: shortened(value, LONGEST) for name, value in known.items() if value is not None}
    figures = {name: value for name, value in facts.figures.items() if 0 <= value < 1e18}
    words |= {w: _written(n, figures[n]) for w, n in _FIGURE_OF.items() if n in figures}
    return words | _suggestions(figures, facts.state)


def _written(name: str, figure: float) -> str:
    if name.endswith("_bytes"):
        return size(figure)
    if name.endswith("_seconds"):
        return duration(figure)
    return percent(figure) if name.endswith("_percent") else f"{figure:.0f}"


def _suggestions(figures: Mapping[str, float], state: str) -> dict[str, str]:
    """Return what to ask for: memory a node, as `--mem` takes it, and time, with some to spare."""
    words = {}
    used, asked = (figures.get(f"memory_{which}_bytes", 0) for which in ("used", "asked"))
    # Memory is only sampled: where the limit was hit, it counts, whatever was seen in use.
    hit = state == "OUT_OF_MEMORY" or 0 < asked <= used
    if wanted := 1.5 * max(used, asked) if hit else 1.25 * used:
        nodes = max(figures.get("nodes", 1), 1)
        each = size(_rounded_up(wanted / nodes, 1024**3))
        words["memory_suggested"] = f"{each} a node" if nodes > 1 else each
    if elapsed := figures.get("elapsed_seconds"):
        step = 300 if elapsed < 3600 else 1800
        words["time_suggested"] = duration(_rounded_up(1.5 * elapsed, step))
    return words


def _rounded_up(figure: float, step: int) -> int:
    return math.ceil(figure / step) * step
