"""The two ways in which a channel can fail. It raises nothing else."""

from __future__ import annotations

import enum

from notifyd.channels.text import storable


class TemporaryFailure(Exception):
    """Not now: the same delivery may succeed later.

    `reason` is for people and holds no secret. `retry_after` (seconds) is set when the
    receiver asked for a pause. `only_target`: the trouble, and the pause, is that of the one
    address behind the channel that the delivery went to. `busy`: the receiver works and has
    asked for a pause (429): neither an attempt nor a failure. `status` is the service's own
    code, where it gave one.
    """

    def __init__(
        self,
        reason: str,
        retry_after: float | None = None,
        *,
        status: int | None = None,
        only_target: bool = False,
        busy: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = storable(reason)
        self.retry_after = retry_after
        self.busy = busy
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
        self.reason = storable(reason)
        self.fault = fault
        self.status = status
