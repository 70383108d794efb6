"""The pace: quick when something is about to happen, and never beyond what Slurm may be asked."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.model import Job
from notifyd.slurm.pace import (
    REST,
    SAMPLE,
    Call,
    Outlook,
    Pace,
    Tempo,
    by_phase,
    next_pause,
    outlook_of,
)
from tests.fakes import a_job

NOW = 1_000_000.0
LONG_AGO = NOW - 30 * 86_400
BUSY = Outlook(chance=10.0)
QUIET = Outlook()

outlooks = st.builds(Outlook, chance=st.floats(0, 100), next_in=st.none() | st.floats(0, 10_000))
tempos = st.builds(
    Tempo,
    calls_per_hour=st.integers(4, 400),
    fastest=st.floats(1, 60),
    slowest=st.floats(1, 600),
)
calls = st.tuples(outlooks, st.floats(0, 60), st.integers(0, 4), st.floats(0, 20))
"""What is expected, how long a call takes, the failures up to it, and how late the caller is."""


def polled(
    tempo: Tempo, course: Sequence[tuple[Outlook, float, int, float]], hours: float = 2.5
) -> Iterator[tuple[float, float, float]]:
    """Yield when each call began, its seconds and the pause, the course again and again."""
    pace, began = Pace.fresh(tempo, 0.0), 0.0
    for outlook, seconds, failures, late in itertools.cycle(course):
        call = Call(now=began + seconds, seconds=seconds, failures=failures)
        pace, pause = next_pause(pace, outlook, tempo, call)
        yield began, seconds, pause
        began = call.now + pause + late
        if began > hours * 3600:
            return


def first_pause(outlook: Outlook, seconds: float = 0.0, failures: int = 0) -> float:
    """Return the pause after a first call, with the budget untouched."""
    call = Call(now=0.0, seconds=seconds, failures=failures)
    return next_pause(Pace.fresh(Tempo(), 0.0), outlook, Tempo(), call)[1]


def pause_for(running: Sequence[Job] = (), waiting: Sequence[Job] = ()) -> float:
    """Return the pause while these jobs are all there is, and nothing has happened for long."""
    return first_pause(outlook_of(running, waiting, NOW, LONG_AGO))


def running_for(seconds: float, limit_in: float = 10 * 86_400) -> Job:
    """Return a job that has run for so long, and whose time limit is so far ahead."""
    return a_job(start_time=int(NOW - seconds), expected_end=int(NOW + limit_in))


def waiting_for(seconds: float, reason: str = "Priority", start_in: float | None = None) -> Job:
    """Return a job that has waited for so long; Slurm may have an estimate of its start."""
    estimate = None if start_in is None else int(NOW + start_in)
    submit = int(NOW - seconds)
    return a_job(state="PENDING", submit_time=submit, reason=reason, estimated_start=estimate)


@given(tempo=tempos, course=st.lists(calls, min_size=1, max_size=6))
def test_no_hour_has_more_calls_than_the_budget(
    tempo: Tempo, course: list[tuple[Outlook, float, int, float]]
) -> None:
    """Whatever is expected, and however late or slow the calls are: no hour has more."""
    began = [at for at, _, _ in polled(tempo, course)]
    one_too_many = zip(began, began[tempo.calls_per_hour :], strict=False)

    assert all(later - first >= 3600 - 1e-6 for first, later in one_too_many)


@given(tempo=tempos, course=st.lists(calls, min_size=1, max_size=6))
def test_every_pause_keeps_to_the_bounds(
    tempo: Tempo, course: list[tuple[Outlook, float, int, float]]
) -> None:
    """Never below the shortest, never above the longest but after a slow call."""
    for _, seconds, pause in polled(tempo, course):
        assert pause >= tempo.fastest
        assert pause <= max(tempo.longest, REST * seconds) + 1e-6


@given(course=st.lists(calls, min_size=1, max_size=6))
def test_at_most_a_tenth_of_the_time_is_spent_in_calls(
    course: list[tuple[Outlook, float, int, float]],
) -> None:
    """A slow call is a busy slurmctld, or its rate limit: it is left alone for longer.

    What gave no answer at all is not slow, but away, and tried again as soon as it may be back.
    """
    answered = [(outlook, seconds, 0, late) for outlook, seconds, _, late in course]
    for _, seconds, pause in polled(Tempo(), answered):
        assert seconds <= (seconds + pause) / 10


@pytest.mark.parametrize("budget", [30, 120, 240])
def test_a_budget_that_is_needed_is_spent(budget: int) -> None:
    """A first hour in which something is always about to happen gets nearly all of its calls."""
    tempo = Tempo(calls_per_hour=budget)
    in_an_hour = sum(at < 3600 for at, _, _ in polled(tempo, [(BUSY, 0.1, 0, 0.0)]))

    assert 0.95 * budget <= in_an_hour <= budget


def test_the_first_calls_are_quick_and_then_the_budget_is_spread() -> None:
    """What was saved is spent bit by bit; a pause grows to what is earned, and no further."""
    pauses = [pause for _, _, pause in polled(Tempo(), [(BUSY, 0.0, 0, 0.0)])]

    assert pauses[0] == Tempo().fastest
    assert pauses[:20] == sorted(pauses[:20])
    assert max(pauses) == pytest.approx(Tempo().refill)
    assert pauses[-1] == pytest.approx(Tempo().refill)


def test_quiet_saves_calls_for_what_comes_after() -> None:
    """After ten quiet minutes a job's last moments are watched as closely as at first."""
    pace, _ = next_pause(Pace(calls=0.0, updated=0.0), QUIET, Tempo(), Call(now=40.0))
    tired = next_pause(pace, BUSY, Tempo(), Call(now=80.0))[1]
    rested = next_pause(pace, BUSY, Tempo(), Call(now=640.0))[1]

    assert tired > 2 * rested
    assert rested == first_pause(BUSY)


