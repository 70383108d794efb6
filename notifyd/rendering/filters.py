"""How figures are written for people."""

from __future__ import annotations

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


def timestamp(seconds: float | None) -> str:
    """Return local date and time with its offset: `2026-11-21 14:03 +01:00`."""
    return "" if seconds is None else local_time(seconds, "minutes")


def one_line(text: object) -> str:
    """Return the text with every run of white space and control characters as one blank."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


def shortened(text: object, length: int = 80) -> str:
    """Return one line of at most `length` characters, the cut marked with an ellipsis."""
    line = one_line(text)
    return line if len(line) <= length else line[: length - 1] + "…"


FILTERS = {
    "duration": duration,
    "timestamp": timestamp,
    "one_line": one_line,
    "shortened": shortened,
}
