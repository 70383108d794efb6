"""Finds out what more there is to say of ends: figures, who cancelled, output, hints."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeGuard

from notifyd.model import Job, Scalar
from notifyd.slurm.client import SlurmError
from notifyd.slurm.details.hints import hints_for
from notifyd.slurm.details.names import Names
from notifyd.slurm.details.paths import output_paths
from notifyd.slurm.details.usage import Usage, usage_of
from notifyd.slurm.details.words import Facts
from notifyd.slurm.settings import SlurmSettings
from notifyd.slurm.tables.accounting import Entry
from notifyd.slurm.tables.cells import number
from notifyd.slurm.tables.queue import RunKey, key_of

READ_LINES = 60
"""Lines of output in which a hint is looked for, told or not."""
MOST_READ = 20
"""Outputs that are read in one look: each may hang for as long as its file server does."""
MOST_STEPS = 10
READING = 15.0
"""Seconds for all outputs of one look: what was not read by then is told without."""

_NO_FAILURE = frozenset({"COMPLETED", "CANCELLED"})

Data = dict[str, Scalar]
Paths = tuple[str | None, str | None]
"""Of stdout and stderr."""


class Outputs(Protocol):
    """Says where jobs that are still in the queue write to. Raises SlurmError."""

    async def outputs(self, job_ids: Sequence[str]) -> Mapping[str, tuple[str, str]]: ...


class Reader(Protocol):
    """Reads the last lines of a file as a user; None if there is nothing to be had."""

    async def tail(self, path: str, owner: str | None, lines: int) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What accounting has of a run that has ended."""

    job: Job
    entry: Entry | None = None
    usage: Usage = field(default_factory=Usage)
    patterns: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gatherer:
    """Gathers for one cluster. Whatever is not to be had is left out; nothing is raised."""

    settings: SlurmSettings
    outputs: Outputs
    reader: Reader
    names: Names = field(default_factory=Names)

    async def gather(
        self, ended: Sequence[Job], entries: Mapping[RunKey, Entry]
    ) -> dict[RunKey, Data]:
        """Return, by run, what an event may hold besides what the queue tells."""
        known = [_known(job, entries.get(key_of(job))) for job in ended]
        failed = [one for one in known if self._is_read(one.job)]
        paths = await self._paths(known, failed[:MOST_READ])
        texts = await self._texts(failed[:MOST_READ], paths)
        found = {}
        for one in known:
            key = key_of(one.job)
            out, err = paths[key]
            data = {**_figures(one.usage), **_inside(one.usage), "stdout": out, "stderr": err}
            uid = one.entry.job.cancelled_by if one.entry else None
            data["cancelled_by"] = None if uid is None else await self.names.of(uid)
            # In a thread: a site's own expressions may be slow.
            found[key] = data | await asyncio.to_thread(self._told_of, one, texts.get(key))
        return found

    def _is_read(self, job: Job) -> bool:
        allowed = self.settings.output_tail != "never"
        return allowed and job.state not in _NO_FAILURE and job.start_time is not None

    async def _paths(self, known: Sequence[_Known], read: Sequence[_Known]) -> dict[RunKey, Paths]:
        named = await self._patterns([one.job.job_id for one in read if not any(one.patterns)])
        return {
            key_of(one.job): output_paths(
                one.job, *(named.get(one.job.job_id) or one.patterns), _raw_id(one)
            )
            for one in known
        }

    async def _texts(
        self, read: Sequence[_Known], paths: Mapping[RunKey, Paths]
    ) -> dict[RunKey, str]:
        texts: dict[RunKey, str] = {}
        try:
            async with asyncio.timeout(READING):
                for one in read:
                    out, err = paths[key_of(one.job)]
                    texts[key_of(one.job)] = await self._tail(one.job, out, err) or ""
        except TimeoutError:
            return texts  # the others are told without
        return texts

    async def _patterns(self, job_ids: Sequence[str]) -> Mapping[str, tuple[str, str]]:
        """Ask the queue where accounting does not know (before 24.05, or where there is none)."""
        if not job_ids:
            return {}
        try:
            return await self.outputs.outputs(job_ids)
        except SlurmError:
            return {}

    async def _tail(self, job: Job, out: str | None, err: str | None) -> str | None:
        """Return the end of what it wrote: its output and then, if they are apart, its errors."""
        lines = max(READ_LINES, self._shown)
        texts = [
            await self.reader.tail(path, job.user, lines)
            for path in dict.fromkeys((out, err))
            if path is not None
        ]
        return "\n".join(text for text in texts if text and text.strip()) or None

    @property
    def _shown(self) -> int:
        most = self.settings.output_tail
        return 0 if most == "never" else most

    def _told_of(self, one: _Known, text: str | None) -> Data:
        hints = hints_for(_facts(one, text), self.settings.hints)
        shown = "\n".join(text.splitlines()[-self._shown :]) if text and self._shown else None
        return {"hint": "\n".join(hints) or None, "output": shown}


def _known(job: Job, entry: Entry | None) -> _Known:
    if entry is None:
        return _Known(job=job)
    patterns = (entry.row.get("StdOut", ""), entry.row.get("StdErr", ""))
    return _Known(job=job, entry=entry, usage=usage_of(entry.row, entry.steps), patterns=patterns)


def _raw_id(one: _Known) -> str | None:
    raw = one.entry.row.get("JobIDRaw", "") if one.entry else ""
    return raw if number(raw) is not None else None


def _figures(usage: Usage) -> Data:
    return {
        "cpu_percent": usage.cpu_percent,
        "memory_used_bytes": usage.memory_used_bytes,
        "memory_asked_bytes": usage.memory_asked_bytes,
        "memory_percent": usage.memory_percent,
        "gpus": usage.gpus,
        "gpu_percent": usage.gpu_percent,
        "gpu_memory_bytes": usage.gpu_memory_bytes,
    }


def _inside(usage: Usage) -> Data:
    """Return what went wrong inside a job, and where the figures are from."""
    steps = [f"step {name}: {how}" for name, how in usage.failed_steps[:MOST_STEPS]]
    more = len(usage.failed_steps) - len(steps)
    return {
        "figures_from": usage.source if any(_figures(usage).values()) else None,
        "derived_exit_code": usage.derived_exit_code or None,
        "failed_steps": "; ".join([*steps, *([f"and {more} more"] if more else [])]) or None,
    }


def _facts(one: _Known, output: str | None) -> Facts:
    job = one.job
    elapsed = max(job.end_time - job.start_time, 0) if job.end_time and job.start_time else None
    limit = job.time_limit_seconds
    measured = {
        **_figures(one.usage),
        "cpus": job.cpus,
        "nodes": job.nodes,
        "elapsed_seconds": elapsed,
        "time_limit_seconds": limit,
        "elapsed_percent": 100 * elapsed / limit if elapsed is not None and limit else None,
    }
    return Facts(
        state=job.state,
        exit_code=job.exit_code,
        signal=job.signal,
        reason=job.reason,
        output=output,
        figures={name: float(value) for name, value in measured.items() if _is_number(value)},
    )


def _is_number(value: Scalar) -> TypeGuard[int | float]:
    return isinstance(value, int | float)
