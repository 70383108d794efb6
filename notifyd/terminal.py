"""What the terminal can and wants to show."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import TextIO


def forbids_colour(environ: Mapping[str, str]) -> bool:
    """Tell whether NO_COLOR (https://no-color.org; set, not empty) or TERM=dumb is there."""
    return bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"


def takes_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether to write colours to this stream when nobody has said so."""
    return stream.isatty() and not forbids_colour(environ)


def columns(text: str) -> int:
    """Return how many columns of a terminal the text fills."""
    return sum(map(_column, text))


def _column(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
