"""The poller passes on what happened, and lets go of nothing before it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from notifyd.model import Event
from notifyd.slurm.client import Site, SlurmError
from notifyd.slurm.poller import Poller
from notifyd.slurm.settings import SlurmSettings
from tests.fakes import FakeClock, FakeSlurm, a_job


class Store:
    """Keeps the tracker's memory between daemons."""

    def __init__(self) -> None:
        self.text: str | None = None

    async def load_memory(self) -> str | None:
        return self.text

    async def save_memory(self, text: str) -> None:
        self.text = text


class World:
    """A cluster, a clock, a store, and what was told."""

    def __init__(self) -> None:
        self.slurm = FakeSlurm()
        self.clock = FakeClock(1_000_001)
        self.store = Store()
        self.told: list[str] = []
        self.full = False
        self.poller = self.a_daemon()

    def a_daemon(self) -> Poller:
        settings = SlurmSettings(interval=30)
        return Poller(self.slurm, settings, self.store, self.publish, self.clock)

    async def publish(self, events: Sequence[Event]) -> None:
        if self.full:
            raise OSError("disk full")
        self.told += [f"{event.subject} {event.type}" for event in events]

    async def poll(self, after: float = 30) -> list[str]:
        """Poll once, and return what this poll told."""
        self.clock.time += after
        before = len(self.told)
        await self.poller.poll()
        return self.told[before:]

    async def restart(self) -> None:
        """Kill the daemon and start another one."""
        self.poller = self.a_daemon()
        await self.poller.restore()


@pytest.fixture
async def world() -> World:
    return World()


async def test_a_first_start_announces_nothing_old(world: World) -> None:
    """And the second look tells only what changed."""
    world.slurm.jobs = [a_job("1", "RUNNING"), a_job("2", "FAILED")]
    assert await world.poll() == []

    world.slurm.jobs = [a_job("1", "COMPLETED"), a_job("2", "FAILED")]
    assert await world.poll() == ["1 job_completed"]


async def test_a_restart_goes_on_where_it_was(world: World) -> None:
    """What changed while the daemon was away is told; what was told is not told again."""
    world.slurm.jobs = [a_job("1", "RUNNING"), a_job("2", "RUNNING")]
    await world.poll()
    world.slurm.jobs = [a_job("1", "COMPLETED"), a_job("2", "RUNNING")]
    await world.poll()
    await world.restart()
    world.slurm.jobs = [a_job("1", "COMPLETED"), a_job("2", "FAILED")]

    assert await world.poll() == ["2 job_failed"]


async def test_a_restart_fills_the_gap_from_accounting(world: World) -> None:
    """Jobs that came and went while nobody watched are told, and not twice."""
    await world.poll()
    await world.restart()
    world.slurm.records = [a_job("9", "FAILED", end_time=1_000_500)]

    assert await world.poll(after=3600) == ["9 job_submitted", "9 job_started", "9 job_failed"]
    assert await world.poll(after=90) == []
    assert len(world.slurm.windows) == 2, "asked again once the database had time to catch up"
    assert await world.poll() == []
    assert len(world.slurm.windows) == 2


async def test_accounting_is_not_asked_without_a_reason(world: World) -> None:
    """As long as nothing vanishes, one squeue an interval is all."""
    world.slurm.jobs = [a_job("1", "RUNNING")]
    for _ in range(50):
        await world.poll()

    assert (world.slurm.asked, world.slurm.windows, world.slurm.polls) == ([], [], 50)


async def test_short_memories_of_the_controller_are_made_up_for(world: World) -> None:
    """Where ended jobs leave the queue within seconds, accounting is asked each time."""
    world.slurm.site_answer = Site(cluster="demo", min_job_age=5)
    await world.poll()
    world.slurm.records = [a_job("9", "COMPLETED")]

    assert "9 job_completed" in await world.poll()


async def test_what_is_not_stored_is_told_again(world: World) -> None:
    """A full disk between the tracker and the outbox loses nothing."""
    await world.poll()
    world.slurm.jobs = [a_job("1", "FAILED")]
    world.full = True
    with pytest.raises(OSError, match="disk full"):
        await world.poll()
    world.full = False

    assert await world.poll() == ["1 job_submitted", "1 job_started", "1 job_failed"]


async def test_an_outage_says_nothing_about_jobs_and_is_logged_once(world: World) -> None:
    """One line when Slurm goes, one when it is back, and what happened meanwhile after it."""
    world.slurm.jobs = [a_job("1", "RUNNING")]
    await world.poll()
    world.slurm.jobs = SlurmError("squeue: Unable to contact slurm controller")
    with capture_logs() as logs:
        assert [await world.poll() for _ in range(10)] == [[]] * 10
        assert world.poller.health.unreachable_since is not None
        world.slurm.jobs = [a_job("1", "COMPLETED")]
        assert await world.poll() == ["1 job_completed"]

    assert [line["event"] for line in logs] == ["slurm_unreachable", "slurm_answers_again"]
    assert world.poller.health.unreachable_since is None


async def test_accounting_down_says_nothing_about_jobs(world: World) -> None:
    """It is asked less and less, at last every two minutes; what it then knows is told."""
    world.slurm.jobs = [a_job("1", "RUNNING")]
    await world.poll()
    world.slurm.jobs, world.slurm.records = [], SlurmError("sacct: Connection refused")
    assert [await world.poll() for _ in range(100)] == [[]] * 100
    assert len(world.slurm.asked) <= 30
    assert world.poller.health.accounting_trouble is not None
    world.slurm.records = [a_job("1", "FAILED")]
    told = [line for _ in range(5) for line in await world.poll()]

    assert told == ["1 job_failed"], "within two minutes and an interval"
    assert world.poller.health.accounting_trouble is None


async def test_a_gap_outlives_an_outage_of_accounting_and_a_restart(world: World) -> None:
    """What came and went unseen is told when the database answers at last."""
    await world.poll()
    await world.restart()
    world.slurm.records = SlurmError("sacct: Connection refused")
    assert await world.poll(after=3600) == []
    assert await world.poll() == []
    await world.restart()
    world.slurm.records = [a_job("9", "FAILED", end_time=1_000_500)]

    assert await world.poll() == ["9 job_submitted", "9 job_started", "9 job_failed"]


async def test_unreadable_memory_is_a_new_start(world: World) -> None:
    """A store that another version wrote is no crash."""
    world.store.text = "{}"
    await world.restart()
    world.slurm.jobs = [a_job("1", "FAILED")]

    assert await world.poll() == []


async def test_a_kill_before_the_first_look_forgets_no_submission(world: World) -> None:
    """What is submitted after the very first start is news, whenever it is first seen."""
    await world.restart()
    world.clock.time += 3600
    await world.restart()
    world.slurm.jobs = [a_job("1", "PENDING", submit_time=1_000_002), a_job("2", "PENDING")]

    assert await world.poll() == ["1 job_submitted"]


async def test_it_polls_until_it_is_told_to_stop(world: World) -> None:
    """A poll that breaks is logged, and the next one is made all the same."""
    stopping = asyncio.Event()
    polls = iter(range(5))

    async def publish(events: Sequence[Event]) -> None:
        if next(polls, None) is None:
            stopping.set()
        raise OSError("disk full")

    world.slurm.jobs = []
    await world.poll()
    world.slurm.jobs = [a_job("1", "FAILED")]
    poller = Poller(world.slurm, SlurmSettings(interval=30), world.store, publish, world.clock)
    await poller.restore()
    async with asyncio.timeout(10):
        await poller.run(stopping)

    assert world.slurm.polls == 7
