"""How long a service asks us to wait, in whichever of the usual places it says so."""

from __future__ import annotations

import datetime
import email.utils
import math
from collections.abc import Iterator

from multidict import MultiMapping

SHORTEST = 1.0
"""Seconds: a wish for none at all, or for a time that is over, must not make us ask in a circle."""
LONGEST = 86400.0
"""Seconds: a longer wish is an error of the service, and must not silence a channel for good."""


def wanted_pause(headers: MultiMapping[str], body: object, now: float) -> float | None:
    """Return the longest pause that an answer asks for (seconds), or None if it asks for none.

    Read are `Retry-After` (RFC 9110 §10.2.3: seconds or a date; Discord and others send
    fractions), `X-RateLimit-Reset-After` (Discord), and from the JSON `body` `retry_after`
    (Discord, Slack), `parameters.retry_after` (Telegram) and `retry_after_ms` (Matrix). A date
    is measured against the service's own clock where it shows it (`Date`), else against `now`
    (Unix seconds). It is never less than SHORTEST nor more than LONGEST.
    """
    wishes = [*_from_headers(headers, now), *_from_body(body)]
    return min(max(*wishes, SHORTEST), LONGEST) if wishes else None


def _from_headers(headers: MultiMapping[str], now: float) -> Iterator[float]:
    sent = _moment(headers.get("Date", ""))
    for text in headers.getall("Retry-After", []):
        seconds, until = _seconds(text), _moment(text)
        if seconds is not None:
            yield seconds
        elif until is not None:
            yield until - (now if sent is None else sent)
    for text in headers.getall("X-RateLimit-Reset-After", []):
        seconds = _seconds(text)
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


def _moment(text: str) -> float | None:
    """Return what a date of HTTP means (Unix seconds)."""
    try:
        date = email.utils.parsedate_to_datetime(text)
        if date.tzinfo is None:
            date = date.replace(tzinfo=datetime.UTC)
        return date.timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
