"""Each operation of the store and each request fails once, in each way, and nothing is lost."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import pytest

from tests.simulation.disk import Mishap
from tests.simulation.receiver import Fate
from tests.simulation.run import Run, Weather, run
from tests.simulation.scenario import Batch, Scenario, SimulatedSettings, job_event

T = TypeVar("T")

STORY: Sequence[tuple[str, int, dict[str, int]]] = (
    ("job_submitted", 1, {}),
    ("job_submitted", 2, {"total": 3}),
    ("job_started", 1, {}),
    ("job_started", 2, {"total": 3}),
    ("job_failed", 3, {}),
    ("job_completed", 1, {}),
    ("job_failed", 2, {"total": 3}),
)
"""Three jobs, told in three looks; the second one's messages are edited."""
LOOKS = ((0, 2), (2, 5), (5, 7))
BATCH = {"by": "event_type", "max_wait": 20}
SCENARIO = Scenario(
    channels={
        "ant": SimulatedSettings.model_validate(
            {"events": ["all"], "batch": BATCH, "fallback": ["bee"], "concurrency": 1}
        ),
        "bee": SimulatedSettings.model_validate(
            {"events": ["job_ended", "job_started"], "editable": True}
        ),
    },
    batches=[
        Batch(
            number * 10.0 + 1,
            tuple(job_event(job, type, number * 10.0, **data) for type, job, data in STORY[a:b]),
        )
        for number, (a, b) in enumerate(LOOKS)
    ],
    end=200.0,
)


@dataclass(slots=True)
class Nth(Generic[T]):
    """Something that is as usual, but for one time."""

    number: int
    odd: T
    usual: T
    count: int = 0

    def next(self) -> T:
        """Return how it is this time."""
        self.count += 1
        return self.odd if self.count == self.number else self.usual

    @property
    def has_come(self) -> bool:
        return self.count >= self.number


def until_untouched(one: Callable[[int], tuple[Run, bool]]) -> Iterator[tuple[int, Run]]:
    """Yield the run in which the first is odd, the second …, until none is."""
    for number in itertools.count(1):
        came, touched = one(number)
        if not touched:
            return
        yield number, came


def assert_nothing_broken(runs: Iterator[tuple[int, Run]], least: int) -> None:
    """At least so many runs, and none breaks a rule."""
    broken = {number: came.broken for number, came in runs}
    assert len(broken) >= least
    assert {number: rules for number, rules in broken.items() if rules} == {}


# Has found: what was taken in hand, and was in nobody's because the store failed, stayed leased
# until the daemon was started anew (FAILS_LATE).
@pytest.mark.parametrize("mishap", [one for one in Mishap if one is not Mishap.NONE])
def test_every_operation_of_the_store(mishap: Mishap) -> None:
    """It fails before or after the commit, or the daemon is killed then."""

    def one(number: int) -> tuple[Run, bool]:
        nth = Nth(number, mishap, Mishap.NONE)
        came = run(SCENARIO, lambda clock: Weather(mishap=nth.next))
        return came, nth.has_come

    assert_nothing_broken(until_untouched(one), least=50)


# Has found: a lane ended for ever with a CancelledError that a library had raised (CANCELLED).
# Has found: what was put off while its channel was refused became due at infinity (CLOSED).
@pytest.mark.parametrize("fate", [one for one in Fate if one is not Fate.TAKEN])
def test_every_request(fate: Fate) -> None:
    """It is refused, hangs, is taken without an answer, or is the daemon's last."""

    def one(number: int) -> tuple[Run, bool]:
        nth = Nth(number, fate, Fate.TAKEN)
        came = run(SCENARIO, lambda clock: Weather(fate=lambda name, delivery: nth.next()))
        return came, nth.has_come

    assert_nothing_broken(until_untouched(one), least=8)
