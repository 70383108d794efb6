"""Small typed stand-ins for the world: a clock turned by hand, a channel that does as told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from notifyd.channels.base import Receipt
from notifyd.channels.settings import Batch, ChannelSettings
from notifyd.delivery.worker import Worker
from notifyd.model import Delivery, Event, Job, Message, Severity
from notifyd.outbox.records import Owed
from notifyd.outbox.store import Outbox
from notifyd.slurm.client import Site, SlurmError
from notifyd.slurm.details.gatherer import Gatherer
from notifyd.slurm.settings import SlurmSettings
from notifyd.slurm.tables.accounting import Entry
from notifyd.slurm.tables.queue import SEPARATOR


class FakeClock:
    """Time passes only when somebody waits, and then at once."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        if event.is_set():
            return True
        if seconds is None:
            await event.wait()
            return True
        await asyncio.sleep(0)
        self.time += seconds
        return event.is_set()


class PlainSettings(ChannelSettings):
    """Settings of a channel without any of its own."""

    type: str = "fake"
    batch: Batch | None = None


@dataclass(slots=True)
class FakeChannel:
    """Keeps what it is sent; raises the next of `failures` first."""

    failures: list[Exception] = field(default_factory=list)
    sent: list[Delivery] = field(default_factory=list)
    tried: int = 0
    on_send: Callable[[Delivery], None] = lambda delivery: None

    async def send(self, delivery: Delivery) -> Receipt:
        self.tried += 1
        self.on_send(delivery)
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(delivery)
        return Receipt(ref=f"ref-{delivery.id}", status=200)


@dataclass(slots=True)
class FakeSlurm:
    """A cluster whose answers a test sets."""

    jobs: list[Job] | SlurmError = field(default_factory=list)
    records: list[Job] | SlurmError = field(default_factory=list)
    site_answer: Site = field(default_factory=lambda: Site(cluster="demo"))
    asked: list[tuple[str, ...]] = field(default_factory=list)
    windows: list[int] = field(default_factory=list)
    polls: int = 0
    odd_rows: list[str] = field(default_factory=list)
    gap_fails: bool = False
    lies: list[list[Job]] = field(default_factory=list)
    """What the next calls show instead of the jobs."""

    async def site(self) -> Site:
        return self.site_answer

    async def queue(self) -> list[str]:
        self.polls += 1
        if isinstance(self.jobs, SlurmError):
            raise self.jobs
        jobs = self.lies.pop(0) if self.lies else self.jobs
        return [*map(queue_row, jobs), *self.odd_rows]

    async def runs(self, cluster: str, job_ids: Sequence[str], since: int) -> list[Entry]:
        self.asked.append(tuple(job_ids))
        return [Entry(job=job, row={}) for job in self._records() if job.job_id in job_ids]

    async def ended(self, cluster: str, since: int) -> list[Entry]:
        self.windows.append(since)
        if self.gap_fails:
            raise SlurmError("sacct gave no answer within 50 s")
        return [Entry(job=job, row={}) for job in self._records() if (job.end_time or 0) >= since]

    async def outputs(self, job_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        return {}

    def _records(self) -> list[Job]:
        if isinstance(self.records, SlurmError):
            raise self.records
        return self.records


class NoOutput:
    """Knows of no output, and reads none."""

    async def outputs(self, job_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        return {}

    async def tail(self, path: str, owner: str | None, lines: int) -> str | None:
        return None


def no_details(settings: SlurmSettings) -> Gatherer:
    """Return a gatherer that finds nothing out besides what it is handed."""
    return Gatherer(settings=settings, outputs=NoOutput(), reader=NoOutput())


def queue_row(job: Job) -> str:
    """Return the text by which squeue would tell of a job."""
    waiting = job.state == "PENDING"
    over = job.end_time is not None
    limit = job.time_limit_seconds
    plain = (
        job.job_id,
        job.state,
        job.reason or "None",
        f"{job.exit_code or 0}:{job.signal or 0}",
        job.restart_count or 0,
        job.submit_time,
        job.estimated_start if waiting else job.start_time,
        job.end_time if over else job.expected_end,
        "UNLIMITED" if limit is None else f"{limit // 60}:{limit % 60:02}",
        job.nodes or 1,
        job.cpus or 1,
        job.node_list or "",
        job.user,
        job.partition,
    )
    cells = ["N/A" if cell is None else str(cell) for cell in plain]
    free = [job.comment or "(null)", job.work_dir or "", job.name]
    return SEPARATOR.join([*cells, job.account or "(null)"]) + "".join(f"\0{text}" for text in free)


def a_job(job_id: str = "1", state: str = "RUNNING", **changes: object) -> Job:
    """Return a job as a snapshot would show it in that state."""
    values: dict[str, object] = {
        "cluster": "demo",
        "job_id": job_id,
        "submit_time": 1_000_000,
        "state": state,
        "name": "train",
        "user": "alice",
        "partition": "debug",
    }
    if state not in ("PENDING",):
        values |= {"start_time": 1_000_010, "node_list": "n1"}
    if state not in ("PENDING", "RUNNING", "SUSPENDED", "COMPLETING"):
        values |= {"end_time": 1_000_070, "exit_code": 0}
    return Job(**(values | changes))  # type: ignore[arg-type]


def an_event(event_type: str = "job_completed", **changes: object) -> Event:
    """Return an event about job 1."""
    values: dict[str, object] = {
        "id": "e1",
        "type": event_type,
        "severity": Severity.INFO,
        "time": 1_000_000.0,
        "source": "/slurm/demo",
        "subject": "1",
        "group": "demo/1",
        "data": {"job_id": "1", "job_name": "train", "cluster": "demo"},
    }
    return Event(**(values | changes))  # type: ignore[arg-type]


def a_delivery(id: str = "d1", channel: str = "team", **changes: object) -> Delivery:
    """Return a delivery of that event; a new group unless one is named."""
    event = an_event(**{"id": f"e-{id}", "group": id} | changes)  # type: ignore[arg-type]
    message = Message(title="Job 1 (train) completed")
    return Delivery(id=id, channel=channel, event=event, message=message, created=1_000_000.0)


def owed(*deliveries: Delivery) -> list[Owed]:
    """Return deliveries as the outbox takes them in."""
    return [Owed(delivery=delivery) for delivery in deliveries]


async def drain(worker: Worker, outbox: Outbox) -> None:
    """Let a worker send until its channel owes nothing any more."""
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run())
        while worker.name in await outbox.backlog():
            pass
        worker.stop()
