"""How figures and foreign texts are written for people."""

from __future__ import annotations

import functools
import math

from notifyd.clock import local_time


def duration(seconds: float | None) -> str:
    """Return `45 s`, `12 min 5 s`, `3 h 20 min` or `2 d 4 h`."""
    if seconds is None:
        return ""
    left = max(int(seconds), 0)
    days, left = divmod(left, 86400)
    hours, left = divmod(left, 3600)
    minutes, rest = divmod(left, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next((i for i, (count, _) in enumerate(parts) if count), 3)
    shown = [f"{count} {unit}" for count, unit in parts[first : first + 2] if count]
    return " ".join(shown) or "0 s"


@functools.lru_cache(maxsize=1000)
def timestamp(seconds: float | None) -> str:
    """Return local date and time with its offset: `2026-11-21 14:03 +01:00`."""
    return "" if seconds is None else local_time(seconds, "minutes")


def size(number: float | None) -> str:
    """Return bytes as `640 MB` or `3.1 GB`; a kilobyte is 1024 bytes, as for Slurm."""
    if number is None:
        return ""
    power = min(int(math.log2(max(number, 1)) / 10), 4)
    digits = f"{number / 1024**power:.1f}".removesuffix(".0")
    return f"{digits} {('B', 'KB', 'MB', 'GB', 'TB')[power]}"


def percent(number: float | None) -> str:
    """Return `93 %`."""
    return "" if number is None else f"{number:.0f} %"


def bar(share: float | None, width: int = 20) -> str:
    """Return how much of a whole is done, from 0 to 100, as `█████░░░░░`."""
    done = round(min(max(share or 0.0, 0.0), 100.0) * width / 100)
    return "█" * done + "░" * (width - done)


def one_line(text: object) -> str:
    """Return the text with every run of white space and control characters as one blank."""
    line = str(text)
    if not line.isprintable():
        line = "".join(c if c.isprintable() else " " for c in line)
    return " ".join(line.split())


def shortened(text: object, length: int = 80) -> str:
    """Return one line of at most `length` characters, the cut marked with an ellipsis."""
    line = one_line(text)
    return line if len(line) <= length else line[: length - 1] + "…"
