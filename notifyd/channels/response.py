"""What a web service's answer means: taken, not now, or never."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from notifyd.channels.base import Receipt
from notifyd.channels.failures import Fault, TemporaryFailure
from notifyd.channels.refusal import refusal
from notifyd.channels.retry_after import wanted_pause
from notifyd.channels.text import one_line, unescaped
from notifyd.model import Scalar

DEFAULT_PAUSE = 5.0
"""Seconds to leave a service alone that says "too many" without saying for how long."""

_SHOWN = 200
_NOT_NOW = frozenset({408, 425})
_NOT_THIS_SENDER = frozenset({401, 403, 404, 410})
_NOT_THIS_FORM = frozenset({400, 413, 422})


@dataclass(frozen=True, kw_only=True)
class Response:
    """The answer to one request."""

    status: int
    headers: Mapping[str, str]
    """Looked up without regard to case."""
    body: bytes = field(default=b"", repr=False)
    """Its first 64 kB, as they came: they may repeat what the request holds secret."""
    blot: Callable[[str], str] = field(default=unescaped, repr=False)
    """Takes every secret of the request out of a text."""

    @cached_property
    def text(self) -> str:
        """The body, with every secret of the request blotted out."""
        return self.blot(self.body.decode("utf-8", "replace")) if self.body else ""

    @cached_property
    def json(self) -> object:
        """The body read as JSON, None if it is none. It is not blotted: take from it numbers."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def found(self, *path: str) -> Scalar:
        """Return what lies at this path of a JSON body, blotted; None if nothing does."""
        value = self.json
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str):
            return self.blot(value)
        return value if isinstance(value, int | float) else None


Judge = Callable[[Response], Fault]
"""Tells what a refusal is about."""


def by_status(response: Response) -> Fault:
    """Tell what a refusal is about where its status alone says so."""
    status = response.status
    if status in _NOT_THIS_SENDER or 300 <= status < 400:
        return Fault.CHANNEL
    return Fault.FORM if status in _NOT_THIS_FORM else Fault.MESSAGE


def accept(
    response: Response,
    now: float,
    *,
    rich: bool = False,
    judge: Judge = by_status,
    target: str = "",
) -> Receipt:
    """Return that the service took the delivery, or raise Temporary- or PermanentFailure.

    `now` (Unix seconds) is what a `Retry-After` date is measured against; for `rich` see
    `refusal`. `target` is the address that it went to, where the channel has several: the
    reason names it, and a wanted pause is for it alone.
    """
    status = response.status
    if 200 <= status < 300:
        return Receipt(status=status)
    reason = f"{target}: {reason_of(response)}" if target else reason_of(response)
    if status in (429, 503):
        pause = wished(response, now)
        pause = DEFAULT_PAUSE if pause is None and status == 429 else pause
        raise TemporaryFailure(reason, pause, status=status, only_target=bool(target))
    if status >= 500 or status in _NOT_NOW:
        raise TemporaryFailure(reason, status=status)
    raise refusal(reason, judge(response), rich=rich, status=status)


def wished(response: Response, now: float) -> float | None:
    """Return the pause that the answer asks for (seconds), see `wanted_pause`."""
    return wanted_pause(response.headers, response.json, now)


def reason_of(response: Response) -> str:
    """Return in words for people what the service answered, without a secret."""
    status = response.status
    if 300 <= status < 400:
        return f"the service answered {status}: redirects are not followed, use the final address"
    # Cut after blotting: the cut must not bring back the end of a secret.
    said = one_line(response.text[:_SHOWN])
    return f"the service answered {status}: {said}" if said else f"the service answered {status}"
