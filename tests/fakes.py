"""Small typed stand-ins for the world: a clock turned by hand, a channel that does as told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from notifyd.channels.base import ChannelSettings
from notifyd.model import Delivery, Event, Job, Message, Severity
from notifyd.slurm.client import Site, SlurmError


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


@dataclass(slots=True)
class FakeChannel:
    """Keeps what it is sent; raises the next of `failures` first."""

    failures: list[Exception] = field(default_factory=list)
    sent: list[Delivery] = field(default_factory=list)
    tried: int = 0
    on_send: Callable[[Delivery], None] = lambda delivery: None

    async def send(self, delivery: Delivery) -> None:
        self.tried += 1
        self.on_send(delivery)
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(delivery)


@dataclass(slots=True)
class FakeSlurm:
    """A cluster whose answers a test sets."""

    jobs: list[Job] | SlurmError = field(default_factory=list)
    records: list[Job] | SlurmError = field(default_factory=list)
    site_answer: Site = field(default_factory=lambda: Site(cluster="demo"))
    asked: list[tuple[str, ...]] = field(default_factory=list)
    windows: list[int] = field(default_factory=list)
    polls: int = 0

    async def site(self) -> Site:
        return self.site_answer

    async def queue(self, cluster: str) -> list[Job]:
        self.polls += 1
        if isinstance(self.jobs, SlurmError):
            raise self.jobs
        return self.jobs

    async def runs(self, cluster: str, job_ids: Sequence[str], since: int) -> list[Job]:
        self.asked.append(tuple(job_ids))
        return [job for job in self._records() if job.job_id in job_ids]

    async def ended(self, cluster: str, since: int) -> list[Job]:
        self.windows.append(since)
        return [job for job in self._records() if (job.end_time or 0) >= since]

    def _records(self) -> list[Job]:
        if isinstance(self.records, SlurmError):
            raise self.records
        return self.records


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
