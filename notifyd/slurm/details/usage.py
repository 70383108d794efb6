"""What a run used of what it had: from the row that `sacct` prints of it, and those of its steps.

Slurm measures by looking now and then (JobAcctGatherFrequency, slurm.conf): what comes and goes
in between is not seen, and so memory is "at least". Where a monitoring system has left its own
figures, they are the better ones.
"""

from __future__ import annotations

import dataclasses
import re
import signal as signals
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from notifyd.slurm.details.jobstats import ABSURD, Figures, from_admin_comment, percent
from notifyd.slurm.tables import cells

USAGE_FIELDS: tuple[str, ...] = (
    "JobID",
    "State",
    "ExitCode",
    "DerivedExitCode",
    "ElapsedRaw",
    "NNodes",
    "NCPUS",
    "NTasks",
    "AllocTRES",
    "ReqMem",
    "TotalCPU",
    "MaxRSS",
    "TRESUsageInTot",
    "AdminComment",
)
"""The columns of `sacct` that are read here; every version since 22.05 knows them."""

Row = Mapping[str, str]

_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)([KMGTPE]?)", re.ASCII)
_TIME = re.compile(r"(?:(\d{1,9})-)?(?:(\d{1,9}):)?(\d{1,9}):(\d{1,9}(?:\.\d{1,9})?)", re.ASCII)
_NO_STEPS = frozenset({"batch", "extern", "interactive"})
"""The script itself, whose end is the job's, and what is no step of the user's."""
_FAILURES = {
    "OUT_OF_MEMORY": "out of memory",
    "TIMEOUT": "timed out",
    "NODE_FAIL": "a node failed",
}
_FAULTS = frozenset(
    {
        *(signals.SIGILL, signals.SIGTRAP, signals.SIGABRT, signals.SIGBUS, signals.SIGFPE),
        *(signals.SIGSEGV, signals.SIGXCPU, signals.SIGXFSZ, signals.SIGSYS),
    }
)
"""What a program dies of by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage(Figures):
    """What a run used, and what went wrong inside it. What is not known is None.

    Sampled, the use of GPUs is that of single moments; monitored, it is an average over time.
    """

    source: Literal["sampled", "monitored"] | None = None
    """Who measured: Slurm, or a monitoring system (in part, if it does not know all)."""
    failed_steps: tuple[tuple[str, str], ...] = ()
    """Step and how it ended: `("0", "exit code 3")`. There may be thousands."""
    derived_exit_code: int | None = None
    """The highest exit code of its steps (sacct(1), DerivedExitCode)."""


def usage_of(row: Row, steps: Sequence[Row]) -> Usage:
    """Return the figures of a run. Never raises, whatever the cells hold.

    Without steps Slurm has measured nothing: all is None, but for what was monitored.
    """
    usage = _sampled(row, steps) if steps else Usage()
    monitored = from_admin_comment(row.get("AdminComment", ""))
    if monitored is None:
        return usage
    better = {
        name: value for name, value in dataclasses.asdict(monitored).items() if value is not None
    }
    return dataclasses.replace(usage, source="monitored", **better)


def size(cell: str) -> int | None:
    """Return the bytes of `2112K`, `1.5G` or `44118`; None for words and absurd sizes."""
    found = _SIZE.fullmatch(cell)
    if found is None:
        return None
    digits, unit = found.groups()
    factor = 1024 ** " KMGTPE".index(unit or " ")
    value = float(digits) * factor if "." in digits else int(digits) * factor
    return int(value) if value < ABSURD else None


def seconds(cell: str) -> float | None:
    """Return the seconds of `1-02:03:04`, `02:03:04` or `03:04.123`; None for words."""
    found = _TIME.fullmatch(cell)
    if found is None:
        return None
    days, hours, minutes = (int(group or 0) for group in found.groups()[:3])
    return ((days * 24 + hours) * 60 + minutes) * 60 + float(found[4])


def tres(cell: str) -> dict[str, str]:
    """Return the single resources of `cpu=00:00:01,mem=2112K,gres/gpu:a100=2`."""
    pairs = (part.partition("=") for part in cell.split(","))
    return {name: value for name, equals, value in pairs if equals}


def _sampled(row: Row, steps: Sequence[Row]) -> Usage:
    elapsed, cpus = _number(row, "ElapsedRaw"), _number(row, "NCPUS")
    allocated = tres(row.get("AllocTRES", ""))
    totals = [tres(step.get("TRESUsageInTot", "")) for step in steps]
    spent = _cpu_seconds(steps)
    used = _most(_memory(step, total) for step, total in zip(steps, totals, strict=True))
    asked = _memory_asked(row, allocated)
    gpus = _gpus(allocated)
    return Usage(
        cpu_seconds=spent,
        cpu_percent=percent(spent, elapsed * cpus if elapsed and cpus else None),
        memory_used_bytes=used,
        memory_asked_bytes=asked,
        memory_percent=percent(used, asked) if elapsed else None,
        gpus=gpus,
        gpu_percent=_gpu_percent(totals, gpus) if elapsed else None,
        gpu_memory_bytes=_most(size(total.get("gres/gpumem", "")) for total in totals)
        if gpus
        else None,
        source="sampled",
        failed_steps=tuple(failure for step in steps if (failure := _failure(step))),
        derived_exit_code=cells.exit_status(row.get("DerivedExitCode", ""))[0],
    )


def _cpu_seconds(steps: Iterable[Row]) -> float | None:
    """Of a step that was killed, Slurm may not count what its child processes used (sacct(1))."""
    times = [time for step in steps if (time := seconds(step.get("TotalCPU", ""))) is not None]
    return round(sum(times), 3) if times else None


def _memory(step: Row, total: Mapping[str, str]) -> int | None:
    """Return the memory of all tasks of a step, each at its highest.

    MaxRSS knows only the largest task; times their number it is an upper bound.
    """
    used = size(total.get("mem", ""))
    if used is None:
        used = (size(step.get("MaxRSS", "")) or 0) * (_number(step, "NTasks") or 1)
    # Nothing runs without memory: a zero was never looked at.
    return used if 0 < used < ABSURD else None


def _memory_asked(row: Row, allocated: Mapping[str, str]) -> int | None:
    """Return the memory of the whole job; None if it asked for all there is (`0`, `0n`, `?`)."""
    granted = size(allocated.get("mem", ""))
    if granted:
        return granted
    # Before 21.08 ReqMem was per node or per CPU, and said so; the database keeps such rows.
    cell = row.get("ReqMem", "")
    per = {"n": "NNodes", "c": "NCPUS"}.get(cell[-1:])
    count = _number(row, per) if per else 1
    asked = (size(cell[:-1] if per else cell) or 0) * (count or 0)
    return asked if 0 < asked < ABSURD else None


def _gpus(allocated: Mapping[str, str]) -> int | None:
    """A site may count GPUs, GPUs by type, or both: then they are the same GPUs."""
    plain = cells.number(allocated.get("gres/gpu", ""))
    typed = (cells.number(n) for name, n in allocated.items() if name.startswith("gres/gpu:"))
    return plain or sum(number or 0 for number in typed) or None


def _gpu_percent(totals: Iterable[Mapping[str, str]], gpus: int | None) -> float | None:
    """Slurm adds up the GPUs and tasks of a step: four busy GPUs are 400.

    Tasks that share a GPU have their highs at different times, and so may exceed what it can do.
    """
    added = _most(size(total.get("gres/gpuutil", "")) for total in totals)
    return None if added is None or not gpus else round(added / gpus, 1)


def _failure(step: Row) -> tuple[str, str] | None:
    name = step.get("JobID", "").partition(".")[2]
    if not name or name in _NO_STEPS:
        return None
    word, _ = cells.state(step.get("State", ""))
    text = _FAILURES.get(word) or _ending(word, *cells.exit_status(step.get("ExitCode", "")))
    return (name, text) if text else None


def _ending(word: str, code: int | None, signal: int | None) -> str | None:
    """Slurm says CANCELLED of every step that a signal ended.

    SIGTERM and its like were somebody's wish (scancel, srun, the end of the script);
    after SIGSEGV it was the program's own failure.
    """
    if word == "CANCELLED" and signal not in _FAULTS:
        return None
    if signal:
        return _signal(signal)
    if code:
        return f"exit code {code}"
    return "failed" if word == "FAILED" else None


def _signal(number: int) -> str:
    try:
        return f"signal {number} ({signals.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def _number(row: Row, name: str) -> int | None:
    return cells.number(row.get(name, ""))


def _most(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)
