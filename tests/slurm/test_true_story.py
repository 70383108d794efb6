"""Whatever Slurm's tables do, the story that is told is the true one."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from notifyd.model import Event
from notifyd.slurm.poller import Poller
from notifyd.slurm.settings import SlurmSettings
from notifyd.slurm.states import END_EVENTS
from tests.fakes import FakeClock, no_details
from tests.slurm.simulation import START, Run, SimulatedSlurm, Slurm, requeued

ENDS = frozenset(END_EVENTS.values())
FINAL = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "PREEMPTED")


@st.composite
def lives(draw: st.DrawFn, job_id: str) -> list[Run]:
    """Draw the life of a job: one run, or several where it was put back."""
    submit = START + draw(st.integers(10, 4000))
    wait = draw(st.integers(0, 900))
    length = draw(st.integers(0, 3000))
    starts = draw(st.booleans()) or length > 2000
    run = Run(
        job_id=job_id,
        submit=submit,
        start=submit + wait if starts else None,
        end=submit + wait + length,
        outcome=draw(st.sampled_from(FINAL)) if starts else "CANCELLED",
        lag=draw(st.integers(0, 40)),
        completing=draw(st.sampled_from((0, 0, 5, 200))) if starts else 0,
        traceless=not starts and draw(st.booleans()),
    )
    if starts and draw(st.integers(0, 3)) == 0:
        return requeued(run, draw(st.integers(1, 3)), wait, length)
    return [run]


@dataclass(frozen=True)
class Moment:
    """What goes wrong at one poll."""

    pause: int
    fault: str


FAULTS = ("", "", "", "queue down", "empty", "hidden", "accounting down", "kill", "restart")
moments = st.builds(
    Moment, pause=st.sampled_from((1, 10, 30, 30, 30, 120, 900)), fault=st.sampled_from(FAULTS)
)


class Killed(BaseException):
    """The daemon is gone between what it owes and what it knows."""


@dataclass
class World:
    """A simulated Slurm, daemon after daemon, and what a receiver that honours ids was told."""

    slurm: SimulatedSlurm
    clock: FakeClock = field(default_factory=lambda: FakeClock(START))
    stored: dict[str, str] = field(default_factory=dict)
    told: dict[str, Event] = field(default_factory=dict)
    killed: bool = False

    def __post_init__(self) -> None:
        self.poller = self._new_daemon()

    def _new_daemon(self) -> Poller:
        chosen = SlurmSettings(digest_after=1000, users=("alice",), array_task_events="all")
        return Poller(
            Slurm(self.slurm), chosen, self, self._publish, self.clock, no_details(chosen)
        )

    async def _publish(self, events: Sequence[Event]) -> None:
        for event in events:
            self.told.setdefault(event.id, event)
        if self.killed:
            raise Killed

    async def load_watch(self, watch: str) -> Mapping[str, str]:
        return dict(self.stored)

    async def save_watch(self, watch: str, changes: Mapping[str, str | None]) -> None:
        for name, text in changes.items():
            if text is None:
                self.stored.pop(name, None)
            else:
                self.stored[name] = text

    async def pass_(self, moment: Moment) -> None:
        """Let time pass, and look once with something that goes wrong."""
        self.clock.time += moment.pause
        self.slurm.now = int(self.clock.time)
        fault = moment.fault
        self.slurm.queue_down = fault == "queue down"
        self.slurm.queue_empty = fault == "empty"
        self.slurm.accounting_down = fault == "accounting down"
        self.slurm.hidden = frozenset({"1", "3"}) if fault == "hidden" else frozenset()
        self.killed = fault == "kill"
        if fault == "restart":
            self.poller = self._new_daemon()
        try:
            await self.poller.restore()
            await self.poller.poll()
        except Killed:
            self.poller = self._new_daemon()

    def stories(self) -> dict[str, list[Event]]:
        """Return what was told of each job, in order."""
        stories = defaultdict(list)
        for event in self.told.values():
            stories[event.subject].append(event)
        return stories


async def watched(
    runs: Sequence[Run], age: int, accounting: bool, course: Sequence[Moment]
) -> World:
    """Live through the course, and then until all is long over."""
    world = World(SimulatedSlurm(runs=runs, min_job_age=age, accounting=accounting))
    calm = [Moment(30, "")] * 20 + [Moment(900, "")] * 20
    with capture_logs():
        for moment in [Moment(1, ""), *course, *calm]:
            await world.pass_(moment)
    return world


jobs = st.tuples(*(lives(str(number)) for number in range(1, 5)))


@given(jobs, st.sampled_from((2, 60, 300)), st.lists(moments, max_size=60))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_told_story_is_the_true_one(
    lives: tuple[list[Run], ...], age: int, course: list[Moment]
) -> None:
    """Every end is told once, none is invented, and the order is kept: with outages of either
    table, tables that lie, lags, restarts and kills between what is owed and what is known.
    """
    runs = [run for life in lives for run in life]
    world = asyncio.run(watched(runs, age, True, course))
    stories = world.stories()

    for life in lives:
        check_story(life, stories[life[0].job_id])


def check_story(life: Sequence[Run], told: Sequence[Event]) -> None:
    """Compare what was told of a job with what happened to it."""
    last = life[-1]
    kinds = [event.type for event in told]
    ends = [event for event in told if event.type in ENDS]
    if last.traceless and not told:
        return  # it came and went between two looks: nobody can know of it
    if last.traceless:
        assert ends == []
        assert kinds.count("job_outcome_unknown") <= 1
    else:
        assert [end.type for end in ends] == [END_EVENTS[last.outcome]], kinds
        assert ends[0].time == last.end
        assert ends[0].data["submit_time"] == last.submit
        assert kinds[-1] == ends[0].type, "nothing comes after the end"
    starts = times(told, "start_time", "job_started")
    assert starts == sorted(set(starts)), "no start is told twice or out of order"
    assert set(starts) <= {run.start for run in life}, "no start is invented"
    if last.start is not None:
        assert last.start in starts
    openings = times(told, "submit_time", "job_submitted", "job_requeued")
    assert openings == sorted(set(openings))
    assert kinds[0] in ("job_submitted", "job_requeued")


def times(told: Sequence[Event], name: str, *kinds: str) -> list[int]:
    """Return a time that events of these types hold."""
    return [int(str(event.data[name])) for event in told if event.type in kinds]


@given(jobs, st.lists(moments.filter(lambda one: one.pause <= 30), max_size=60))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_without_accounting_no_end_is_invented(
    lives: tuple[list[Run], ...], course: list[Moment]
) -> None:
    """What the queue does not show is said to be unknown, never guessed."""
    runs = [run for life in lives for run in life]
    stories = asyncio.run(watched(runs, 300, False, course)).stories()

    for life in lives:
        told = stories[life[0].job_id]
        ends = [event.type for event in told if event.type in ENDS]
        assert ends in ([], [END_EVENTS[life[-1].outcome]])
        assert len([event for event in told if event.type == "job_outcome_unknown"]) <= len(life)


@pytest.mark.parametrize("hours", [0.1, 3, 30])
def test_a_database_that_is_down_for_hours_is_waited_for(hours: float) -> None:
    """It is told that the job has ended and nothing more is known; the outcome is told later."""
    run = Run(job_id="1", submit=START + 60, start=START + 90, end=START + 200, outcome="FAILED")
    course = [Moment(30, "")] * 3 + [Moment(120, "accounting down")] * int(hours * 30)
    world = asyncio.run(watched([run], 2, True, course))
    kinds = [event.type for event in world.stories()["1"]]

    unknown = ["job_outcome_unknown"] if hours > 0.2 else []
    assert kinds == ["job_submitted", "job_started", *unknown, "job_failed"]
