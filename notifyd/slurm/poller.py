"""Looks at the queue again and again: asks the client, lets the tracker decide, passes it on."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from notifyd.clock import Clock, local_time
from notifyd.model import Event, Job
from notifyd.slurm.client import Site, SlurmError
from notifyd.slurm.gaps import gap_after_asking, gap_now
from notifyd.slurm.memory import Gap, Memory, RunKey, Scope
from notifyd.slurm.settings import SlurmSettings
from notifyd.slurm.story import to_event
from notifyd.slurm.tracker import (
    Look,
    first_memory,
    missing_runs,
    rescoped,
    step,
)

Publish = Callable[[Sequence[Event]], Awaitable[None]]
"""Returns when what must not be lost is stored; raises when it could not be."""

SLACK = 600
"""Seconds by which a question to accounting reaches further back than it would have to."""
SAVE_EVERY = 60.0
_MOST_PATIENT = 120.0


class Slurm(Protocol):
    """What the poller asks of Slurm; each call raises SlurmError."""

    async def site(self) -> Site: ...
    async def queue(self, cluster: str) -> list[Job]: ...
    async def runs(self, cluster: str, job_ids: Sequence[str], since: int) -> list[Job]: ...
    async def ended(self, cluster: str, since: int) -> list[Job]: ...


class MemoryStore(Protocol):
    """Where the tracker's memory outlives the daemon."""

    async def load_memory(self) -> str | None: ...
    async def save_memory(self, text: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the watching goes, for people."""

    cluster: str | None = None
    last_poll: float | None = None
    unreachable_since: float | None = None
    trouble: str | None = None
    jobs: int = 0
    """Runs that have not ended, as far as is known."""
    accounting_trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What accounting said: of which runs, and what is left of the gap."""

    records: tuple[Job, ...] = ()
    asked: frozenset[RunKey] = frozenset()
    gap: Gap | None = None


class Poller:
    """Watches one cluster until it is told to stop."""

    def __init__(
        self,
        slurm: Slurm,
        settings: SlurmSettings,
        store: MemoryStore,
        publish: Publish,
        clock: Clock,
    ) -> None:
        self._slurm = slurm
        self._store = store
        self._publish = publish
        self._clock = clock
        self._users = settings.user_names()
        self._site: Site | None = None
        self._restored = False
        self._memory = Memory(scope=Scope(cluster=None, users=self._users), since=clock.now())
        self._saved_at = 0.0
        self._failures = 0
        self._accounting_failures = 0
        self._ask_accounting_at = 0.0
        self._log = structlog.get_logger("slurm")
        self.interval = settings.interval
        self.health = Health()

    async def run(self, stopping: asyncio.Event) -> None:
        """Poll until the event is set."""
        while not stopping.is_set():
            try:
                await self.restore()
                await self.poll()
            except Exception:
                # Nothing is lost: the memory has not moved on, so the next look finds it again.
                self._log.exception("poll_failed", action="try_again")
            await self._clock.wait(stopping, self._pause())

    async def poll(self) -> None:
        """Look once. Slurm's troubles are noted; what publishing raises is passed on."""
        try:
            site = self._site = self._site or await self._slurm.site()
            jobs = await self._slurm.queue(site.cluster)
        except SlurmError as error:
            self._note_failure(str(error))
            return
        self._note_success(site)
        await self._take_in(site, jobs)

    async def _take_in(self, site: Site, jobs: list[Job]) -> None:
        now, before = self._clock.now(), self._memory
        scope = Scope(cluster=site.cluster, users=self._users)
        if before.last_look is None:
            before = first_memory(scope, Look(jobs=jobs, now=now), before.since)
            self._log.info("watching", action="first_look", cluster=site.cluster, jobs=len(jobs))
        answer = await self._ask_accounting(site, before, jobs, now)
        look = Look(jobs=jobs, now=now, records=answer.records, asked=answer.asked)
        memory, transitions = step(*rescoped(before, scope, look))
        # Only what is stored as owed may be forgotten as a change: after a crash in between,
        # the old memory finds the same transitions again, and their ids are the same.
        if transitions:
            await self._publish([to_event(transition) for transition in transitions])
        await self._save(dataclasses.replace(memory, gap=answer.gap))
        self.health = dataclasses.replace(self.health, jobs=len(memory.runs))

    async def _ask_accounting(
        self, site: Site, memory: Memory, jobs: Sequence[Job], now: float
    ) -> _Answer:
        """Ask about what is missing and about a gap. While it does not answer, neither is over."""
        gap = gap_now(memory, site.min_job_age, now)
        if not site.accounting:
            return _Answer()
        if now < self._ask_accounting_at:
            return _Answer(gap=gap)
        missing = missing_runs(memory, jobs, now)
        gap_is_due = gap is not None and now >= gap.ask_at
        records: list[Job] = []
        try:
            if missing:
                since = min(submit for _, submit in missing) - SLACK
                ids = sorted({job_id for job_id, _ in missing})
                records += await self._slurm.runs(site.cluster, ids, since)
            if gap is not None and gap_is_due:
                records += await self._slurm.ended(site.cluster, int(gap.since) - SLACK)
                gap = gap_after_asking(gap, now)
        except SlurmError as error:
            self._note_accounting(str(error))
            return _Answer(gap=gap)
        if missing or gap_is_due:
            self._note_accounting(None)
        return _Answer(records=tuple(records), asked=missing, gap=gap)

    async def restore(self) -> None:
        """Take up what an earlier daemon has stored; once is enough."""
        if self._restored:
            return
        text = await self._store.load_memory()
        try:
            if text is not None:
                self._memory = Memory.load(text)
                self._restored = True
                return
        except ValueError as error:
            self._log.warning("memory_unreadable", action="first_look", error=str(error)[:200])
        # Stored at once: what is submitted from now on is news, even if this daemon is killed
        # before its first look.
        await self._store.save_memory(self._memory.dump())
        self._restored = True

    async def _save(self, memory: Memory) -> None:
        last, now = self._memory, self._clock.now()
        still_the_same = dataclasses.replace(last, last_look=memory.last_look) == memory
        changed = last.last_look is None or not still_the_same
        self._memory = memory
        if changed or now - self._saved_at >= SAVE_EVERY:
            await self._store.save_memory(memory.dump())
            self._saved_at = now

    def _pause(self) -> float:
        """Return the seconds until the next poll: longer while Slurm does not answer."""
        interval = self.interval
        if self._failures:
            interval = _patience(interval, self._failures)
        return interval * (1 + random.random() / 10)

    def _note_failure(self, trouble: str) -> None:
        self._failures += 1
        since = self.health.unreachable_since
        if since is None:
            since = self._clock.now()
            self._log.warning("slurm_unreachable", since=local_time(since), error=trouble)
        self.health = dataclasses.replace(self.health, unreachable_since=since, trouble=trouble)

    def _note_success(self, site: Site) -> None:
        since = self.health.unreachable_since
        if since is not None:
            self._log.info("slurm_answers_again", after_seconds=round(self._clock.now() - since))
        self._failures = 0
        self.health = dataclasses.replace(
            self.health,
            cluster=site.cluster,
            last_poll=self._clock.now(),
            unreachable_since=None,
            trouble=None,
        )

    def _note_accounting(self, trouble: str | None) -> None:
        if trouble and self.health.accounting_trouble is None:
            self._log.warning("accounting_unreachable", error=trouble)
        if trouble is None and self.health.accounting_trouble:
            self._log.info("accounting_answers_again")
        self._accounting_failures = self._accounting_failures + 1 if trouble else 0
        pause = _patience(self.interval, self._accounting_failures) if trouble else 0.0
        self._ask_accounting_at = self._clock.now() + pause
        self.health = dataclasses.replace(self.health, accounting_trouble=trouble)


def _patience(interval: float, failures: int) -> float:
    """Return the seconds until something that has failed is asked again."""
    return max(interval, min(interval * 2.0 ** min(failures - 1, 10), _MOST_PATIENT))
