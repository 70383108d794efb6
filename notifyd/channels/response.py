"""What a web service's answer means: taken, not now, or never."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from multidict import MultiMapping

from notifyd.channels.base import Receipt
from notifyd.channels.failures import Fault, TemporaryFailure
from notifyd.channels.refusal import refusal
from notifyd.channels.retry_after import wanted_pause
from notifyd.channels.text import one_line, unescaped
from notifyd.model import Scalar

DEFAULT_PAUSE = 5.0
"""Seconds to leave a service alone that says "too many" without saying for how long."""

_SHOWN = 200
_TOO_MANY = 429
# RFC 9110 §15.5: 407 is a proxy's, which is mended elsewhere; 421 may pass on another connection.
_NOT_NOW = frozenset({407, 408, 421, 423, 425})
# What is wrong with each request alike: the key, the address, the method, the kind of content.
_NOT_THIS_SENDER = frozenset({401, 402, 403, 404, 405, 406, 410, 411, 415, 426, 451})
_NOT_THIS_FORM = frozenset({400, 413, 422})


@dataclass(frozen=True, kw_only=True)
class Response:
    """The answer to one request."""

    status: int
    headers: MultiMapping[str]
    """Looked up without regard to case; each may come more than once."""
    body: bytes = field(default=b"", repr=False)
    """Its first 256 kB, as they came: they may repeat what the request holds secret."""
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
    reason names it, and a pause because of too many requests is for it alone.
    """
    status = response.status
    if 200 <= status < 300:
        return Receipt(status=status)
    reason = f"{target}: {reason_of(response)}" if target else reason_of(response)
    if status == _TOO_MANY:
        raise too_many(response, now, reason, only_target=bool(target))
    if status >= 500 or status in _NOT_NOW:
        raise TemporaryFailure(reason, _wished(response, now), status=status)
    raise refusal(reason, judge(response), rich=rich, status=status)


def too_many(
    response: Response,
    now: float,
    reason: str,
    unsaid: float = DEFAULT_PAUSE,
    *,
    only_target: bool = False,
) -> TemporaryFailure:
    """Return the failure for an answer by which the service keeps its limit.

    It gets the pause that it asks for, and `unsaid` (seconds) if it does not say for how long.
    """
    pause = _wished(response, now)
    return TemporaryFailure(
        reason,
        unsaid if pause is None else pause,
        status=response.status,
        only_target=only_target,
        busy=True,
    )


def expect(proven: bool, response: Response, service: str) -> None:
    """Raise TemporaryFailure unless the answer is proven to be the service's own.

    2xx alone proves nothing: the login page of a network says it, and whatever else is at an
    address that is not the right one.
    """
    if not proven:
        raise TemporaryFailure(
            f"the service answered {response.status}, but not as {service} does: is the address "
            "right, or is there a portal in between?",
            status=response.status,
        )


def _wished(response: Response, now: float) -> float | None:
    return wanted_pause(response.headers, response.json, now)


def reason_of(response: Response) -> str:
    """Return in words for people what the service answered, without a secret."""
    status = response.status
    if 300 <= status < 400:
        return f"the service answered {status}: redirects are not followed, use the final address"
    # Cut after blotting: the cut must not bring back the end of a secret.
    said = one_line(response.text[:_SHOWN])
    return f"the service answered {status}: {said}" if said else f"the service answered {status}"
