"""The figures shown beside a message, in the order in which people want them."""

from __future__ import annotations

from notifyd.model import Event, Scalar
from notifyd.rendering.filters import duration, one_line, timestamp


def facts_of(event: Event) -> tuple[tuple[str, str], ...]:
    """Return label and value of everything the event knows; what it does not know is left out."""
    data = event.data
    if "job_id" not in data:
        return ()
    rows = (
        ("Job", data.get("job_id")),
        ("Name", data.get("job_name")),
        ("State", data.get("state")),
        ("Reason", data.get("reason")),
        ("Exit code", data.get("exit_code")),
        ("Signal", data.get("signal")),
        ("Elapsed", _elapsed(data.get("elapsed_seconds"), data.get("time_limit_seconds"))),
        ("Started", _time(data.get("start_time"))),
        ("Ended", _time(data.get("end_time"))),
        ("Restarts", data.get("restart_count") or None),
        ("Partition", data.get("partition")),
        ("Nodes", data.get("node_list")),
        ("CPUs", data.get("cpus")),
        ("Folder", data.get("work_dir")),
        ("User", data.get("user")),
        ("Cluster", data.get("cluster")),
    )
    return tuple((label, one_line(value)) for label, value in rows if value not in (None, ""))


def _elapsed(seconds: Scalar, limit: Scalar) -> str | None:
    if not isinstance(seconds, int):
        return None
    if not isinstance(limit, int):
        return duration(seconds)
    return f"{duration(seconds)} of {duration(limit)}"


def _time(seconds: Scalar) -> str | None:
    return timestamp(seconds) if isinstance(seconds, int) else None
