"""How commands write: aligned columns within the terminal's width, times, JSON."""

from __future__ import annotations

import json
import shutil
import sys
import time
import unicodedata
from collections.abc import Sequence

import click


def as_json(value: object) -> None:
    """Print a value for programs."""
    click.echo(json.dumps(value, indent=2))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns; on a terminal, lines are cut at its edge."""
    widths = [max(_width(row[i]) for row in (header, *rows)) for i in range(len(header))]
    room = shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else None
    for row in (header, *rows):
        cells = [
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        line = "  ".join(cells).rstrip()
        if room is not None:
            line = _cut(line, room)
        click.echo(click.style(line, dim=True) if row is header else line)


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


def clock(moment: float) -> str:
    """Return local time, with the date when it is not today's."""
    then, today = time.localtime(moment), time.localtime()
    same_day = then[:3] == today[:3]
    return time.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M", then)


def plain(text: str) -> str:
    """Return one line without control characters: job names are anybody's text."""
    return "".join(c if c.isprintable() else " " for c in text)


def _width(text: str) -> int:
    return sum(map(_column, text))


def _column(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _cut(text: str, room: int) -> str:
    if _width(text) <= room:
        return text
    while text and _width(text) > room - 1:
        text = text[:-1]
    return text + "…"
