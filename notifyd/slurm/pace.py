"""Decides how long to wait until the next look at the queue. Pure.

What has gone on for long will go on for long: a job that has run for a minute is more likely to
end in the next minute than one that has run for a day. So each job has a chance to change that
falls with its age, and rises where Slurm itself names a time. With a chance of `h` a second, a
pause of T seconds makes people wait `h * T / 2`, and costs `1 / T` calls, each second; the sum is
least at `T = sqrt(2 * price / h)`. That is what is wished for. What may be is in a bucket of calls.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from notifyd.model import Job
from notifyd.slurm.states import Phase, phase

SAMPLE = 200
"""Jobs of each kind that are looked at: with more than these, something is always about to be."""
PRICE = 1.0
"""Seconds: a call is worth making when it makes one change be seen this much earlier."""
REST = 10
"""A pause is this many times as long as the call before it: a busy slurmctld makes a client sleep
and try again, and the client does not say so (slurm.conf, SlurmctldParameters, rl_enable)."""

_ASLEEP = frozenset({"JobHeldUser", "JobHeldAdmin", "Dependency", "BeginTime", "JobArrayTaskLimit"})
"""Reasons that last until a time that Slurm names, a person, or another job's end clears them."""
_PEAK_SECONDS = 45.0
_PEAK = 0.9 / _PEAK_SECONDS
"""A named time is mostly kept, but not to the second: slurmctld looks at limits now and then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tempo:
    """How often Slurm may be asked. Never more than `calls_per_hour` in any hour."""

    calls_per_hour: int = 120
    fastest: float = 10.0
    """Seconds: the shortest pause."""
    slowest: float = 120.0
    """Seconds: the longest, as long as Slurm answers swiftly."""

    @property
    def burst(self) -> float:
        """Return how many calls may be saved up: those of five minutes."""
        return max(self.calls_per_hour / 12, 1.0)

    @property
    def refill(self) -> float:
        """Return the seconds that earn a call; with a full bucket an hour then has them all."""
        return 3600.0 / max(self.calls_per_hour - self.burst, 1.0)

    @property
    def longest(self) -> float:
        """Return the longest pause: a small budget may need more than `slowest`."""
        return max(self.slowest, self.fastest, self.refill)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is to be expected."""

    chance: float = 0.0
    """Changes a second."""
    next_in: float | None = None
    """Seconds until the next time that Slurm names: an estimated start, a time limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The call that has just ended."""

    now: float
    """When it ended: seconds of a clock that never goes back."""
    seconds: float = 0.0
    """How long it took."""
    failures: int = 0
    """How many calls in a row, this one included, gave no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The bucket: how many calls there were at a time of a clock that never goes back."""

    calls: float
    updated: float

    @staticmethod
    def fresh(tempo: Tempo, now: float) -> Pace:
        """Return a bucket that nobody has used yet."""
        return Pace(calls=tempo.burst, updated=now)

    def after(self, call: Call, tempo: Tempo) -> Pace:
        """Return the bucket without the call."""
        began = max(call.now - call.seconds, self.updated)
        level = min(self.calls + (began - self.updated) / tempo.refill, tempo.burst)
        return Pace(calls=level - 1.0, updated=began)


def next_pause(pace: Pace, outlook: Outlook, tempo: Tempo, call: Call) -> tuple[Pace, float]:
    """Return the bucket after a call, and the seconds from its end to the next."""
    pace = pace.after(call, tempo)
    wish = min(max(_wish(outlook, tempo), tempo.fastest), tempo.longest)
    # The emptier the bucket, the nearer to what it earns: no feast is followed by a famine.
    saved = (max(pace.calls, 0.0) + 1.0) / tempo.burst  # before this call
    thrifty = wish + max(1.0 - saved, 0.0) * max(tempo.refill - wish, 0.0)
    earned = pace.updated + (1.0 - pace.calls) * tempo.refill - call.now
    pause = max(thrifty, earned, _rest(call), _patience(call.failures, tempo))
    return pace, pause


def _wish(outlook: Outlook, tempo: Tempo) -> float:
    likely = math.sqrt(2 * PRICE / outlook.chance) if outlook.chance > 0 else math.inf
    named = math.inf if outlook.next_in is None else outlook.next_in + tempo.fastest / 2
    return min(likely, named)


def _rest(call: Call) -> float:
    # What did not answer at all may be back at any moment: that is a matter of patience.
    return 0.0 if call.failures else REST * call.seconds


def _patience(failures: int, tempo: Tempo) -> float:
    """Return the least pause while Slurm does not answer: doubled each time."""
    if failures < 1:
        return 0.0
    return min(tempo.refill * 2.0 ** min(failures - 1, 16), tempo.longest)


def by_phase(jobs: Iterable[Job]) -> tuple[list[Job], list[Job]]:
    """Return those that run and those that wait; needed anew only when a job has changed."""
    by_state: defaultdict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        by_state[job.state].append(job)
    running: list[Job] = []
    waiting: list[Job] = []
    lists = {Phase.RUNNING: running, Phase.ENDING: running, Phase.WAITING: waiting}
    for state, found in by_state.items():
        lists.get(phase(state), []).extend(found)
    return running, waiting


def outlook_of(
    running: Sequence[Job], waiting: Sequence[Job], now: float, last_change: float
) -> Outlook:
    """Return what is to be expected of these jobs, of a sample where there are many.

    `now` and `last_change`, when a job was last seen to be submitted, start or end, are Unix
    seconds. An estimate of Slurm's that moves is no such change: it moves all the time.
    """
    # People submit, mend and submit again; what happens comes in bursts.
    chance = _falling(0.7, now - last_change, 100.0)
    named: list[float] = []
    for jobs in (running, waiting):
        step = max(math.ceil(len(jobs) / SAMPLE), 1)
        for job in jobs[::step]:
            at = _named_time(job)
            chance += step * (_chance(job, now) + _peak(at, now))
            if at is not None and at > now:
                named.append(at - now)
    return Outlook(chance=chance, next_in=min(named, default=None))


def _chance(job: Job, now: float) -> float:
    if phase(job.state) is not Phase.WAITING:
        return _falling(0.7, now - (job.start_time or job.submit_time), 60.0)
    return 0.0 if job.reason in _ASLEEP else _falling(0.5, now - job.submit_time, 30.0)


def _falling(weight: float, age: float, soon: float) -> float:
    """Return a chance a second that halves when the age doubles, but for the first seconds."""
    return weight / (max(age, 0.0) + soon)


def _named_time(job: Job) -> int | None:
    return job.estimated_start if phase(job.state) is Phase.WAITING else job.expected_end


def _peak(at: int | None, now: float) -> float:
    return _PEAK if at is not None and 0 <= now - at < _PEAK_SECONDS else 0.0
