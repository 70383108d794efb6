"""What a web service's answer means: taken, not now, or never."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from notifyd.channels.base import Receipt
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.retry_after import wanted_pause
from notifyd.channels.text import one_line

DEFAULT_PAUSE = 5.0
"""Seconds to leave a service alone that says "too many" without saying for how long."""

_SHOWN = 200
_NOT_NOW = frozenset({408, 425})
_NOT_THIS_SENDER = frozenset({401, 403, 404, 410})
_NOT_THIS_FORM = frozenset({400, 413, 422})


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The answer to one request."""

    status: int
    headers: Mapping[str, str]
    """Looked up without regard to case."""
    text: str = ""
    """The first 2 kB of the body, with every secret of the request blotted out."""


def accept(response: Response, now: float) -> Receipt:
    """Return that the service took the delivery, or raise Temporary- or PermanentFailure.

    `now` (Unix seconds) is what a `Retry-After` date is measured against.
    """
    status = response.status
    if 200 <= status < 300:
        return Receipt(status=status)
    reason = _reason(response)
    if status in (429, 503):
        pause = wanted_pause(response.headers, response.text, now)
        pause = DEFAULT_PAUSE if pause is None and status == 429 else pause
        raise TemporaryFailure(reason, pause, status=status)
    if status >= 500 or status in _NOT_NOW:
        raise TemporaryFailure(reason, status=status)
    raise PermanentFailure(reason, fault=_fault(status), status=status)


def _fault(status: int) -> Fault:
    if status in _NOT_THIS_SENDER or 300 <= status < 400:
        return Fault.CHANNEL
    return Fault.FORM if status in _NOT_THIS_FORM else Fault.MESSAGE


def _reason(response: Response) -> str:
    status = response.status
    if 300 <= status < 400:
        return f"the service answered {status}: redirects are not followed, use the final address"
    # Cut first: what lies beyond the blotted start is never looked at.
    said = one_line(response.text[:_SHOWN])
    return f"the service answered {status}: {said}" if said else f"the service answered {status}"
