"""What a template can do with a value."""

from __future__ import annotations

from notifyd.units import bar, duration, one_line, percent, shortened, size, timestamp

FILTERS = {
    "bar": bar,
    "duration": duration,
    "size": size,
    "percent": percent,
    "timestamp": timestamp,
    "one_line": one_line,
    "shortened": shortened,
}
