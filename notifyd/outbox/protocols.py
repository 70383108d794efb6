"""The store as those see it who use it, each no more of it than it needs.

Every call raises OutboxError when the store cannot be read or written; then nothing of the call
has happened, or of what can be many rows (dead letters, upkeep) only the first of them. A name is
any text; times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from notifyd.model import DeliveryState
from notifyd.outbox.records import Backlog, By, Claim, Folded, Lease, Outcome, Owed, Record


class Inlet(Protocol):
    """What the intake needs."""

    async def add(self, owed: Sequence[Owed]) -> int:
        """Store what is owed, all or nothing; return how much of it was new."""


class Source(Protocol):
    """Where a worker gets its work."""

    async def claim(self, channel: str, lease: Lease, limit: int) -> list[Claim]:
        """Take what may be tried now in hand: one of each lane, in the order of their turns."""

    async def expired(self, channel: str, lease: Lease, limit: int) -> list[Claim]:
        """Take in hand what has been tried to the end of its life, each lane's in order."""

    async def take_back(self, channel: str, owner: str, known: Sequence[str]) -> None:
        """Owe again what the owner has in hand, but for what it knows of (ids)."""

    async def next_due(
        self, channel: str, owner: str = "", resting: Sequence[str] = ()
    ) -> float | None:
        """Return when there may be something for the owner to claim; None when there is nothing.

        What others have in hand counts when their lease is over; what the owner has does not.
        """


class Folds(Protocol):
    """Where a worker finds what it can tell in one message."""

    async def fold(self, leader: Claim, by: By, lease: Lease, limit: int) -> Folded:
        """Take in hand what can be told in the leader's message too; list the first of it."""


class Books(Protocol):
    """Where outcomes are written down."""

    async def settle(
        self, outcomes: Sequence[Outcome], notes: Mapping[str, str] | None = None
    ) -> int:
        """Write down what became of claims, and notes; return how many were still theirs."""


class Waiting(Protocol):
    """What the end of an outage needs."""

    async def hasten(self, channel: str, now: float) -> None:
        """Let everything that waits for its next try be tried now."""


class Cards(Protocol):
    """Where messages are found that are kept up to date."""

    async def card(self, channel: str, lane: str) -> str | None:
        """Return the service's own id of the message that this story is kept in."""


class Notes(Protocol):
    """What mutes and gates need to last over a restart."""

    async def note(self, name: str) -> str | None:
        """Return what was written under a name."""

    async def write_note(self, name: str, value: str) -> None:
        """Remember a text over a restart."""


class Watched(Protocol):
    """What the pollers need: texts by their names, for each watch."""

    async def load_watch(self, watch: str) -> dict[str, str]:
        """Return what is known of a watch."""

    async def save_watch(self, watch: str, changes: Mapping[str, str | None]) -> None:
        """Store what has changed of a watch, all of it or nothing; None forgets a text."""


class History(Protocol):
    """What somebody needs who asks what became of it."""

    async def backlog(self) -> Mapping[str, Backlog]:
        """Return what each channel still owes."""

    async def history(
        self, limit: int, channel: str | None = None, state: DeliveryState | None = None
    ) -> list[Record]:
        """Return the last deliveries with their attempts, newest first."""

    async def record(self, id: str) -> Record | None:
        """Return the delivery with that id, or with the only one that begins so."""


class DeadLetters(Protocol):
    """What was given up, and may be sent again."""

    async def dead_counts(self) -> Mapping[str, int]:
        """Return how many dead letters each channel has."""

    async def revive(self, id: str | None, channel: str | None, now: float, expires: float) -> int:
        """Owe dead letters again, one or all (of a channel); return how many."""

    async def forget_dead(self, id: str | None, channel: str | None) -> int:
        """Forget dead letters, one or all (of a channel); return how many."""


class Upkeep(Protocol):
    """What the housekeeper needs."""

    async def purge(self, ended: float, died: float) -> int:
        """Forget what ended before the one time, and died before the other.

        Returns how many dead letters were among it.
        """

    async def suppress_strangers(self, strangers: Iterable[str], before: float, now: float) -> None:
        """End what these channels, which nobody has configured, are owed since before that time."""


class WorkerStore(Source, Folds, Books, Waiting, Cards, Notes, Protocol):
    """What is on the desk that all workers share."""


class Store(Inlet, WorkerStore, Watched, History, DeadLetters, Upkeep, Protocol):
    """All of it: what another store has to be able to do."""

    @property
    def trouble(self) -> str | None:
        """Why it failed: until a call succeeds; if it could not be written, until one has."""

    async def close(self) -> None:
        """Let go of it. Everything that was begun is stored, awaited or not."""
