"""The two ways in which a channel can fail. It raises nothing else."""

from __future__ import annotations


class TemporaryFailure(Exception):
    """Not now: the same delivery may succeed later.

    `reason` is for people and holds no secret. `retry_after` (seconds) is set when the
    receiver asked for a pause; it is then a pause for the channel, not a failed attempt.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class PermanentFailure(Exception):
    """Never: trying the same again is no use. `reason` is for people and holds no secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