def test_a_small_budget_lengthens_the_longest_pause() -> None:
    """Four calls an hour cannot be two minutes apart."""
    tempo = Tempo(calls_per_hour=4)
    pauses = [pause for _, _, pause in polled(tempo, [(QUIET, 0.0, 0, 0.0)], hours=10)]

    assert min(pauses) > 120
    assert max(pauses) <= tempo.longest


def test_a_slow_call_stretches_the_pause() -> None:
    """Ten times as long as the call, even beyond the longest pause."""
    assert first_pause(BUSY, seconds=0.1) == first_pause(BUSY)
    assert first_pause(BUSY, seconds=8.0) == 80
    assert first_pause(QUIET, seconds=50.0) == 500
    assert first_pause(QUIET, seconds=50.0, failures=1) == 120


def test_while_slurm_does_not_answer_pauses_grow() -> None:
    """Each failure doubles the pause, up to the longest, whatever was expected before."""
    pauses = [first_pause(BUSY, failures=count) for count in range(6)]

    assert pauses == sorted(pauses)
    assert pauses[1] == pytest.approx(Tempo().refill)
    assert pauses[2] == pytest.approx(2 * Tempo().refill)
    assert pauses[4:] == [120, 120]
    assert first_pause(QUIET, failures=1) == 120
    assert first_pause(BUSY, failures=10_000) == 120, "no overflow after days"


def test_with_nothing_to_happen_it_is_slowest() -> None:
    """An empty queue, held jobs and a wait for other jobs need no hurry."""
    asleep = ["JobHeldUser", "JobHeldAdmin", "Dependency", "BeginTime", "JobArrayTaskLimit"]

    assert pause_for() == 120
    assert pause_for(waiting=[waiting_for(0, reason) for reason in asleep]) == 120


def test_after_something_has_happened_more_is_expected() -> None:
    """What people do comes in bursts; the expectation fades."""
    since = (0, 60, 600, 3600, 86_400)
    pauses = [first_pause(outlook_of([], [], NOW, NOW - seconds)) for seconds in since]

    assert pauses == sorted(pauses)
    assert pauses[0] < 20
    assert pauses[-1] == 120


def test_what_is_young_is_looked_at_more_often() -> None:
    """A job that has run, or waited, for a minute is nearer to a change than one of a day."""
    assert pause_for(running=[running_for(60)]) < 30
    assert pause_for(waiting=[waiting_for(60)]) < 30
    assert pause_for(running=[running_for(86_400)]) == 120
    assert pause_for(waiting=[waiting_for(86_400)]) == 120


def test_a_named_time_is_not_slept_through() -> None:
    """With nothing else to expect, the next look comes just after the time that Slurm names."""
    assert 70 < pause_for(running=[running_for(86_400, limit_in=70)]) < 85
    assert 50 < pause_for(waiting=[waiting_for(86_400, start_in=50)]) < 65
    assert 60 < pause_for(waiting=[waiting_for(86_400, "BeginTime", start_in=60)]) < 75


def test_at_a_named_time_it_is_fastest_for_a_while() -> None:
    """A limit is enforced within the minute: until then it is watched; later it is not."""
    assert pause_for(running=[running_for(86_400, limit_in=0)]) == Tempo().fastest
    assert pause_for(running=[running_for(86_400, limit_in=-30)]) == Tempo().fastest
    assert pause_for(running=[running_for(86_400, limit_in=-3600)]) == 120


def test_many_jobs_are_as_quick_as_it_gets() -> None:
    """Half a thousand jobs end all the time."""
    assert pause_for(running=[running_for(3600)] * 500) == Tempo().fastest


@pytest.mark.parametrize("count", [1, SAMPLE, SAMPLE + 1, 10 * SAMPLE + 7, 100 * SAMPLE])
def test_a_sample_stands_for_all(count: int) -> None:
    """The chance of many jobs is that of one, so many times; few are looked at for it."""
    looked_at = Counted([running_for(3600)] * count)
    nothing = outlook_of([], [], NOW, LONG_AGO).chance
    one = outlook_of([running_for(3600)], [], NOW, LONG_AGO).chance - nothing
    many = outlook_of(looked_at, [], NOW, LONG_AGO).chance - nothing

    assert many == pytest.approx(count * one, rel=0.05)
    assert looked_at.handed_out <= SAMPLE


def test_what_runs_is_not_lost_among_what_waits() -> None:
    """Three young jobs are seen beside a hundred thousand that are held."""
    held = [waiting_for(86_400, "JobHeldUser")] * 100_000

    assert pause_for([running_for(60)] * 3, held) == pause_for([running_for(60)] * 3)


def test_by_phase_leaves_out_what_can_wait() -> None:
    """Ended and suspended jobs are neither; one that is completing is about to end."""
    states = ("RUNNING", "COMPLETING", "PENDING", "SUSPENDED", "COMPLETED", "NEW_IN_SLURM_99")
    running, waiting = by_phase(a_job(state=state) for state in states)

    assert [job.state for job in running] == ["RUNNING", "COMPLETING"]
    assert [job.state for job in waiting] == ["PENDING"]


class Counted(list[Job]):
    """Counts the jobs that slices of it hand out."""

    handed_out = 0

    def __getitem__(self, which: Any) -> Any:
        found = super().__getitem__(which)
        self.handed_out += len(found) if isinstance(found, list) else 1
        return found
