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
from notifyd.slurm.memory import Memory, RunKey
from notifyd.slurm.settings import SlurmSettings
from notifyd.slurm.story import to_event
from notifyd.slurm.tracker import Look, first_memory, missing_runs, rescoped, step

Publish = Callable[[Sequence[Event]], Awaitable[None]]
"""Returns when what must not be lost is stored; raises when it could not be."""

SLACK = 600
"""Seconds by which a question to accounting reaches further back than it would have to."""
ACCOUNTING_LAG = 60.0
"""After a gap, accounting is asked once more when this many seconds are over."""
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
    accounting_trouble: str | None = None


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
        self._scope = ",".join(sorted(settings.users))
        self._site: Site | None = None
        self._memory = Memory(scope=self._scope, since=clock.now())
        self._saved_at = 0.0
        self._gap_since: float | None = None
        self._gap_again_at: float | None = None
        self._failures = 0
        self._log = structlog.get_logger("slurm")
        self.interval = settings.interval
        self.health = Health()

    async def run(self, stopping: asyncio.Event) -> None:
        """Poll until the event is set. `restore` comes first."""
        while not stopping.is_set():
            try:
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
        self._note_success(site, jobs)
        await self._take_in(site, jobs)

    async def _take_in(self, site: Site, jobs: list[Job]) -> None:
        now = self._clock.now()
        before = self._memory
        if before.last_look is None:
            before = first_memory(self._scope, Look(jobs=jobs, now=now), before.since)
            self._log.info("watching", action="first_look", cluster=site.cluster, jobs=len(jobs))
        asked = missing_runs(before, jobs, now)
        records = await self._ask_accounting(site, before, asked, now)
        look = Look(jobs=jobs, now=now, records=records, asked=asked)
        memory, transitions = step(rescoped(before, self._scope, look), look)
        # Only what is stored as owed may be forgotten as a change: after a crash in between,
        # the old memory finds the same transitions again, and their ids are the same.
        if transitions:
            await self._publish([to_event(transition) for transition in transitions])
        await self._save(memory)

    async def _ask_accounting(
        self, site: Site, memory: Memory, asked: frozenset[RunKey], now: float
    ) -> list[Job]:
        gap = self._gap(site, memory, now)
        if not site.accounting or (not asked and gap is None):
            return []
        records: list[Job] = []
        try:
            if asked:
                since = min(submit for _, submit in asked) - SLACK
                ids = sorted({job_id for job_id, _ in asked})
                records += await self._slurm.runs(site.cluster, ids, since)
            if gap is not None:
                records += await self._slurm.ended(site.cluster, int(gap) - SLACK)
        except SlurmError as error:
            self._note_accounting(str(error))
            return []
        self._note_accounting(None)
        self._gap_told(now, gap)
        return records

    def _gap(self, site: Site, memory: Memory, now: float) -> float | None:
        """Return from when on jobs may have come and gone unseen, or None."""
        last = memory.since if memory.last_look is None else memory.last_look
        if now - last > site.min_job_age / 2:
            self._gap_since = min(last, self._gap_since or last)
            return self._gap_since
        again = self._gap_again_at is None or now >= self._gap_again_at
        return self._gap_since if again else None

    def _gap_told(self, now: float, gap: float | None) -> None:
        if gap is None:
            return
        if self._gap_again_at is None:
            self._gap_again_at = now + ACCOUNTING_LAG
        else:
            self._gap_since = self._gap_again_at = None

    async def restore(self) -> None:
        """Take up what an earlier daemon has stored."""
        text = await self._store.load_memory()
        try:
            if text is not None:
                self._memory = Memory.load(text)
                return
        except ValueError as error:
            self._log.warning("memory_unreadable", action="first_look", error=str(error)[:200])
        # Stored at once: what is submitted from now on is news, even if this daemon is killed
        # before its first look.
        await self._store.save_memory(self._memory.dump())

    async def _save(self, memory: Memory) -> None:
        last, now = self._memory, self._clock.now()
        first = last.last_look is None
        changed = first or (last.runs, last.done) != (memory.runs, memory.done)
        self._memory = memory
        if changed or now - self._saved_at >= SAVE_EVERY:
            await self._store.save_memory(memory.dump())
            self._saved_at = now

    def _pause(self) -> float:
        """Return the seconds until the next poll: longer while Slurm does not answer."""
        interval = self.interval
        if self._failures:
            patience = interval * 2 ** min(self._failures - 1, 10)
            interval = max(interval, min(patience, _MOST_PATIENT))
        return interval * (1 + random.random() / 10)

    def _note_failure(self, trouble: str) -> None:
        self._failures += 1
        since = self.health.unreachable_since
        if since is None:
            since = self._clock.now()
            self._log.warning("slurm_unreachable", since=local_time(since), error=trouble)
        self.health = dataclasses.replace(self.health, unreachable_since=since, trouble=trouble)

    def _note_success(self, site: Site, jobs: Sequence[Job]) -> None:
        since = self.health.unreachable_since
        if since is not None:
            self._log.info("slurm_answers_again", after_seconds=round(self._clock.now() - since))
        self._failures = 0
        self.health = dataclasses.replace(
            self.health,
            cluster=site.cluster,
            last_poll=self._clock.now(),
            jobs=len(jobs),
            unreachable_since=None,
            trouble=None,
        )

    def _note_accounting(self, trouble: str | None) -> None:
        if trouble and self.health.accounting_trouble is None:
            self._log.warning("accounting_unreachable", error=trouble)
        if trouble is None and self.health.accounting_trouble:
            self._log.info("accounting_answers_again")
        self.health = dataclasses.replace(self.health, accounting_trouble=trouble)
