"""The figures shown beside a message, in the order in which people want them."""

from __future__ import annotations

from collections.abc import Mapping

from notifyd.model import Event, Scalar
from notifyd.units import duration, one_line, percent, size, timestamp


def facts_of(event: Event) -> tuple[tuple[str, str], ...]:
    """Return label and value of everything the event knows; what it does not know is left out."""
    data = event.data
    if "cluster" not in data and "job_id" not in data:
        return ()
    rows = (
        ("Job", data.get("job_id")),
        ("Name", data.get("job_name")),
        ("State", data.get("state")),
        ("Reason", data.get("reason")),
        ("Exit code", data.get("exit_code")),
        ("Signal", data.get("signal")),
        ("Failed steps", data.get("failed_steps")),
        ("Elapsed", _elapsed(data.get("elapsed_seconds"), data.get("time_limit_seconds"))),
        ("Waited", _duration(data.get("wait_seconds"))),
        ("Memory", _memory(data)),
        ("CPU", _share(data.get("cpu_percent"), data)),
        ("GPU", _share(data.get("gpu_percent"), data)),
        ("Started", _time(data.get("start_time"))),
        ("Ended", _time(data.get("end_time"))),
        ("Restarts", data.get("restart_count") or None),
        ("Partition", data.get("partition")),
        ("Nodes", data.get("node_list")),
        ("CPUs", data.get("cpus")),
        ("GPUs", data.get("gpus")),
        ("Components", data.get("components")),
        ("Folder", data.get("work_dir")),
        ("Output", data.get("stdout")),
        ("Errors", _errors(data)),
        ("Comment", data.get("comment")),
        ("Collection", None if "outcomes" in data else data.get("collection")),
        ("User", data.get("user")),
        ("Cluster", data.get("cluster")),
    )
    return tuple(
        (label, one_line(value) if isinstance(value, str) else str(value))
        for label, value in rows
        if value is not None and value != ""
    )


def _elapsed(seconds: Scalar, limit: Scalar) -> str | None:
    if not isinstance(seconds, int):
        return None
    if not isinstance(limit, int):
        return duration(seconds)
    return f"{duration(seconds)} of {duration(limit)}"


def _duration(seconds: Scalar) -> str | None:
    return duration(seconds) if isinstance(seconds, int) else None


def _memory(data: Mapping[str, Scalar]) -> str | None:
    """Return `3.1 GB of 64 GB (5 %, sampled)`."""
    used, asked = data.get("memory_used_bytes"), data.get("memory_asked_bytes")
    if not isinstance(used, int):
        return None
    of = f" of {size(asked)}" if isinstance(asked, int) else ""
    share = data.get("memory_percent")
    notes = [percent(share)] if isinstance(share, int | float) else []
    return f"{size(used)}{of} ({', '.join([*notes, *_sampled(data)])})".replace(" ()", "")


def _share(share: Scalar, data: Mapping[str, Scalar]) -> str | None:
    if not isinstance(share, int | float):
        return None
    return " ".join([percent(share), *(f"({note})" for note in _sampled(data))])


def _sampled(data: Mapping[str, Scalar]) -> list[str]:
    # Slurm looks every half minute or so: what comes and goes in between is not seen.
    return ["sampled"] if data.get("figures_from") == "sampled" else []


def _errors(data: Mapping[str, Scalar]) -> Scalar:
    return None if data.get("stderr") == data.get("stdout") else data.get("stderr")


def _time(seconds: Scalar) -> str | None:
    return timestamp(seconds) if isinstance(seconds, int) else None
