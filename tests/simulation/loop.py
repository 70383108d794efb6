"""An event loop in virtual time: when nothing is ready, its clock jumps to the next timer.

Everything runs in one thread and in one order, so that a run can be replayed exactly.
"""

from __future__ import annotations

import asyncio
import itertools
import selectors
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple, Unpack

from notifyd.clock import SystemClock

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

START = 1_000_000.0
"""What the wall clock shows at first (Unix seconds)."""


LOOKING = 1e-6
"""Seconds that a look at the clock takes."""
EARLY = 0.9e-3
"""Seconds by which a timer comes too early, as uvloop's do: it counts in milliseconds."""
AT_ONCE = 30_000
"""So many rounds of the loop may take no time at all."""


class Stalled(Exception):
    """Everything waits, and nothing can ever wake it; or it runs in circles, and time stands."""


class JumpingSelector(selectors.SelectSelector):
    """Has no news of any file; where others would sleep it moves the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._rounds = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._rounds = 0 if timeout else self._rounds + 1
        if timeout is None or self._rounds > AT_ONCE:
            raise Stalled
        self.now += max(timeout - EARLY, 0.0)
        return []


class CountedTask(asyncio.Task[T]):
    """A task whose place in a set depends on its number, not on its address."""

    _numbers = itertools.count()

    def __init__(self, work: Coroutine[Any, Any, T], **options: Any) -> None:
        self._number = next(CountedTask._numbers)
        super().__init__(work, **options)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class VirtualLoop(asyncio.SelectorEventLoop):
    """Lives in virtual seconds, which begin at 0; what others do in a thread is done at once."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = 1e-3
        CountedTask._numbers = itertools.count()
        self.set_task_factory(_counted)

    def time(self) -> float:
        return self._jumping.now

    def look(self) -> float:
        """Return the time, which it takes some to look at."""
        self._jumping.now += LOOKING
        return self._jumping.now

    def run_in_executor(
        self,
        executor: Executor | None,
        func: Callable[[Unpack[Ts]], T],
        *args: *Ts,
    ) -> asyncio.Future[T]:
        done: asyncio.Future[T] = self.create_future()
        try:
            self.call_soon(_settle, done, func(*args), None)
        except Exception as error:
            self.call_soon(_settle, done, None, error)
        return done


class VirtualClock(SystemClock):
    """The clock of a machine in virtual time; its wall clock can be set.

    It moves on between two looks at it, as a real one does.
    """

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.offset = START

    def now(self) -> float:
        return self.monotonic() + self.offset

    def monotonic(self) -> float:
        return self._loop.look()


def run_virtual(work: Callable[[VirtualClock], Coroutine[Any, Any, T]]) -> T:
    """Run to the end in a new loop. Raises Stalled when nothing can happen any more."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(work(VirtualClock(loop)))


def _settle(done: asyncio.Future[Any], result: object, error: Exception | None) -> None:
    if done.done():
        return  # whoever waited for it has been cancelled
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)


def _counted(
    loop: asyncio.AbstractEventLoop,
    work: Coroutine[Any, Any, T] | Generator[Any, None, T],
    **options: Any,
) -> CountedTask[T]:
    return CountedTask(work, loop=loop, **options)  # type: ignore[arg-type]
