"""The ledger writes outcomes down: many in one commit, each once, none lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from notifyd.clock import Clock, SystemClock
from notifyd.delivery.ledger import MOST, Ledger
from notifyd.delivery.verdict import put_back
from notifyd.outbox.errors import OutboxError
from notifyd.outbox.records import Outcome
from tests.delivery.parts import a_claim
from tests.fakes import FakeClock


@dataclass(slots=True)
class FakeBooks:
    """Keeps each commit; is slow or full as it is told."""

    commits: list[list[str]] = field(default_factory=list)
    notes: list[Mapping[str, str] | None] = field(default_factory=list)
    full: bool = False
    free: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.free.set()

    async def settle(
        self, outcomes: Sequence[Outcome], notes: Mapping[str, str] | None = None
    ) -> int:
        ids = [one.claim.delivery.id for one in outcomes]
        self.begun.set()
        await self.free.wait()
        if self.full:
            raise OutboxError("the disk is full")
        self.commits.append(ids)
        self.notes.append(notes)
        return len(ids)

    @property
    def written(self) -> list[str]:
        return [id for commit in self.commits for id in commit]


def an_outcome(number: int) -> Outcome:
    return put_back(a_claim(id=f"d{number}"), 0.0)


def a_ledger(books: FakeBooks, clock: Clock | None = None) -> Ledger:
    return Ledger(books, clock or FakeClock(), lambda: {"gate/team": "open"})


async def test_an_outcome_is_written_when_it_is_put() -> None:
    """With nobody else on the way there is nobody to wait for; the gate is written with it."""
    books, clock = FakeBooks(), FakeClock()
    await a_ledger(books, clock).put(an_outcome(1), busy=False)

    assert books.commits == [["d1"]]
    assert books.notes == [{"gate/team": "open"}]
    assert clock.now() == 1_000_000


async def test_those_who_come_together_share_a_commit() -> None:
    """A disk that syncs slowly is asked once."""
    books = FakeBooks()
    ledger = a_ledger(books, SystemClock())
    await asyncio.gather(*(ledger.put(an_outcome(n), busy=True) for n in range(50)))

    assert books.commits == [[f"d{n}" for n in range(50)]]


async def test_a_full_page_is_written_at_once() -> None:
    """Nobody gathers any longer, and no commit is larger."""
    books, clock = FakeBooks(), SystemClock()
    ledger = a_ledger(books, clock)
    await asyncio.gather(*(ledger.put(an_outcome(n), busy=True) for n in range(MOST * 2)))
    await ledger.flush()

    assert max(map(len, books.commits)) == MOST
    assert sorted(books.written) == sorted(f"d{n}" for n in range(MOST * 2))


async def test_what_comes_during_a_write_is_written_too() -> None:
    """Without that anybody has to come after it: there may be nobody for hours."""
    books = FakeBooks()
    ledger = a_ledger(books)
    books.free.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(ledger.put(an_outcome(1), busy=False))
        await books.begun.wait()
        group.create_task(ledger.put(an_outcome(2), busy=True))
        await asyncio.sleep(0)
        books.free.set()

    assert books.written == ["d1", "d2"]


async def test_kept_is_written_with_the_next() -> None:
    """Or by a flush; and then it is not written again."""
    books = FakeBooks()
    ledger = a_ledger(books)
    ledger.keep(an_outcome(1))
    assert books.commits == []
    await ledger.flush()
    await ledger.flush()

    assert books.commits == [["d1"]]


async def test_nothing_is_lost_when_it_cannot_be_written() -> None:
    """It stays, in order, until it can."""
    books = FakeBooks(full=True)
    ledger = a_ledger(books)
    for number in (1, 2):
        with pytest.raises(OutboxError):
            await ledger.put(an_outcome(number), busy=False)
    with pytest.raises(OutboxError):
        await ledger.flush()
    assert ledger.is_stuck
    books.full = False
    await ledger.flush()

    assert books.commits == [["d1", "d2"]]
    assert not ledger.is_stuck


async def test_a_write_that_is_under_way_has_not_failed() -> None:
    """Nobody has to wait for it before the next message goes."""
    books = FakeBooks()
    ledger = a_ledger(books)
    books.free.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(ledger.put(an_outcome(1), busy=False))
        await books.begun.wait()
        stuck = ledger.is_stuck
        books.free.set()

    assert not stuck


async def test_a_cancellation_in_the_middle_loses_nothing() -> None:
    """Whether the write has happened is not known: it is written again, which changes nothing."""
    books = FakeBooks()
    ledger = a_ledger(books)
    books.free.clear()
    task = asyncio.get_running_loop().create_task(ledger.put(an_outcome(1), busy=False))
    await books.begun.wait()
    task.cancel()
    await asyncio.wait([task])
    books.free.set()
    await ledger.flush()

    assert task.cancelled()
    assert books.written == ["d1"]


async def test_a_cancellation_while_gathering_loses_nothing() -> None:
    """Neither one's own outcome nor those that others have left there."""
    books = FakeBooks()
    ledger = a_ledger(books, SystemClock())
    task = asyncio.get_running_loop().create_task(ledger.put(an_outcome(1), busy=True))
    await asyncio.sleep(0)
    await ledger.put(an_outcome(2), busy=True)
    task.cancel()
    await asyncio.wait([task])
    assert books.commits == []
    await ledger.flush()

    assert books.commits == [["d1", "d2"]]
