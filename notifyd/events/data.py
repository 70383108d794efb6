"""The names in an event's data: flat, documented, and the same for every receiver."""

from __future__ import annotations

OF_THE_JOB = (
    "job_id",
    "array_job_id",
    "array_task_id",
    "user",
    "account",
    "partition",
    "cluster",
    "state",
    "reason",
    "exit_code",
    "signal",
    "restart_count",
    "submit_time",
    "start_time",
    "end_time",
    "time_limit_seconds",
    "nodes",
    "node_list",
    "cpus",
    "work_dir",
)
"""What a job event takes over from the job under the same name."""

JOB_DATA = (*OF_THE_JOB, "job_name", "elapsed_seconds", "advice", "cause")
"""Everything that a job event may hold; what is not known is absent."""

NUMBERS = frozenset(
    name
    for name in JOB_DATA
    if name.endswith(("_time", "_seconds"))
    or name in ("array_task_id", "exit_code", "signal", "restart_count", "nodes", "cpus")
)
"""Those of them that are numbers; all others are texts."""

MESSAGE_DATA = ("text", "channel")
"""What the events hold that a person makes with a command."""
