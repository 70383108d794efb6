"""Where a job's output went: the file name patterns of `sbatch --output`, filled in. Pure.

Versions print them differently: a default may come filled in (22.05), as a pattern with its
folder (24.05) or bare (25.11), and an unset stderr as stdout's, as nothing or as `(null)`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from notifyd.model import Job

_NOTHING = (None, "", "(null)")
_SYMBOL = re.compile(r"%(?:(%)|(\d{0,9}+)([AabJjNnstux])|\d*(\d))", re.ASCII)
_WIDEST = 10
"""Digits to which Slurm pads a number, whatever the pattern asks for."""
_TEXTS = "Nux"

_NO_TASK = 4294967294
"""What Slurm writes for the task of a job without any (NO_VAL)."""
_BATCH_STEP = 4294967291
"""The number of the step that runs the script (SLURM_BATCH_SCRIPT)."""

_FIRST_OF_RANGE = re.compile(r"\[([^][,\-]*+)[^][]*+\]")
_NODE = re.compile(r"[\w.\-]+")


def output_paths(
    job: Job, stdout: str | None, stderr: str | None, raw_id: str | None = None
) -> tuple[str | None, str | None]:
    """Return the absolute paths of stdout and stderr, from the patterns as Slurm prints them.

    None is a file that there is not, or one whose name cannot be told: the raw id of an array
    task or a het component, for one, is known to accounting alone. Where stderr was not set,
    it goes where stdout goes.
    """
    figures = _figures(job, raw_id)
    out = _path(stdout, figures, job.work_dir)
    return out, out if stderr in _NOTHING else _path(stderr, figures, job.work_dir)


def _path(
    pattern: str | None, figures: Mapping[str, str | None], work_dir: str | None
) -> str | None:
    if not pattern or pattern in _NOTHING:
        return None
    name = _expand(pattern, figures)
    # By the pattern, not by the name: a job called /etc/passwd does not write there.
    if name is not None and not pattern.startswith("/"):
        name = f"{work_dir.rstrip('/')}/{name}" if work_dir else None
    return None if name is None or name == "/dev/null" or "\0" in name else name


def _expand(pattern: str, figures: Mapping[str, str | None]) -> str | None:
    """Fill in the symbols (man sbatch, "filename pattern"); None if a figure is missing."""
    if "\\" in pattern:  # one anywhere switches all of them off, and is dropped
        return pattern.replace("\\", "")
    symbols = {found[3] for found in _SYMBOL.finditer(pattern) if found[3]}
    if any(figures[symbol] is None for symbol in symbols):
        return None
    return _SYMBOL.sub(lambda found: _filled(found, figures), pattern)


def _filled(found: re.Match[str], figures: Mapping[str, str | None]) -> str:
    percent, width, symbol, digit = found.groups()
    if symbol is None:
        return percent or digit  # Slurm leaves the last digit of a width for nothing
    figure = figures[symbol] or ""
    return figure if symbol in _TEXTS else figure.zfill(min(int(width or 0), _WIDEST))


def _figures(job: Job, raw_id: str | None) -> dict[str, str | None]:
    """Return by symbol what it stands for in the output of the batch script."""
    raw = raw_id or (job.job_id.removesuffix("+0") if job.array_job_id is None else None)
    raw = raw if raw and raw.isdecimal() else None
    task = _NO_TASK if job.array_task_id is None else job.array_task_id
    return {
        "A": job.array_job_id or raw,
        "a": str(task),
        "b": str(task % 10),
        "J": raw,
        "j": raw,
        "N": _first_node(job.node_list),
        "n": "0",
        "s": str(_BATCH_STEP),
        "t": "0",
        "u": job.user,
        "x": job.name,
    }


def _first_node(node_list: str | None) -> str | None:
    """Return the short name of the first node: `n3` of `n[3-5,9],gpu1`."""
    first = _FIRST_OF_RANGE.sub(r"\1", node_list or "").partition(",")[0]
    return first.partition(".")[0] if _NODE.fullmatch(first) else None
