"""How a channel fares: what its tries teach the gate, and who is told when it fails for long."""

from __future__ import annotations

import structlog

from notifyd.bus import NotTaken
from notifyd.channels.base import Receipt
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.delivery.alarms import (
    DEGRADED,
    DISABLED,
    RECOVERED,
    WORTH_TELLING,
    channel_event,
)
from notifyd.delivery.desk import Desk
from notifyd.delivery.gate import Gate
from notifyd.delivery.verdict import Failure

_GATE = "gate/"


class Condition:
    """Keeps the gate of one channel, over a restart too."""

    def __init__(self, name: str, gate: Gate, desk: Desk) -> None:
        self.gate = gate
        self.last_error: str | None = None
        self._name = name
        self._desk = desk
        self._clock = desk.clock
        self._is_back = False
        self._since: float | None = None
        """When the trouble began that somebody was told of (Unix seconds)."""
        self._log = structlog.get_logger("delivery").bind(channel=name)

    async def restore(self) -> None:
        """Go on with the gate as the daemon before has left it. Raises OutboxError."""
        text = await self._desk.outbox.note(_GATE + self._name)
        try:
            if text:
                self.gate.load(text, self._clock.monotonic(), self._clock.now())
        except ValueError:
            self._log.warning("gate_forgotten", action="start_anew")
        self.gate.is_new = False
        self._since = self._trouble_since() if self.gate.told else None

    def notes(self) -> dict[str, str]:
        """Return what is stored of it with every commit."""
        text = self.gate.dump(self._clock.monotonic(), self._clock.now())
        return {_GATE + self._name: text}

    def learn(self, end: Receipt | Failure, target: str) -> None:
        """Take in how a try has ended."""
        now = self._clock.monotonic()
        self._log_change(end)
        self.last_error = None if isinstance(end, Receipt) else end.reason
        match end:
            case TemporaryFailure(retry_after=None):
                if self.gate.failed(now):
                    seconds = round(self.gate.breaker.wait(now))
                    self._log.warning("breaker_open", seconds=seconds, error=end.reason)
            case TemporaryFailure(retry_after=float() | int() as pause):
                self.gate.pause(now + pause, target if end.only_target else None)
            case PermanentFailure(fault=Fault.CHANNEL):
                self.gate.refuse(end.reason)
                self._log.error("channel_disabled", action="mend_and_reload", error=end.reason)
            case PermanentFailure(status=None):
                self.gate.proved_nothing()  # nobody has answered
            case _:  # it was taken, or there was somebody to refuse it: the receiver works
                self._is_back = self.gate.succeeded(now) or self._is_back

    async def attend(self) -> None:
        """Draw the consequences: after an outage nothing waits for its next try any more.

        Trouble that lasts, and its end, are told through another channel, each once. Raises
        OutboxError.
        """
        if self.gate.is_new:
            await self.restore()
        if self._is_back:
            await self._desk.outbox.hasten(self._name, self._clock.now())
            self._is_back = False
        type = self._news()
        if type is None:
            return
        since = self._trouble_since()
        event = channel_event(type, self._name, self._clock.now(), since, self._reason())
        try:
            await self._desk.tell([event])
        except NotTaken as error:
            self._log.error("not_told", what=type, error=str(error))  # again at the next look
            return
        self.gate.told = None if type == RECOVERED else type
        self._since = since

    def _news(self) -> str | None:
        gate = self.gate
        if gate.refusal is not None:
            return None if gate.told == DISABLED else DISABLED
        if not gate.is_open:
            # After a refusal only a success shows that it was mended.
            return RECOVERED if gate.told and (gate.trusted or gate.told == DEGRADED) else None
        if gate.told or gate.trusted:
            return None
        lasted = self._clock.now() - self._trouble_since()
        return DEGRADED if lasted >= WORTH_TELLING else None

    def _trouble_since(self) -> float:
        now, since = self._clock.now(), self.gate.breaker.since
        if since is not None:
            return now - (self._clock.monotonic() - since)
        return self._since if self.gate.told and self._since is not None else now

    def _reason(self) -> str | None:
        return self.gate.refusal or self.last_error

    def _log_change(self, end: Receipt | Failure) -> None:
        """A trouble is a log line when it comes or changes, not at each try."""
        if isinstance(end, Receipt):
            if self.last_error is not None:
                self._log.info("works_again")
        elif isinstance(end, TemporaryFailure) and end.reason != self.last_error:
            self._log.warning("will_retry", error=end.reason)
