"""Asks accounting what the queue does not say, and leaves it alone while it does not answer."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from notifyd.clock import Clock
from notifyd.model import Job
from notifyd.slurm.client import Site, SlurmError
from notifyd.slurm.states import END_EVENTS
from notifyd.slurm.tables.accounting import Entry
from notifyd.slurm.tables.queue import RunKey, key_of
from notifyd.slurm.tracker.gaps import gap_after_asking, gap_now
from notifyd.slurm.tracker.look import Look
from notifyd.slurm.tracker.memory import Gap, Memory, Scope
from notifyd.slurm.tracker.views import runs_to_ask

SLACK = 600
"""Seconds by which a question reaches further back than it would have to."""
LAG = 0.5
"""Seconds until an end that the queue has already told is asked for once more."""
MOST_DETAILS = 200
"""Ends in one look of which more is found out than that they ended."""
_FIRST_PAUSE, _LONGEST_PAUSE = 15.0, 120.0


class Accounting(Protocol):
    """What is asked of accounting; each call raises SlurmError."""

    async def runs(self, cluster: str, job_ids: Sequence[str], since: int) -> list[Entry]: ...
    async def ended(self, cluster: str, since: int) -> list[Entry]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What accounting said: of which runs, and what is left of the gap."""

    entries: tuple[Entry, ...] = ()
    asked: frozenset[RunKey] = frozenset()
    gap: Gap | None = None

    def add_to(self, look: Look, scope: Scope) -> Look:
        """Return the look with what accounting said of those who are watched.

        An id may belong to somebody else by now.
        """
        records = [entry.job for entry in self.entries if scope.covers(entry.job)]
        return dataclasses.replace(look, records=records, asked=self.asked)


class Inquiry:
    """One cluster's accounting, with its back-off."""

    def __init__(self, accounting: Accounting, clock: Clock) -> None:
        self._accounting = accounting
        self._clock = clock
        self._failures = 0
        self._ask_at = 0.0
        self._log = structlog.get_logger("slurm")
        self.trouble: str | None = None

    async def ask(self, site: Site, memory: Memory, look: Look) -> Answer:
        """Ask about what is missing and about a gap. While it does not answer, neither is over."""
        gap = gap_now(memory, site.min_job_age, look.now)
        if not site.accounting:
            return Answer()
        if look.now < self._ask_at:
            return Answer(gap=gap)
        missing = runs_to_ask(memory, look)
        gap_is_due = gap is not None and look.now >= gap.ask_at
        entries: list[Entry] = []
        asked: frozenset[RunKey] = frozenset()
        try:
            if missing:
                entries += await self._runs(site, missing)
                asked = missing
            if gap is not None and gap_is_due:
                entries += await self._accounting.ended(site.cluster, int(gap.since) - SLACK)
                gap = gap_after_asking(gap, look.now)
                self._note(None)
        except SlurmError as error:
            self._note(str(error))  # what came before it counts all the same
        return Answer(entries=tuple(entries), asked=asked, gap=gap)

    async def details(
        self, site: Site, ended: Iterable[Job], known: Iterable[Entry]
    ) -> dict[RunKey, Entry]:
        """Return what accounting has of runs whose end is about to be told.

        It may lag behind the queue by a moment: it is asked twice, and then the end is told
        without its figures.
        """
        entries = {key_of(entry.job): entry for entry in known}
        whole = {key for key, entry in entries.items() if entry.whole}
        wanted = {key_of(job) for job in ended} - whole
        if not site.accounting:
            return entries
        for pause in (0.0, LAG):
            left = {key for key in wanted if not _is_told(entries.get(key))}
            if not left or self._clock.now() < self._ask_at:
                break
            await self._clock.wait(asyncio.Event(), pause)
            try:
                found = await self._runs(site, left)
            except SlurmError as error:
                self._note(str(error))
                break
            entries |= {key_of(entry.job): entry for entry in found}
        return entries

    async def _runs(self, site: Site, keys: Iterable[RunKey]) -> list[Entry]:
        ids = sorted({job_id.partition("+")[0] for job_id, _ in keys})
        since = min(submit for _, submit in keys) - SLACK
        found = await self._accounting.runs(site.cluster, ids, since)
        self._note(None)
        return found

    def _note(self, trouble: str | None) -> None:
        if trouble and self.trouble is None:
            self._log.warning("accounting_unreachable", error=trouble)
        if trouble is None and self.trouble:
            self._log.info("accounting_answers_again")
        self._failures = self._failures + 1 if trouble else 0
        pause = patience(_FIRST_PAUSE, self._failures) if trouble else 0.0
        self._ask_at = self._clock.now() + pause
        self.trouble = trouble


def patience(shortest: float, failures: int) -> float:
    """Return the seconds until something that has failed so often in a row is asked again."""
    return max(shortest, min(shortest * 2.0 ** min(failures - 1, 10), _LONGEST_PAUSE))


def _is_told(entry: Entry | None) -> bool:
    if entry is None or not entry.whole:
        return False
    return entry.job.state in END_EVENTS and entry.job.end_time is not None
