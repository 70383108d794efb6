"""A run and its judgement, in a folder of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from notifyd.model import Delivery
from tests.simulation.disk import Disk, Mishap
from tests.simulation.feed import Feed
from tests.simulation.judgement import Judgement
from tests.simulation.loop import VirtualClock, run_virtual
from tests.simulation.receiver import Fate, Receiver
from tests.simulation.scenario import Scenario
from tests.simulation.trace import Trace
from tests.simulation.visits import Witness
from tests.simulation.world import World

_IN_MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Run:
    """What came of it."""

    broken: tuple[str, ...]
    trace: Trace


@dataclass(frozen=True, slots=True)
class Weather:
    """What goes wrong by itself."""

    mishap: Callable[[], Mishap] = lambda: Mishap.NONE
    fate: Callable[[str, Delivery], Fate] = lambda name, delivery: Fate.TAKEN
    travel: Callable[[], float] = lambda: 0.0
    pause: Callable[[], float] = lambda: 60.0
    chance: Random = field(default_factory=lambda: Random(0))


def run(scenario: Scenario, weather: Callable[[VirtualClock], Weather]) -> Run:
    """Live through a scenario, and judge what came of it."""
    with folder() as path:
        return run_virtual(lambda clock: _run(scenario, weather(clock), path, clock))


@contextmanager
def folder() -> Iterator[Path]:
    """Make room for real files, where there is a fast disk."""
    place = _IN_MEMORY if _IN_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as path:
        yield Path(path)


async def _run(scenario: Scenario, weather: Weather, path: Path, clock: VirtualClock) -> Run:
    trace, feed = Trace(clock), Feed(scenario.batches, clock)
    receivers = {name: _receiver(name, scenario, weather, trace) for name in scenario.channels}
    world = World(
        scenario=scenario,
        trace=trace,
        disk=_disk(path, scenario, weather, trace),
        receivers=receivers,
        source=feed.publish,
        is_fed=lambda: feed.is_over,
        chance=weather.chance,
    )
    await world.run()
    judgement = Judgement(
        owes=feed.owes,
        events=feed.events,
        records={record.id: record for record in world.records},
        receivers=receivers,
        addresses={name: one.addresses for name, one in scenario.channels.items()},
    )
    return Run((*trace.broken, *judgement.broken()), trace)


def _disk(path: Path, scenario: Scenario, weather: Weather, trace: Trace) -> Disk:
    return Disk(
        path=path / "outbox.sqlite",
        trace=trace,
        mishap=weather.mishap,
        latency=scenario.latency,
    )


def _receiver(name: str, scenario: Scenario, weather: Weather, trace: Trace) -> Receiver:
    return Receiver(
        witness=Witness(name, trace),
        fate=lambda delivery: weather.fate(name, delivery),
        travel=weather.travel,
        pause=weather.pause,
        editable=scenario.channels[name].editable,
    )
