"""The poller passes on what happened, and lets go of nothing before it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import pytest
from structlog.testing import capture_logs

from notifyd.model import Event
from notifyd.slurm.client import Site, SlurmError
from notifyd.slurm.poller import Poller
from notifyd.slurm.settings import SlurmSettings
from tests.fakes import FakeClock, FakeSlurm, a_job, no_details


class Store:
    """Keeps the tracker's memory between daemons."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.written = 0

    async def load_watch(self, watch: str) -> dict[str, str]:
        return dict(self.texts)

    async def save_watch(self, watch: str, changes: Mapping[str, str | None]) -> None:
        self.written += len(changes)
        self.texts = {
            name: text for name, text in {**self.texts, **changes}.items() if text is not None
        }


class World:
    """A cluster, a clock, a store, and what was told."""

    def __init__(self) -> None:
        self.slurm = FakeSlurm()
        self.clock = FakeClock(1_000_001)
        self.store = Store()
        self.told: list[str] = []
        self.full = False
        self.on_publish: Callable[[Sequence[Event]], None] = lambda events: None
        self.poller = self.a_daemon()

    def a_daemon(self) -> Poller:
        settings = SlurmSettings(interval=30, users=("alice",))
        details = no_details(settings)
        return Poller(self.slurm, settings, self.store, self.publish, self.clock, details)

    async def publish(self, events: Sequence[Event]) -> None:
        if self.full:
            raise OSError("disk full")
        self.on_publish(events)
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


async def test_accounting_down_is_told_as_what_it_is(world: World) -> None:
    """It is asked less and less, at last every two minutes; what it then knows is told.

    Meanwhile it is said, once, that the job has left the queue and nothing more is known.
    """
    world.slurm.jobs = [a_job("1", "RUNNING")]
    await world.poll()
    world.slurm.jobs, world.slurm.records = [], SlurmError("sacct: Connection refused")
    told = [line for _ in range(100) for line in await world.poll()]
    assert told == ["1 job_outcome_unknown"]
    assert len(world.slurm.asked) <= 30
    assert world.poller.health.accounting_trouble is not None
    world.slurm.records = [a_job("1", "FAILED")]
    told = [line for _ in range(5) for line in await world.poll()]

    assert told == ["1 job_failed"], "within two minutes and an interval"
    assert world.poller.health.accounting_trouble is None


async def test_a_sudden_empty_table_is_asked_for_again(world: World) -> None:
    """What is there at the second look is believed; the first is not even asked about."""
    world.slurm.jobs = [a_job("1", "RUNNING")]
    await world.poll()
    world.slurm.lies = [[]]
    assert await world.poll() == []
    assert world.slurm.asked == []
    world.slurm.jobs = []
    await world.poll()
    assert world.slurm.asked == [("1",)]


async def test_only_what_has_changed_is_stored(world: World) -> None:
    """A thousand jobs that wait cost nothing when one of them starts."""
    waiting = [a_job(str(number), "PENDING") for number in range(1000)]
    world.slurm.jobs = list(waiting)
    await world.poll()
    world.store.written = 0
    world.slurm.jobs = [*waiting[1:], a_job("0", "RUNNING")]

    assert await world.poll() == ["0 job_started"]
    assert world.store.written == 4, (
        "the job, what belongs to no job, and what is to be told, twice"
    )


async def test_a_site_without_accounting_is_said_once(world: World) -> None:
    """It is a way to work, not a trouble."""
    world.slurm.site_answer = Site(cluster="demo", accounting=False)
    world.slurm.jobs = [a_job("1", "RUNNING")]
    with capture_logs() as logs:
        for _ in range(3):
            await world.poll()
        world.slurm.jobs = [a_job("1", "COMPLETED")]
        assert await world.poll() == ["1 job_completed"]

    assert [line["event"] for line in logs] == ["no_accounting", "watching"]
    assert (world.slurm.asked, world.slurm.windows) == ([], [])


