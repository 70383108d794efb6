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
from notifyd.model import Event

_GATE = "gate/"


class Condition:
    """Keeps the gate of one channel, over a restart too."""

    def __init__(self, name: str, gate: Gate, desk: Desk) -> None:
        self.gate = gate
        self.last_error: str | None = None
        self.refusals = 0
        """So many messages in a row were refused for what they are."""
        self._name = name
        self._desk = desk
        self._clock = desk.clock
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
        self.gate.is_back |= self.gate.told == DISABLED  # somebody may have mended it meanwhile

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
            case TemporaryFailure():
                self._learn_trouble(end, target, now)
            case PermanentFailure(fault=Fault.CHANNEL):
                self.gate.refuse(end.reason)
                self._log.error("channel_disabled", action="mend_and_reload", error=end.reason)
            case PermanentFailure(status=None):
                pass  # nobody has answered: it says nothing of the receiver
            case _:  # it was taken, or there was somebody to refuse it: the receiver works
                self.refusals = 0 if isinstance(end, Receipt) else self.refusals + 1
                self.gate.succeeded(now)
        self._date()

    def _learn_trouble(self, end: TemporaryFailure, target: str, now: float) -> None:
        gate = self.gate
        if not gate.is_open and gate.told is None:
            is_old = now - gate.bucket.paused_until > WORTH_TELLING
            gate.since = None if is_old else gate.since  # that was another trouble
        # Where it is about one address, the receiver works.
        if not (end.only_target or end.busy) and self.gate.failed(now):
            seconds = round(self.gate.breaker.wait(now))
            self._log.warning("breaker_open", seconds=seconds, error=end.reason)
        if end.retry_after is not None:
            self.gate.pause(now + end.retry_after, target if end.only_target else None)

    def _date(self) -> None:
        """Note when trouble begins; it is over when it works, and that was told."""
        gate = self.gate
        if gate.in_trouble(self._clock.monotonic()):
            gate.since = self._clock.now() if gate.since is None else gate.since
        elif gate.told is None and not gate.held:
            gate.since = None

    async def attend(self) -> None:
        """Draw the consequences: after an outage nothing waits for its next try any more.

        Trouble that lasts, and its end, are told through another channel, each once. Raises
        OutboxError.
        """
        if self.gate.is_new:
            await self.restore()
        if self.gate.is_back:
            await self._desk.outbox.hasten(self._name, self._clock.now())
            self.gate.is_back = False
        type = self._news()
        if type is None:
            return
        try:
            await self._desk.tell([self._event(type)])
        except NotTaken as error:
            self._log.error("not_told", what=type, error=str(error))  # again at the next look
            return
        self.gate.told = type
        if type == RECOVERED:
            self.gate.told = self.gate.since = None
        for name, value in self.notes().items():  # else a restart would tell it again
            await self._desk.outbox.write_note(name, value)

    def _event(self, type: str) -> Event:
        now = self._clock.now()
        since = now if self.gate.since is None else self.gate.since
        return channel_event(type, self._name, now, since, self.gate.refusal or self.last_error)

    def _news(self) -> str | None:
        gate = self.gate
        if gate.refusal is not None:
            return None if gate.told == DISABLED else DISABLED
        if not (gate.is_open or gate.held):
            # After a refusal only a success shows that it was mended.
            return RECOVERED if gate.told and (gate.trusted or gate.told == DEGRADED) else None
        is_known = self.last_error is not None and gate.in_trouble(self._clock.monotonic())
        if gate.told or gate.since is None or not is_known or (gate.is_open and gate.trusted):
            return None
        return DEGRADED if self._clock.now() - gate.since >= WORTH_TELLING else None

    def _log_change(self, end: Receipt | Failure) -> None:
        """A trouble is a log line when it comes or changes, not at each try."""
        if isinstance(end, Receipt):
            if self.last_error is not None:
                self._log.info("works_again")
        elif isinstance(end, TemporaryFailure) and end.reason != self.last_error:
            self._log.warning("will_retry", error=end.reason)
