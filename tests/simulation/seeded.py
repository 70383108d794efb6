"""A whole run from one seed."""

from __future__ import annotations

import functools
from random import Random

from notifyd.model import Delivery
from tests.simulation import storms
from tests.simulation.draw import a_scenario
from tests.simulation.loop import VirtualClock
from tests.simulation.receiver import Fate
from tests.simulation.run import Run, Weather, run


def run_seed(seed: int) -> Run:
    """Draw everything from a seed, and run it."""
    scenario = a_scenario(Random(f"{seed} scenario"))
    return run(scenario, functools.partial(_weather, seed, tuple(scenario.channels), scenario.end))


def _weather(seed: int, names: tuple[str, ...], end: float, clock: VirtualClock) -> Weather:
    # Each part draws from its own numbers: what one does changes nothing for the others.
    fates = {name: storms.network(Random(f"{seed} {name}"), clock.monotonic, end) for name in names}

    def fate(name: str, delivery: Delivery) -> Fate:
        return fates[name](delivery)

    random = Random(f"{seed} network")
    slow = random.choice((0.0, 0.05, 2.0))
    return Weather(
        mishap=storms.disk(Random(f"{seed} disk"), clock.monotonic, end),
        fate=fate,
        travel=lambda: slow * random.random(),
        pause=lambda: random.choice((1.0, 30.0, 600.0)),
        chance=Random(f"{seed} chance"),
    )
