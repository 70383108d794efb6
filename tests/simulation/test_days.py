"""Days pass in less than a second."""

from __future__ import annotations

import time

from notifyd.model import Delivery
from tests.simulation.draw import DAY
from tests.simulation.loop import VirtualClock
from tests.simulation.receiver import Fate
from tests.simulation.run import Weather, run
from tests.simulation.scenario import Batch, Scenario, SimulatedSettings, job_event

DAYS = 5 * DAY


def down_for_days(clock: VirtualClock) -> Weather:
    def fate(name: str, delivery: Delivery) -> Fate:
        return Fate.REFUSED if clock.monotonic() < DAYS else Fate.TAKEN

    return Weather(fate=fate)


# Has found: a channel that was down asked the store every 30 s, although nothing could change
# before its gate opened: 24,000 operations in five days.
def test_five_days_of_retries_take_seconds() -> None:
    """A receiver that is back after five days is told what happened on the first."""
    settings = {"events": ["all"], "retry": {"give_up_after": "6d"}}
    scenario = Scenario(
        channels={"ant": SimulatedSettings.model_validate(settings)},
        batches=[Batch(30.0, (job_event(1, "job_failed", 1.0),))],
        end=DAYS,
    )
    began = time.process_time()
    came = run(scenario, down_for_days)

    assert came.broken == ()
    assert came.trace.clock.monotonic() > DAYS
    assert time.process_time() - began < 5, "a bound, not a figure: machines differ"
    assert sum("<" in line for line in came.trace.lines) > 500, "it was tried all the time"