async def test_much_that_was_missed_is_one_message(world: World) -> None:
    """After a weekend away: how many ended, and which did not end well."""
    await world.poll()
    await world.restart()
    world.slurm.records = [
        a_job(str(n), "FAILED" if n in (3, 7) else "COMPLETED", end_time=1_000_500 + n)
        for n in range(12)
    ]
    events: list[Event] = []
    world.on_publish = events.extend

    assert await world.poll(after=86400) == ["digest job_digest"]
    assert events[0].data["outcomes"] == "10 completed · 2 failed (3, 7)"
    assert "job_failed" in events[0].stands_for
    assert await world.poll(after=90) == []


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


async def test_a_slow_gap_holds_back_no_answer(world: World) -> None:
    """What accounting says of one run counts, though it fails at the next question."""
    world.slurm.jobs = [a_job("5", "RUNNING")]
    await world.poll()
    world.slurm.jobs = []
    world.slurm.records = [a_job("5", "FAILED")]
    world.slurm.gap_fails = True

    assert await world.poll(after=3600) == ["5 job_failed"]
    assert world.poller.health.accounting_trouble is not None


async def test_a_row_that_cannot_be_read_blinds_nobody(world: World) -> None:
    """It is the only new one in a quiet queue, and all others are watched as ever."""
    world.slurm.jobs = [a_job("5", "RUNNING")]
    await world.poll()
    world.slurm.odd_rows = ["an administrator's odd text"]
    assert await world.poll() == []
    world.slurm.jobs = [a_job("5", "FAILED")]

    assert await world.poll() == ["5 job_failed"]
    assert world.poller.health.unreachable_since is None


async def test_an_empty_queue_is_confirmed_once(world: World) -> None:
    """Not again and again as long as the outcome of a job is not known."""
    world.slurm.jobs = [a_job("5", "RUNNING")]
    await world.poll()
    world.slurm.jobs = []
    for _ in range(10):
        await world.poll()

    assert world.slurm.polls == 12


async def test_the_end_of_a_collection_is_told_after_a_restart(world: World) -> None:
    """It was settling when the daemon was stopped."""
    comment = "notifyd:paper"
    await world.poll()
    world.slurm.jobs = [a_job("1", "COMPLETED", comment=comment)]
    assert await world.poll() == []
    await world.restart()

    assert await world.poll(after=100) == ["paper collection_completed"]


async def test_unreadable_memory_is_a_new_start(world: World) -> None:
    """A store that another version wrote is no crash."""
    world.store.texts = {"memory": "{}"}
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
    """What cannot be passed on is tried again and again; before it is, Slurm is not asked."""
    stopping = asyncio.Event()
    polls = iter(range(5))

    async def publish(events: Sequence[Event]) -> None:
        if next(polls, None) is None:
            stopping.set()
        raise OSError("disk full")

    world.slurm.jobs = []
    await world.poll()
    world.slurm.jobs = [a_job("1", "FAILED")]
    settings = SlurmSettings(interval=30, users=("alice",))
    details = no_details(settings)
    poller = Poller(world.slurm, settings, world.store, publish, world.clock, details)
    await poller.restore()
    async with asyncio.timeout(10):
        await poller.run(stopping)

    assert world.slurm.polls == 2
    assert next(polls, None) is None


async def test_what_is_told_is_decided_once(world: World) -> None:
    """Killed before it was passed on, and back when all looks different: it tells the same."""
    await world.poll()
    world.slurm.jobs = [a_job("1", "FAILED")]
    world.full = True
    with pytest.raises(OSError, match="disk full"):
        await world.poll()
    world.full = False
    await world.restart()
    world.slurm.jobs, world.slurm.records = [], SlurmError("sacct: Connection refused")

    assert await world.poll(after=3600) == ["1 job_submitted", "1 job_started", "1 job_failed"]
    assert [await world.poll(after=3600) for _ in range(3)] == [[]] * 3
