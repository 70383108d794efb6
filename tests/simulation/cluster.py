"""A run in which a real poller watches a simulated Slurm, and all of it fails."""

from __future__ import annotations

from asyncio import Event as Signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from notifyd.model import Event
from notifyd.slurm.poller import Poller
from notifyd.slurm.settings import SlurmSettings
from tests.fakes import no_details
from tests.simulation import storms
from tests.simulation.disk import Disk
from tests.simulation.draw import HOUR
from tests.simulation.life import Life
from tests.simulation.loop import START, VirtualClock, run_virtual
from tests.simulation.receiver import Receiver
from tests.simulation.run import folder
from tests.simulation.scenario import Act, Scenario, SimulatedSettings
from tests.simulation.trace import Trace
from tests.simulation.visits import Witness
from tests.simulation.world import World
from tests.slurm.simulation import Run as JobRun
from tests.slurm.simulation import SimulatedSlurm, Slurm

NAME = "ant"
SLURM = SlurmSettings(interval=30, digest_after=1000, users=("alice",), array_task_events="all")
CHANNEL = SimulatedSettings.model_validate({"events": ["all"], "retry": {"give_up_after": "6d"}})


@dataclass(frozen=True, slots=True)
class Told:
    """What a receiver that honours ids was told, and what had truly happened."""

    runs: Sequence[JobRun]
    events: Sequence[Event]
    broken: Sequence[str]


class Watched(Slurm):
    """The simulated Slurm, which lives in the same time, and fails now and then."""

    def __init__(self, world: SimulatedSlurm, clock: VirtualClock, random: Random) -> None:
        super().__init__(world)
        self._clock = clock
        self._random = random

    async def queue(self) -> list[str]:
        is_faulty = self._clock.monotonic() < HOUR
        self.world.now = int(self._clock.now())
        self.world.queue_down = is_faulty and self._random.random() < 0.1
        self.world.accounting_down = is_faulty and self._random.random() < 0.1
        return await super().queue()


def run_cluster(seed: int) -> Told:
    """Watch some jobs for an hour of faults, and for one of calm."""
    with folder() as path:
        return run_virtual(lambda clock: _run(Random(f"{seed} cluster"), path, clock))


async def _run(random: Random, path: Path, clock: VirtualClock) -> Told:
    trace = Trace(clock)
    slurm = SimulatedSlurm(runs=some_runs(random), min_job_age=random.choice((60, 300)))
    fates = storms.network(random, clock.monotonic, HOUR, storms.SOFT)
    receiver = Receiver(witness=Witness(NAME, trace), fate=fates)
    mishap = storms.disk(random, clock.monotonic, HOUR)
    world = World(
        scenario=a_course(random),
        trace=trace,
        disk=Disk(path=path / "outbox.sqlite", trace=trace, mishap=mishap),
        receivers={NAME: receiver},
        source=lambda life: _watch(Watched(slurm, clock, random), clock, life),
        is_fed=lambda: clock.monotonic() > 2 * HOUR,
        chance=random,
    )
    await world.run()
    events = [visits[0].delivery.event for visits in receiver.witness.taken.values()]
    return Told(slurm.runs, events, trace.broken)


async def _watch(slurm: Watched, clock: VirtualClock, life: Life) -> None:
    details = no_details(SLURM)
    poller = Poller(slurm, SLURM, life.outbox, life.bus.publish, clock, details)
    await poller.run(Signal())


def some_runs(random: Random) -> list[JobRun]:
    """Return jobs that begin and end within the hour."""
    runs = []
    for number in range(1, random.randint(2, 6)):
        submit = int(START) + random.randint(60, 2000)
        start = submit + random.randint(0, 600)
        runs.append(
            JobRun(
                job_id=str(number),
                submit=submit,
                start=start,
                end=start + random.randint(0, 900),
                outcome=random.choice(("COMPLETED", "FAILED", "TIMEOUT", "OUT_OF_MEMORY")),
                lag=random.randint(0, 40),
                completing=random.choice((0, 5, 200)),
            )
        )
    return runs


def a_course(random: Random) -> Scenario:
    """Return some kills and stops within the hour."""
    acts = [
        Act(
            at=random.uniform(0, HOUR),
            deed=random.choice(("kill", "kill", "stop")),
            number=random.randint(0, 20),
            late=random.random() < 0.5,
        )
        for _ in range(random.randint(0, 6))
    ]
    return Scenario(channels={NAME: CHANNEL}, batches=(), acts=acts, end=HOUR)
