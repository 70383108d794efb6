"""Says when to look again: at fixed intervals, or as often as it is worth it."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Sequence

from notifyd.clock import Clock
from notifyd.model import Job
from notifyd.slurm.pace import REST, Call, Pace, Tempo, by_phase, next_pause, outlook_of
from notifyd.slurm.settings import SlurmSettings
from notifyd.slurm.tracker.memory import Memory

_PATIENCE = 120.0
"""Seconds: the longest pause of a fixed rhythm while Slurm does not answer."""
_SQUEUE_ONLY = 3
"""Looks in the time that an ended job stays in the queue, where nothing else knows of its end."""


class Rhythm:
    """The pauses of one cluster's poller."""

    def __init__(self, settings: SlurmSettings, clock: Clock) -> None:
        self._fixed = None if settings.interval == "auto" else float(settings.interval)
        self._tempo = Tempo(
            calls_per_hour=settings.calls_per_hour,
            fastest=settings.fastest,
            slowest=max(settings.slowest, settings.fastest),
        )
        self._clock = clock
        self._pace = Pace.fresh(self._tempo, clock.monotonic())
        self._last_change = clock.now()
        self._running: Sequence[Job] = ()
        self._waiting: Sequence[Job] = ()
        self._must_see_within = math.inf

    def called(self) -> None:
        """One call more was made, outside of the rhythm."""
        self._pace = dataclasses.replace(self._pace, calls=self._pace.calls - 1)

    def alone(self, seconds: float | None) -> None:
        """Nobody can be asked about an end that is not seen in the queue within these seconds."""
        self._must_see_within = math.inf if seconds is None else seconds / _SQUEUE_ONLY

    def watch(self, memory: Memory, changed: bool, news: bool) -> None:
        """Take note of what is in the queue, and whether anything has happened."""
        if news:
            self._last_change = self._clock.now()
        if changed:
            there = (run.job for key, run in memory.runs.items() if key not in memory.missing)
            self._running, self._waiting = by_phase(there)

    def pause(self, call_seconds: float, failures: int) -> float:
        """Return the seconds from the end of a call to the next."""
        if self._fixed is not None:
            return self._fixed_pause(self._fixed, call_seconds, failures)
        call = Call(now=self._clock.monotonic(), seconds=call_seconds, failures=failures)
        now = self._clock.now()
        outlook = outlook_of(self._running, self._waiting, now, self._last_change)
        self._pace, pause = next_pause(self._pace, outlook, self._tempo, call)
        if failures:
            return pause
        alone = max(self._must_see_within, self._tempo.fastest)
        return max(min(pause, alone), REST * call_seconds)

    def _fixed_pause(self, interval: float, call_seconds: float, failures: int) -> float:
        pause = interval
        if failures:
            pause = max(interval, min(interval * 2.0 ** min(failures - 1, 10), _PATIENCE))
        # Daemons that start together must not ask together for ever.
        rest = 0.0 if failures else REST * call_seconds
        return max(pause * (1 + random.random() / 10), rest)
