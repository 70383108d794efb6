"""The two ways in which a channel can fail. It raises nothing else."""

from __future__ import annotations

import enum


class TemporaryFailure(Exception):
    """Not now: the same delivery may succeed later.

    `reason` is for people and holds no secret. `retry_after` (seconds) is set when the
    receiver asked for a pause; it is then a pause, not a failed attempt: for the channel, or
    with `only_target` for the one address behind it that the delivery went to. `status` is
    the service's own code, where it gave one.
    """

    def __init__(
        self,
        reason: str,
        retry_after: float | None = None,
        *,
        status: int | None = None,
        only_target: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = _storable(reason)
        self.retry_after = retry_after
        self.status = status
        self.only_target = only_target


class Fault(enum.Enum):
    """What a permanent refusal is about, and so what is to be done."""

    MESSAGE = "message"
    """This delivery: it is given up, and the next may pass."""
    FORM = "form"
    """How it is written: the same in its plainest form may pass."""
    CHANNEL = "channel"
    """Whoever sends: nothing passes until somebody changes something."""


class PermanentFailure(Exception):
    """Never: trying the same again is no use. `reason` is for people and holds no secret."""

    def __init__(
        self, reason: str, *, fault: Fault = Fault.MESSAGE, status: int | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = _storable(reason)
        self.fault = fault
        self.status = status


def _storable(text: str) -> str:
    """Return the text without what UTF-8 cannot write: half an emoji, from a service's answer."""
    return text.encode("utf-8", "replace").decode()
