"""What single cells of Slurm's tables mean: times, limits, exit codes, lists of array tasks."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator

NO_LIMIT = 365 * 86400
"""Seconds: what the backfill scheduler writes where there is no time limit at all."""

MOST_TASKS = 100_000
"""Tasks of one array that a list is expanded to: a short text must not fill the memory."""

_NOTHING = frozenset(
    {"", "N/A", "n/a", "(null)", "NONE", "None", "Unknown", "INVALID", "NOT_SET", "None assigned"}
)
_LIMIT = re.compile(r"(?:(\d{1,9})-)?(?:(\d{1,9}):)?(\d{1,9}):(\d{1,9})", re.ASCII)
_TASKS = re.compile(r"(\d+)_\[([\d,:-]+)(\.\.\.)?(?:%\d+)?\]", re.ASCII)
_SPAN = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?(?::(\d{1,9}))?", re.ASCII)
_HET = re.compile(r"(\d+)\+(\d{1,4})", re.ASCII)


class ParseError(Exception):
    """Slurm's output is not what was asked for: cut short, or from another program."""


def text(cell: str) -> str | None:
    """Return the cell, or None for each of Slurm's words for nothing."""
    return None if cell in _NOTHING else cell


def number(cell: str) -> int | None:
    """Return a count or a time in Unix seconds; None for words such as Unknown."""
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 19 else None


def required_time(cell: str) -> int:
    """Return a time without which a row means nothing. Raises ParseError."""
    time = number(cell)
    if time is None:
        raise ParseError(f"not a time in seconds: {cell[:40]!r} (is the command a wrapper?)")
    return time


@functools.lru_cache(maxsize=1000)
def exit_status(cell: str) -> tuple[int | None, int | None]:
    """Return exit code and signal of `7:0`, or of the raw wait status that 22.05 prints."""
    code, colon, signal = cell.strip().partition(":")
    status = number(code)
    if status is None:
        return None, None
    if colon:
        return status, number(signal) or None
    return status >> 8 & 0xFF, status & 0x7F or None


@functools.lru_cache(maxsize=1000)
def time_limit(cell: str) -> int | None:
    """Return the seconds of `1-02:03:04`, `2:03:04` or `3:04`; None for UNLIMITED and words."""
    found = _LIMIT.fullmatch(cell)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(group or 0) for group in found.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return None if total == NO_LIMIT else total


def limit_of_minutes(cell: str) -> int | None:
    """Return the seconds of sacct's TimelimitRaw."""
    minutes = number(cell)
    return None if minutes is None or minutes * 60 == NO_LIMIT else minutes * 60


def state(cell: str) -> tuple[str, int | None]:
    """Return the state word and, of `CANCELLED by 1000`, who did it (uid)."""
    word, _, rest = cell.strip().partition(" ")
    return word.rstrip("+"), number(rest.removeprefix("by ")) if rest else None


def array_of(job_id: str) -> tuple[str | None, int | None]:
    """Return array id and task number of `36_3`; None twice for any other id."""
    base, array, task = job_id.partition("_")
    if not array:
        return None, None
    index = number(task)
    return (base, index) if index is not None else (None, None)


def plain_id(job_id: str) -> str:
    """Return the id as people write it: `12+0`, the leader of a het job, is the job `12`."""
    if "+" not in job_id:
        return job_id
    found = _HET.fullmatch(job_id)
    return found[1] if found and int(found[2]) == 0 else job_id


def leader_of(job_id: str) -> str | None:
    """Return the het job that `12+1` is a component of; None for anything else."""
    if "+" not in job_id:
        return None
    found = _HET.fullmatch(job_id)
    return found[1] if found and int(found[2]) else None


def expand_tasks(job_id: str) -> Iterator[str]:
    """Yield each task of `36_[1-3,7-9:2%4]`; any other id as it is.

    Of a list that Slurm has cut short (`36_[1-3,...]`) only what is there is known.
    """
    found = _TASKS.fullmatch(job_id)
    if found is None:
        yield plain_id(job_id)
        return
    parts = found[2].split(",")
    if found[3]:
        parts.pop()  # empty, or half a number: `1-3,...`, `1-3,10...`
    tasks = itertools.chain.from_iterable(map(_span, parts))
    yield from (f"{found[1]}_{task}" for task in itertools.islice(tasks, MOST_TASKS))


def _span(part: str) -> range:
    span = _SPAN.fullmatch(part)
    if span is None:
        return range(0)
    first, last, step = (int(group or 0) for group in span.groups())
    return range(first, max(first, last) + 1, max(step, 1))
