"""A service at the other end of the network, and all that can become of a request to it."""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from notifyd.channels.base import Channel, Receipt
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.delivery.worker import Worker
from notifyd.model import Delivery
from tests.simulation.disk import Killed
from tests.simulation.visits import Visit, Witness

_FOR_EVER = 1e9


class Fate(enum.Enum):
    """What becomes of one request."""

    TAKEN = "taken"
    FAILS = "500"
    BUSY = "429, Retry-After"
    BUSY_TARGET = "429, Retry-After for this address"
    REFUSED = "connection refused"
    RESET = "reset before it was taken"
    RESET_LATE = "reset when it was taken"
    HANGS = "no answer"
    HANGS_LATE = "taken, and no answer"
    BAD_MESSAGE = "bad message"
    BAD_FORM = "bad form"
    CLOSED = "closed to us"
    BUG = "a bug in the channel"
    CANCELLED = "cancelled by a library"
    KILLED = "killed before it was taken"
    KILLED_LATE = "killed when it was taken"


TAKING = frozenset({Fate.TAKEN, Fate.RESET_LATE, Fate.HANGS_LATE, Fate.KILLED_LATE})


@dataclass(frozen=True, slots=True)
class Door:
    """How one daemon gets to its receivers."""

    worker: Callable[[str], Worker | None]
    is_open: Callable[[], bool]
    """Whether the daemon lives."""
    kill: Callable[[], None]


@dataclass(slots=True)
class Receiver:
    """One service, daemon after daemon."""

    witness: Witness
    fate: Callable[[Delivery], Fate] = lambda delivery: Fate.TAKEN
    travel: Callable[[], float] = lambda: 0.0
    """Seconds that the way there takes, and the way back."""
    pause: Callable[[], float] = lambda: 60.0
    """Seconds that it asks for with Retry-After."""
    editable: bool = False

    def mend(self) -> None:
        """Let everything be well from now on."""
        self.fate = lambda delivery: Fate.TAKEN

    def channel(self, door: Door) -> Channel:
        """Return a new channel that leads here."""
        return Editing(self, door) if self.editable else Sending(self, door)


class Sending:
    """A channel to a receiver."""

    def __init__(self, receiver: Receiver, door: Door) -> None:
        self._receiver = receiver
        self._door = door

    async def send(self, delivery: Delivery) -> Receipt:
        return await self._visit(Visit(delivery, self))

    async def _visit(self, visit: Visit) -> Receipt:
        if not self._door.is_open():
            raise Killed
        fate = self._receiver.fate(visit.delivery)
        with self._under_way(visit):
            await self._there(visit, fate)
            if fate in TAKING:
                self._receiver.witness.takes(visit)
            return await self._answer(visit, fate)

    @contextlib.contextmanager
    def _under_way(self, visit: Visit) -> Iterator[None]:
        witness = self._receiver.witness
        witness.begins(visit, self._door.worker(witness.name))
        try:
            yield
        finally:
            witness.ends(visit)

    async def _there(self, visit: Visit, fate: Fate) -> None:
        try:
            await asyncio.sleep(self._receiver.travel())
        except asyncio.CancelledError:
            if fate is Fate.RESET_LATE:  # it was on the wire already
                self._receiver.witness.takes(visit)
            raise

    async def _answer(self, visit: Visit, fate: Fate) -> Receipt:
        if fate in (Fate.HANGS, Fate.HANGS_LATE):
            await asyncio.sleep(_FOR_EVER)
        if fate in (Fate.KILLED, Fate.KILLED_LATE):
            self._door.kill()
            raise Killed
        await asyncio.sleep(self._receiver.travel())
        if fate is not Fate.TAKEN:
            raise self._failure(visit.delivery, fate)
        visit.answered = True
        return Receipt(ref=f"ref-{visit.delivery.id[:8]}", status=200)

    def _failure(self, delivery: Delivery, fate: Fate) -> BaseException:
        match fate:
            case Fate.BUSY | Fate.BUSY_TARGET:
                return self._busy(delivery, only_target=fate is Fate.BUSY_TARGET)
            case Fate.BAD_MESSAGE:
                return PermanentFailure(fate.value)
            case Fate.BAD_FORM:
                return PermanentFailure(fate.value, fault=Fault.FORM)
            case Fate.CLOSED:
                return PermanentFailure(fate.value, fault=Fault.CHANNEL)
            case Fate.BUG:
                return ValueError(fate.value)
            case Fate.CANCELLED:
                return asyncio.CancelledError(fate.value)
            case _:
                return TemporaryFailure(fate.value)

    def _busy(self, delivery: Delivery, *, only_target: bool) -> TemporaryFailure:
        seconds = self._receiver.pause()
        target = delivery.target if only_target else None
        self._receiver.witness.asks_for_a_pause(delivery.id, seconds, target)
        return TemporaryFailure("429", seconds, status=429, only_target=only_target, busy=True)


class Editing(Sending):
    """A channel to a receiver that can change what it has taken."""

    async def edit(self, delivery: Delivery, ref: str) -> Receipt:
        return await self._visit(Visit(delivery, self, edits=True))
