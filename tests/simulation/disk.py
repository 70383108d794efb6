"""The real store on a disk that fails, in a process that dies: before an operation, or after it."""

from __future__ import annotations

import asyncio
import enum
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from notifyd.outbox.archive import Archive
from notifyd.outbox.errors import OutboxError
from notifyd.outbox.records import Outcome
from notifyd.outbox.store import Outbox
from tests.simulation.loop import Stalled
from tests.simulation.trace import Trace

T = TypeVar("T")

IN_TEN_MINUTES = 10_000
"""So many operations may be asked of the store; whoever asks for more is in a busy loop."""


class Killed(BaseException):
    """The process is gone: nothing after this point has happened."""


class Mishap(enum.Enum):
    """What goes wrong with one operation of the store."""

    NONE = "none"
    FAILS = "fails"
    FAILS_LATE = "fails, but is committed"
    KILLED = "killed"
    KILLED_LATE = "killed when it is committed"


@dataclass(slots=True, kw_only=True)
class Disk:
    """Where the store lies, daemon after daemon."""

    path: Path
    trace: Trace
    mishap: Callable[[], Mishap] = lambda: Mishap.NONE
    latency: float = 0.0
    settled: Callable[[Sequence[Outcome], bool], None] = lambda outcomes, with_gate: None
    """Hears what is written down, and whether the state of the gate is with it."""
    deadly: tuple[float, Mishap] | None = None
    """In so many operations the daemon is killed."""

    _window: float = 0.0
    _number: int = 0

    def next_mishap(self) -> Mishap:
        """Return what goes wrong with the next operation."""
        self._count()
        if self.deadly is None:
            return self.mishap()
        left, mishap = self.deadly
        self.deadly = None if left < 1 else (left - 1, mishap)
        return mishap if left < 1 else self.mishap()

    def _count(self) -> None:
        """Notice who asks again and again: raises Stalled."""
        window = self.trace.clock.monotonic() // 600
        self._number = self._number + 1 if window == self._window else 0
        self._window = window
        if self._number > IN_TEN_MINUTES:
            raise Stalled("the store is asked in circles")


class SimulatedOutbox(Outbox):
    """The store as one daemon sees it."""

    def __init__(self, disk: Disk, die: Callable[[], None]) -> None:
        super().__init__(disk.path)
        self._disk = disk
        self._die = die
        self.is_dead = False

    def kill(self) -> None:
        """Let nothing more be written: the process is gone."""
        self.is_dead = True
        self._die()

    async def owes(self) -> bool:
        """Tell whether anything is owed: the world's own question, no operation of the daemon."""
        return bool(await super()._in_thread(lambda: Archive(self._statements()).backlog()))

    async def bury(self) -> None:
        """Let the file go, as the system does for a process that is gone."""
        await super()._in_thread(self._let_go)
        self._thread.shutdown()

    async def settle(
        self, outcomes: Sequence[Outcome], notes: Mapping[str, str] | None = None
    ) -> int:
        number = await super().settle(outcomes, notes)
        self._disk.settled(outcomes, bool(notes))
        return number

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self.is_dead:
            raise Killed
        mishap = self._disk.next_mishap()
        if mishap is not Mishap.NONE:
            self._disk.trace.note(f"store {mishap.value}")
        self._happens(mishap, fails=Mishap.FAILS, kills=Mishap.KILLED)
        result = await super()._in_thread(work)
        try:
            self._happens(mishap, fails=Mishap.FAILS_LATE, kills=Mishap.KILLED_LATE)
        except BaseException:
            _let_go(result)
            raise
        if self._disk.latency:
            await asyncio.sleep(self._disk.latency)
        return result

    def _happens(self, mishap: Mishap, *, fails: Mishap, kills: Mishap) -> None:
        if mishap is fails:
            raise OutboxError("disk I/O error")
        if mishap is kills:
            self.kill()
            raise Killed


def _let_go(result: object) -> None:
    """Close a connection that nobody gets: the system would."""
    if isinstance(result, tuple) and result and isinstance(result[0], sqlite3.Connection):
        result[0].close()
