"""Nobody sleeps over what is owed: each test has one event, and nothing else that could wake."""

from __future__ import annotations

import math

from notifyd.model import Delivery
from tests.simulation.disk import Mishap
from tests.simulation.receiver import Fate
from tests.simulation.run import Run, Weather, run
from tests.simulation.scenario import Batch, Scenario, SimulatedSettings, job_event
from tests.simulation.test_every_operation import Nth, assert_nothing_broken, until_untouched

MINUTE = 60.0
SCENARIO = Scenario(
    channels={
        "ant": SimulatedSettings.model_validate({"events": ["all"], "fallback": ["bee"]}),
        "bee": SimulatedSettings.model_validate({"events": ["message"]}),
    },
    batches=[Batch(1.0, (job_event(1, "job_failed", 1.0),))],
    end=10 * MINUTE,
)


def told_at(came: Run) -> float:
    """Return when the first receiver has taken something."""
    times = (float(line.split()[0]) for line in came.trace.lines if " takes " in line)
    return next(times, math.inf)


def test_what_is_handed_on_is_told_at_once() -> None:
    """Whoever is told instead does not wait for news of its own."""

    def refused(name: str, delivery: Delivery) -> Fate:
        return Fate.BAD_MESSAGE if name == "ant" else Fate.TAKEN

    came = run(SCENARIO, lambda clock: Weather(fate=refused))

    assert came.broken == ()
    assert told_at(came) < MINUTE


# Has found: what was stored although the store had said no is not new the second time: nobody
# is woken.
def test_what_a_failing_store_has_kept_is_told() -> None:
    """An operation that fails after its commit puts nothing off for more than some minutes."""

    def one(number: int) -> tuple[Run, bool]:
        nth = Nth(number, Mishap.FAILS_LATE, Mishap.NONE)

        came = run(SCENARIO, lambda clock: Weather(mishap=nth.next))
        return came, nth.has_come

    runs = list(until_untouched(one))
    assert_nothing_broken(iter(runs), least=10)
    assert [number for number, came in runs if told_at(came) > 5 * MINUTE] == []
