"""What a receiver sees of the daemon, checked while it happens."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

from notifyd.delivery.worker import Worker
from notifyd.model import Delivery, DeliveryState
from notifyd.outbox.records import Outcome
from notifyd.outbox.rows import lane_of
from notifyd.rendering.digest import TYPE
from tests.simulation.trace import Trace

MOST_IN_HAND = 100
MOST_IN_LEDGER = 200


@dataclass(slots=True, eq=False)
class Visit:
    """One request on its way."""

    delivery: Delivery
    sender: object
    """Who has sent it: as long as it lives, it remembers."""
    edits: bool = False
    is_probe: bool = False
    answered: bool = False


@dataclass(slots=True)
class Pause:
    """What the receiver has asked for with Retry-After."""

    until: float
    asked_of: str
    """The delivery that was answered so."""
    offset: float
    """How the wall clock was set then."""
    is_stored: bool = False
    overtaken: int = 0
    """How many were on their way already: an edit that is followed by its message."""


@dataclass(slots=True)
class Witness:
    """Stands at the door of one receiver, daemon after daemon."""

    name: str
    trace: Trace
    taken: dict[str, list[Visit]] = field(default_factory=dict)
    """By their ids, which are in the order in which they came first."""
    open: list[Visit] = field(default_factory=list)
    pauses: dict[str | None, Pause] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)

    def begins(self, visit: Visit, worker: Worker | None) -> None:
        """A request arrives: not too early, not too many, not beside one of its own lane."""
        delivery = visit.delivery
        kind = "edit" if visit.edits else "send"
        self.trace.note(f"{self.name} < {kind} {delivery.id[:8]} {delivery.event.type}")
        self._check_pauses(delivery, worker)
        if any(lane_of(one.delivery) == lane_of(delivery) for one in self.open):
            self._breaks("I6: two of one lane at a time")
        if worker is not None:
            self._check_worker(visit, worker)
        self.open.append(visit)

    def takes(self, visit: Visit) -> None:
        """The receiver keeps the message, whether or not its answer arrives."""
        self.trace.note(f"{self.name} takes {visit.delivery.id[:8]}")
        alike = self.taken.setdefault(visit.delivery.id, [])
        if alike:
            self._check_again(alike[-1], visit)
        alike.append(visit)

    def ends(self, visit: Visit) -> None:
        """The request is over."""
        self.open.remove(visit)
        self.trace.note(f"{self.name} > {visit.delivery.id[:8]} answered={visit.answered}")

    def asks_for_a_pause(self, of: str, seconds: float, target: str | None) -> None:
        """From the answer on nothing may come until then."""
        clock = self.trace.clock
        self.pauses[target] = Pause(clock.monotonic() + seconds, of, clock.offset)

    def notes(self, outcomes: Sequence[Outcome], with_gate: bool) -> None:
        """The store has these outcomes, and maybe how the gate is."""
        delivered = (one for one in outcomes if one.state is DeliveryState.DELIVERED)
        self.settled.update(one.claim.delivery.id for one in delivered)
        for pause in self.pauses.values():
            pause.is_stored = pause.is_stored or with_gate

    def restarts(self) -> None:
        """A new daemon knows what was stored, by the wall clock."""
        offset = self.trace.clock.offset
        for target, pause in tuple(self.pauses.items()):
            if not pause.is_stored or pause.offset != offset:
                del self.pauses[target]

    def _check_pauses(self, delivery: Delivery, worker: Worker | None) -> None:
        lanes = worker.settings.concurrency if worker else 1
        for asked_by in (None, delivery.target):
            pause = self.pauses.get(asked_by)
            if pause is None or self.trace.clock.monotonic() >= pause.until - 1e-3:
                continue
            pause.overtaken += 1
            if pause.asked_of == delivery.id or pause.overtaken >= lanes:
                self._breaks("I5: before the end of a Retry-After")

    def _check_worker(self, visit: Visit, worker: Worker) -> None:
        if len(self.open) >= worker.settings.concurrency:
            self._breaks("I6: more at a time than the concurrency")
        visit.is_probe = worker.gate.breaker.since is not None
        if visit.is_probe and any(one.is_probe for one in self.open):
            self._breaks("I6: two probes at a time")
        if len(worker._hand) > MOST_IN_HAND or len(worker._ledger._outcomes) > MOST_IN_LEDGER:
            self._breaks("I7: more in memory than is bounded")

    def _check_again(self, before: Visit, visit: Visit) -> None:
        if _content(before.delivery) != _content(visit.delivery):
            self._breaks("I3: one id with two contents")
        if before.edits or visit.edits:
            return  # an edit is no new message
        if visit.delivery.id in self.settled:
            self._breaks("I2: told again what is stored as told")
        elif before.answered and before.sender is visit.sender:
            self._breaks("I2: told again by one who knew that it was told")

    def _breaks(self, rule: str) -> None:
        self.trace.breaks(f"{rule}, {self.name}")


def _content(delivery: Delivery) -> object:
    """Return what people see of it, however often it is tried, and whoever is told instead.

    How many of a digest are listed one by one a reload may change; how many it tells, never.
    """
    if delivery.event.type == TYPE:
        return delivery.message.title, delivery.event.data
    return dataclasses.replace(delivery, attempts=0, plain=False, due=0.0, expires=0.0, fallback=())
