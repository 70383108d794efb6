"""Who listens? Carries batches of events, in order, to named subscribers.

A lossless subscriber (the one that stores what is owed) slows the publisher down and is
waited for; any other loses its oldest batches when it does not keep up, and they are counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from notifyd.model import Event


class Subscription:
    """One listener's place on the bus: bounded and ordered."""

    def __init__(self, name: str, size: int, lossless: bool) -> None:
        self.name = name
        self.lossless = lossless
        self.dropped = 0
        self._waiting: deque[tuple[Sequence[Event], asyncio.Future[None]]] = deque()
        self._room = asyncio.Semaphore(size)
        self._size = size
        self._arrived = asyncio.Event()

    @asynccontextmanager
    async def take(self, most: int = 1) -> AsyncIterator[Sequence[Event]]:
        """Wait for the next batch, and take up to `most` that are there by then, as one.

        Leaving the block acknowledges them, an exception refuses them.
        """
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        batches = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        for _ in batches:
            self._room.release()
        pending = [done for _, done in batches]
        try:
            yield [event for events, _ in batches for event in events]
        except BaseException as error:
            for done in pending:
                if not done.done():
                    done.set_exception(NotTaken(f"{self.name} could not take it: {error}"))
            raise
        for done in pending:
            if not done.done():
                done.set_result(None)

    async def put(self, events: Sequence[Event]) -> asyncio.Future[None]:
        """Hand a batch over; the future tells when, and whether, it was taken."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self.lossless and len(self._waiting) >= self._size:
            self._waiting.popleft()
            self._room.release()
            self.dropped += 1
        await self._room.acquire()
        self._waiting.append((events, done))
        self._arrived.set()
        return done


class NotTaken(Exception):
    """A lossless subscriber failed on a batch: it is not stored, and must be published again."""


class Bus:
    """Hands each published batch to everybody who listens at that moment."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []

    @contextmanager
    def subscribe(self, name: str, *, lossless: bool, size: int = 100) -> Iterator[Subscription]:
        """Listen under a name until the block is left."""
        subscription = Subscription(name, size, lossless)
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)

    async def publish(self, events: Sequence[Event]) -> None:
        """Return when every lossless subscriber has taken the batch. Raises NotTaken."""
        if not events:
            return
        taken = [(one, await one.put(events)) for one in tuple(self._subscriptions)]
        for subscription, done in taken:
            if subscription.lossless:
                await done
