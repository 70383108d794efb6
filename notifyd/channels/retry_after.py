"""How long a service asks us to wait, in whichever of the usual places it says so."""

from __future__ import annotations

import datetime
import email.utils
import math
from collections.abc import Iterator, Mapping

LONGEST = 86400.0
"""Seconds: a longer wish is an error of the service, and must not silence a channel for good."""


def wanted_pause(headers: Mapping[str, str], body: object, now: float) -> float | None:
    """Return the longest pause that an answer asks for (seconds), or None if it asks for none.

    Read are `Retry-After` (RFC 9110 §10.2.3: seconds or a date; Discord and others send
    fractions), `X-RateLimit-Reset-After` (Discord), and from the JSON `body` `retry_after`
    (Discord, Slack), `parameters.retry_after` (Telegram) and `retry_after_ms` (Matrix).
    """
    wishes = [*_from_headers(headers, now), *_from_body(body)]
    return min(max(wishes), LONGEST) if wishes else None


def _from_headers(headers: Mapping[str, str], now: float) -> Iterator[float]:
    for name in ("Retry-After", "X-RateLimit-Reset-After"):
        text = headers.get(name, "")
        seconds = _seconds(text)
        if seconds is None and name == "Retry-After":
            seconds = _until(text, now)
        if seconds is not None:
            yield seconds


def _from_body(body: object) -> Iterator[float]:
    if not isinstance(body, dict):
        return
    parameters = body.get("parameters")
    nested = parameters.get("retry_after") if isinstance(parameters, dict) else None
    for value, scale in (
        (body.get("retry_after"), 1.0),
        (nested, 1.0),
        (body.get("retry_after_ms"), 0.001),
    ):
        seconds = _seconds(value)
        if seconds is not None:
            yield seconds * scale


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _until(text: str, now: float) -> float | None:
    try:
        date = email.utils.parsedate_to_datetime(text)
        if date.tzinfo is None:
            date = date.replace(tzinfo=datetime.UTC)
        return max(date.timestamp() - now, 0.0)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
