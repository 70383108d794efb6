"""Looks at the queue again and again: asks the client, lets the tracker decide, passes it on."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import structlog
from pydantic import TypeAdapter

from notifyd.clock import Clock, local_time
from notifyd.model import Event
from notifyd.slurm.client import Site, SlurmError
from notifyd.slurm.collections.chapter import Chapter
from notifyd.slurm.details.gatherer import Gatherer
from notifyd.slurm.health import Health
from notifyd.slurm.inquiry import Accounting, Inquiry
from notifyd.slurm.narrator import Narrator
from notifyd.slurm.rhythm import Rhythm
from notifyd.slurm.settings import SlurmSettings
from notifyd.slurm.tables import queue
from notifyd.slurm.tables.cells import ParseError
from notifyd.slurm.tables.queue import Change, Rows, RunKey
from notifyd.slurm.tracker.look import Look, Rules
from notifyd.slurm.tracker.memory import Memory, Scope
from notifyd.slurm.tracker.step import step
from notifyd.slurm.tracker.views import adopted, begin

Publish = Callable[[Sequence[Event]], Awaitable[None]]
"""Returns when what must not be lost is stored; raises when it could not be."""

SAVE_EVERY = 60.0
CONFIRM_AFTER = 5.0
"""Seconds after which a table that has suddenly lost most of its jobs is asked for again."""
FEW = 10


_TELLING = "telling"
_EVENTS = TypeAdapter(tuple[Event, ...])


class Slurm(Accounting, Protocol):
    """What the poller asks of Slurm; each call raises SlurmError."""

    async def site(self) -> Site: ...
    async def queue(self) -> list[str]: ...


class WatchStore(Protocol):
    """Where what is known of a watch outlives the daemon, as texts by their names."""

    async def load_watch(self, watch: str) -> Mapping[str, str]: ...
    async def save_watch(self, watch: str, changes: Mapping[str, str | None]) -> None: ...


class Poller:
    """Watches one cluster until it is told to stop."""

    def __init__(
        self,
        slurm: Slurm,
        settings: SlurmSettings,
        store: WatchStore,
        publish: Publish,
        clock: Clock,
        gatherer: Gatherer,
        watch: str = "",
    ) -> None:
        self._slurm = slurm
        self._settings = settings
        self._store = store
        self._publish = publish
        self._clock = clock
        self.watch = watch
        self._inquiry = Inquiry(slurm, clock)
        self._rhythm = Rhythm(settings, clock)
        self._narrator = Narrator(settings, self._inquiry, gatherer, clock)
        self._users = settings.user_names()
        self._site: Site | None = None
        self._restored = False
        self._memory = Memory(scope=self._scope(None), since=clock.now())
        self._rows: Rows = {}
        self._adopted: frozenset[RunKey] = frozenset()
        self._telling: Sequence[Event] = ()
        self._saved_at = 0.0
        self._failures = 0
        self._call_seconds = 0.0
        self._log = structlog.get_logger("slurm", **({"watch": watch} if watch else {}))
        self.health = Health()

    @property
    def chapters(self) -> Mapping[str, Chapter]:
        """Return the collections that are told of, by their names."""
        return self._narrator.chapters

    async def run(self, stopping: asyncio.Event) -> None:
        """Poll until the event is set."""
        while not stopping.is_set():
            try:
                await self.restore()
                await self.poll()
            except Exception:
                # Nothing is lost: the memory has not moved on, so the next look finds it again.
                self._log.exception("poll_failed", action="try_again")
            pause = self._rhythm.pause(self._call_seconds, self._failures)
            self.health = dataclasses.replace(self.health, next_poll=self._clock.now() + pause)
            await self._clock.wait(stopping, pause)

    async def poll(self) -> None:
        """Look once. Slurm's troubles are noted; what publishing raises is passed on."""
        await self._tell()
        try:
            site = self._site = self._site or await self._slurm.site()
            change = await self._changes(site)
        except SlurmError as error:
            self._note_failure(str(error))
            return
        self._note_success(site)
        await self._take_in(site, change)

    async def _changes(self, site: Site) -> Change:
        began = self._clock.monotonic()
        rows = await self._slurm.queue()
        self._call_seconds = self._clock.monotonic() - began
        known = len(self._rows) or len(self._memory.runs) - len(self._memory.missing)
        if (not rows and known) or (known >= FEW and len(rows) * 2 < known):
            # Many jobs may end at once; but a controller that has just started, or a filter that
            # went wrong, shows the same. What is there at the second look is believed.
            await self._clock.wait(asyncio.Event(), CONFIRM_AFTER)
            rows = await self._slurm.queue()
            self._rhythm.called()
        try:
            # In a thread: half a million new jobs take seconds to read.
            change = await asyncio.to_thread(queue.compare, self._rows, rows, site.cluster)
        except ParseError as error:
            raise SlurmError(f"squeue: {error}") from error
        for fault in change.unreadable:
            self._log.warning("row_unreadable", action="asked_of_accounting", error=fault)
        return change

    async def _take_in(self, site: Site, change: Change) -> None:
        before = self._memory
        look = Look(now=self._clock.now(), jobs=change.jobs, gone=self._gone(change))
        answer = await self._inquiry.ask(site, before, look)
        scope = self._scope(site.cluster)
        look = self._ruled(site, answer.add_to(look, scope))
        if before.last_look is None:
            self._log.info("watching", action="first_look", cluster=site.cluster)
        begun = await asyncio.to_thread(begin, before, scope, look)
        self._narrator.know(begun.known, look.now)
        result = await asyncio.to_thread(step, begun.memory, begun.look)
        telling = await self._narrator.tell(site, result.transitions, answer.entries)
        # Of users who are new, the past is not asked for a second time.
        same = before.last_look is None or before.scope == scope
        memory = dataclasses.replace(result.memory, gap=answer.gap if same else None)
        touched = begun.touched | result.touched | self._adopted
        # What is to be told is stored with the memory that moves on, in one transaction: it is
        # decided once, and a crash at any moment neither loses nor changes it.
        await self._save(memory, touched, {**telling.changes, **_dumped(telling.events)})
        self._telling = telling.events
        self._adopted = frozenset()
        changed = change.rows is not self._rows
        self._rhythm.watch(memory, changed, news=bool(result.transitions))
        self._rhythm.alone(None if site.accounting else site.min_job_age)
        self._rows = change.rows
        self._narrator.stored(telling)
        self._note_watched()
        await self._tell()

    async def _tell(self) -> None:
        """Pass on what is still to be told; an earlier daemon may have left it."""
        if self._telling:
            await self._publish(self._telling)
            await self._store.save_watch(self.watch, {_TELLING: None})
            self._telling = ()

    def _gone(self, change: Change) -> frozenset[RunKey]:
        if self._rows:
            return change.gone
        # After a restart there is no table to compare with: what is remembered and not there.
        there = {key for key in change.rows.values() if key is not None}
        return frozenset(self._memory.runs.keys() - there)

    def _ruled(self, site: Site, look: Look) -> Look:
        rules = Rules(
            accounting=site.accounting,
            waiting_after=self._settings.waiting_after or None,
            collection_of=self._narrator.collection_of(look),
        )
        return dataclasses.replace(look, rules=rules)

    def _scope(self, cluster: str | None) -> Scope:
        return Scope(cluster=cluster, users=self._users, accounts=self._settings.accounts)

    async def restore(self) -> None:
        """Take up what an earlier daemon has stored; once is enough."""
        if self._restored:
            return
        stored = await self._store.load_watch(self.watch)
        try:
            memory = await self._stored_memory(stored)
            if memory is not None:
                self._memory = memory
                self._adopt()
                self._restored = True
                return
        except ValueError as error:
            self._log.warning("memory_unreadable", action="first_look", error=str(error)[:200])
        # Stored at once: what is submitted from now on is news, even if this daemon is killed
        # before its first look.
        new = self._memory.dump(frozenset())
        await self._store.save_watch(self.watch, {**dict.fromkeys(stored), **new})
        self._restored = True

    async def _stored_memory(self, stored: Mapping[str, str]) -> Memory | None:
        named = stored or await self._store.load_watch("")
        if not named:
            return None
        memory = await asyncio.to_thread(Memory.load, named)
        if not stored and memory.scope.cluster != self.watch:
            return None
        # A cluster that had no name in the configuration, and now has one, is the same.
        self._narrator.remember(named)
        self._telling = _EVENTS.validate_json(named.get(_TELLING, "[]"))
        if not stored:
            self._adopted = frozenset({*memory.runs, *memory.done})
        return memory

    def _adopt(self) -> None:
        """Jobs that are known already may belong to a collection that was set since."""
        step = adopted(self._memory, self._narrator.membership().collection_of)
        self._memory, self._adopted = step.memory, self._adopted | step.touched
        self._narrator.know(step.transitions, self._clock.now())

    async def _save(
        self, memory: Memory, touched: frozenset[RunKey], more: Mapping[str, str | None]
    ) -> None:
        last, now = self._memory, self._clock.now()
        changed = touched or more or last.last_look is None or last.gap != memory.gap
        if changed or last.scope != memory.scope or now - self._saved_at >= SAVE_EVERY:
            if last.scope != memory.scope:
                touched = frozenset({*last.runs, *memory.runs, *last.done, *memory.done})
            changes = await asyncio.to_thread(memory.dump, touched)
            await self._store.save_watch(self.watch, {**changes, **more})
            self._saved_at = now
        self._memory = memory

    def _note_failure(self, trouble: str) -> None:
        self._failures += 1
        self._site = None  # what comes back may be another version, with other settings
        since = self.health.unreachable_since
        if since is None:
            since = self._clock.now()
            self._log.warning("slurm_unreachable", since=local_time(since), error=trouble)
        self.health = dataclasses.replace(self.health, unreachable_since=since, trouble=trouble)

    def _note_success(self, site: Site) -> None:
        since = self.health.unreachable_since
        if since is not None:
            self._log.info("slurm_answers_again", after_seconds=round(self._clock.now() - since))
        if self.health.accounting and not site.accounting:
            self._log.warning("no_accounting", action="squeue_only", cluster=site.cluster)
        self._failures = 0
        self.health = dataclasses.replace(
            self.health,
            cluster=site.cluster,
            last_poll=self._clock.now(),
            unreachable_since=None,
            trouble=None,
            accounting=site.accounting,
        )

    def _note_watched(self) -> None:
        self.health = dataclasses.replace(
            self.health, jobs=len(self._memory.runs), accounting_trouble=self._inquiry.trouble
        )


def _dumped(events: Sequence[Event]) -> dict[str, str]:
    return {_TELLING: _EVENTS.dump_json(tuple(events)).decode()} if events else {}
