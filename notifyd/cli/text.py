"""How commands write: aligned columns within the terminal's width, times, JSON."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
import time
from collections.abc import Sequence

import click

from notifyd.terminal import columns

_LAST = 32
"""Columns that the last one of a table should have, with the gaps before it."""
_NAME = 20
"""Columns that a name is cut to where there is too little room."""


def as_json(value: object) -> None:
    """Print a value for programs."""
    click.echo(json.dumps(value, indent=2))


def table(header: Sequence[str], rows: Sequence[Sequence[str]], below: Sequence[str] = ()) -> None:
    """Print aligned columns, whatever is in them; on a terminal, lines are cut at its edge.

    `below` has a text for each row that is printed under it, whole.
    """
    room = _room()
    lines = _fitted([[plain(cell) for cell in row] for row in (header, *rows)], room)
    widths = _widths(lines)
    for line, words in zip(lines, ["", *(below or [""] * len(rows))], strict=True):
        shown = _cut("  ".join(map(_padded, line, widths)).rstrip(), room)
        click.echo(click.style(shown, dim=True) if line is lines[0] else shown)
        if words:
            under("  ", words)


def under(first: str, words: str) -> None:
    """Print a text that belongs to what stands above it; on a terminal, lines end at its edge."""
    room = _room()
    if room is None:
        click.echo(first + plain(words))
        return
    wrap = textwrap.TextWrapper(room, initial_indent=first, subsequent_indent=" " * len(first))
    click.echo(wrap.fill(plain(words)))


def ago(moment: float | None, now: float) -> str:
    """Return how long ago a moment was: `12 s ago`."""
    return "never" if moment is None else f"{span(now - moment)} ago"


def span(seconds: float) -> str:
    """Return a length of time in its two largest units."""
    left = max(int(seconds), 0)
    for size, unit, smaller, small in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if left >= size:
            rest = left % size // smaller
            return f"{left // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{left} s"


def roughly(seconds: float) -> str:
    """Return a length of time in its largest unit."""
    return " ".join(span(seconds).split(" ")[:2])


def count(number: int, noun: str) -> str:
    """Return `1 job`, `2 jobs`."""
    return f"{number} {noun}{'s' * (number != 1)}"


def clock(moment: float) -> str:
    """Return local time; of another day the date as well, without a year, and no seconds."""
    then, today = time.localtime(moment), time.localtime()
    same_day = then[:3] == today[:3]
    return time.strftime("%H:%M:%S" if same_day else "%m-%d %H:%M", then)


def plain(text: str) -> str:
    """Return one line without control characters: job names are anybody's text."""
    return "".join(c if c.isprintable() else " " for c in text)


def short(id: str) -> str:
    """Return the beginning of a delivery's id, which is enough to name it."""
    return plain(id[:8])


def _room() -> int | None:
    """Return the columns of the terminal; a pipe takes lines of any length."""
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else None


def _widths(lines: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(columns, cells)) for cells in zip(*lines, strict=True)]


def _fitted(lines: list[list[str]], room: int | None) -> list[list[str]]:
    """Cut long names where they would leave next to no room for the last column."""
    if room is None or sum(_widths(lines)[:-1]) <= room - _LAST:
        return lines
    return [[*(_cut(cell, _NAME) for cell in line[:-1]), line[-1]] for line in lines]


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - columns(cell))


def _cut(text: str, room: int | None) -> str:
    if room is None or columns(text) <= room:
        return text
    while text and columns(text) > room - 1:
        text = text[:-1]
    return text + "…"
