"""How late does polling see what happened? `python -m tests.benchmarks.trace` prints a table.

A trace is drawn from a seed and is the same every time; time is simulated, nothing waits. The
numbers that describe people and clusters are assumptions, and were set before the pace was.
"""

from __future__ import annotations

import dataclasses
import heapq
import math
import random
import statistics
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from notifyd.model import Job
from notifyd.slurm.pace import Call, Pace, Tempo, next_pause, outlook_of

DAY = 86_400.0
CALL_SECONDS = 0.2
_MIDNIGHT = 1_800_057_600
"""Unix seconds at which a trace begins."""

KINDS = ((180, 1.0, 1800), (2700, 1.1, 4 * 3600), (18_000, 0.9, 24 * 3600))
"""What people run: the median and the spread (of the logarithm) of its run time, its limit."""
SHARES = (3, 5, 2)
Kind = tuple[int, float, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One job, as it truly went; what a look shows of it while it waits, and while it runs."""

    times: tuple[float, float, float]
    """When it was submitted, started and ended: seconds since the trace began."""
    waiting: Job
    running: Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Who is watched, for how long (seconds), and what happens."""

    name: str
    seconds: float = DAY
    lives: Sequence[Life]


def researcher(seed: int, days: int = 5) -> Trace:
    """Return working days of one person: bursts of submissions, failures, silence at night."""
    rng = random.Random(seed)
    lives = [life for day in range(days) for life in _day_of_work(rng, day, rng.randint(3, 8))]
    return Trace(name="one researcher", seconds=days * DAY, lives=lives)


def group(seed: int, people: int = 20) -> Trace:
    """Return the day of a group, of whom each does something now and then."""
    rng = random.Random(seed)
    lives = [life for _ in range(people) for life in _day_of_work(rng, 0, rng.randint(0, 4))]
    return Trace(name=f"a group of {people}", lives=lives)


def busy(seed: int) -> Trace:
    """Return somebody whose throttled arrays always wait, day and night."""
    rng, lives, at = random.Random(seed), list[Life](), 0.0
    while at < DAY:
        kind, count = rng.choices(KINDS, SHARES)[0], rng.randint(100, 300)
        lives += _array(rng, at, kind, count, slots=40)
        at += rng.expovariate(1 / 9000)
    return Trace(name="arrays day and night", lives=lives)


def _day_of_work(rng: random.Random, day: int, sessions: int) -> Iterator[Life]:
    for _ in range(sessions):
        at = day * DAY + rng.uniform(8.5, 18.5) * 3600
        kind = rng.choices(KINDS, SHARES)[0]
        for _ in range(rng.randint(1, 6)):
            yield from _submission(rng, at, kind)
            at += rng.expovariate(1 / 90)


def _submission(rng: random.Random, at: float, kind: Kind) -> Iterator[Life]:
    form = rng.random()
    if form < 0.7:
        yield from _array(rng, at, kind, 1, slots=1)
    elif form < 0.9:
        yield from _array(rng, at, kind, rng.randint(2, 40), slots=20)
    else:
        yield from _chain(rng, at, kind, rng.randint(2, 3))


def _array(rng: random.Random, at: float, kind: Kind, count: int, slots: int) -> Iterator[Life]:
    """Yield tasks of which `slots` run at a time; they take about as long as each other."""
    slots = min(slots, count)
    ends = [at + _queue_wait(rng)] * slots
    typical = rng.lognormvariate(math.log(kind[0]), kind[1])
    broken = rng.random() < 0.08
    for task in range(count):
        start = heapq.heappop(ends) + (0 if task < slots else rng.uniform(1, 30))
        end = start + _run_time(rng, typical, kind[2], broken)
        heapq.heappush(ends, end)
        reason = "Priority" if task < slots else "JobArrayTaskLimit"
        yield _life(rng, (at, start, end), kind[2], reason)


def _chain(rng: random.Random, at: float, kind: Kind, length: int) -> Iterator[Life]:
    """Yield jobs of which each waits for the one before it."""
    start, reason = at + _queue_wait(rng), "Priority"
    for _ in range(length):
        typical = rng.lognormvariate(math.log(kind[0]), kind[1])
        end = start + _run_time(rng, typical, kind[2], broken=False)
        yield _life(rng, (at, start, end), kind[2], reason)
        start, reason = end + _queue_wait(rng), "Dependency"


def _queue_wait(rng: random.Random) -> float:
    """Return seconds: nearly none where there is room, else up to hours, in steps of 30 s."""
    if rng.random() < 0.45:
        return rng.uniform(1, 4)
    return math.ceil(rng.lognormvariate(math.log(480), 1.4) / 30) * 30.0


def _run_time(rng: random.Random, typical: float, limit: int, broken: bool) -> float:
    if broken or rng.random() < 0.03:
        return 2 + rng.expovariate(1 / 40)
    # slurmctld looks at time limits now and then, not at the very second.
    return min(typical * rng.lognormvariate(0, 0.3), limit + rng.uniform(0, 45))


def _life(rng: random.Random, times: tuple[float, float, float], limit: int, reason: str) -> Life:
    """Return a job. Slurm has an estimate for some that wait; most start before it."""
    submit, start, _ = times
    guess = submit + (start - submit) * rng.lognormvariate(0.3, 0.6)
    known = reason == "Priority" and start - submit > 120 and rng.random() < 0.5
    job = Job(
        cluster="demo",
        job_id=str(rng.getrandbits(30)),
        submit_time=int(_MIDNIGHT + submit),
        state="PENDING",
        time_limit_seconds=limit,
    )
    began, estimate = int(_MIDNIGHT + start), int(_MIDNIGHT + guess) if known else None
    waiting = dataclasses.replace(job, reason=reason, estimated_start=estimate)
    job = dataclasses.replace(job, state="RUNNING", start_time=began, expected_end=began + limit)
    return Life(times=times, waiting=waiting, running=job)


@dataclass(slots=True)
class Watch:
    """One polling of a trace: when it looked, what it shows now, and how late it saw what."""

    calls: list[float] = field(default_factory=list)
    submissions: list[float] = field(default_factory=list)
    """Seconds by which these were seen late; their user knows of them anyway."""
    news: list[float] = field(default_factory=list)
    """The same for starts and ends, which people wait for."""
    running: dict[int, Job] = field(default_factory=dict)
    waiting: dict[int, Job] = field(default_factory=dict)
    last_change: float = -DAY

    def see(self, now: float, late: float, what: tuple[int, int], life: Life) -> None:
        """Take in the submission (0), the start (1) or the end (2) of a numbered job."""
        number, step = what
        self.last_change = now
        (self.news if step else self.submissions).append(late)
        self.waiting.pop(number, None)
        self.running.pop(number, None)
        if step == 0:
            self.waiting[number] = life.waiting
        elif step == 1:
            self.running[number] = life.running

    def mean(self) -> float:
        """Return the mean delay of starts and ends."""
        return statistics.fmean(self.news)

    def per_hour(self) -> float:
        """Return the calls an hour."""
        return len(self.calls) * 3600 / self.calls[-1]

    def busiest_hour(self) -> int:
        """Return the most calls that began in any hour."""
        calls = self.calls
        return max(bisect_right(calls, at + 3600 - 1e-6) - i for i, at in enumerate(calls))


Pause = Callable[[Watch, float], float]


def play(trace: Trace, pause: Pause) -> Watch:
    """Poll a trace to its end; after each look (it shows what was when it began), pause as told."""
    watch, now = Watch(), 0.0
    lives = enumerate(trace.lives)
    to_come = [(at, number, what) for number, life in lives for what, at in enumerate(life.times)]
    to_come.sort(reverse=True)
    while now < trace.seconds:
        watch.calls.append(now)
        while to_come and to_come[-1][0] <= now:
            at, number, what = to_come.pop()
            watch.see(now, now - at, (number, what), trace.lives[number])
        now += CALL_SECONDS
        now += pause(watch, now)
    return watch


def fixed(interval: float) -> Pause:
    """Poll at a fixed interval."""
    return lambda watch, now: interval - CALL_SECONDS


def adaptive(tempo: Tempo) -> Pause:
    """Poll as notifyd does by itself."""
    pace = Pace.fresh(tempo, 0.0)

    def pause(watch: Watch, now: float) -> float:
        nonlocal pace
        running, waiting = [*watch.running.values()], [*watch.waiting.values()]
        outlook = outlook_of(running, waiting, _MIDNIGHT + now, _MIDNIGHT + watch.last_change)
        pace, seconds = next_pause(pace, outlook, tempo, Call(now=now, seconds=CALL_SECONDS))
        return seconds

    return pause


def main() -> None:
    """Print what each way of polling costs and gives."""
    ways = {f"every {interval} s": fixed(interval) for interval in (10, 15, 30, 60, 120)}
    for trace in (researcher(7, days=10), group(7), busy(7)):
        budgets = {f"auto, {n}/h": adaptive(Tempo(calls_per_hour=n)) for n in (120, 240, 360)}
        _write(trace.name, "news: mean", "p95", "submitted: mean", "p95", "calls/h", "most")
        for name, pause in (ways | budgets).items():
            watch = play(trace, pause)
            late = [f"{x:.1f}" for x in (*_late(watch.news), *_late(watch.submissions))]
            _write(name, *late, f"{watch.per_hour():.0f}", watch.busiest_hour())


def _late(delays: Sequence[float]) -> tuple[float, float]:
    return statistics.fmean(delays), statistics.quantiles(delays, n=20)[-1]


def _write(name: str, *cells: object) -> None:
    sys.stdout.write(f"{name:<22}" + "".join(f"{cell!s:>17}" for cell in cells) + "\n")


if __name__ == "__main__":
    main()
