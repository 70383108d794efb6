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
    "comment",
    "sluid",
)
"""What a job event takes over from the job under the same name."""

FIGURES = (
    "cpu_percent",
    "memory_used_bytes",
    "memory_asked_bytes",
    "memory_percent",
    "gpus",
    "gpu_percent",
    "gpu_memory_bytes",
)
"""What a run used, and how much of what it had asked for; percentages may exceed 100."""

OF_AN_END = (
    *FIGURES,
    "figures_from",
    "derived_exit_code",
    "failed_steps",
    "cancelled_by",
    "stdout",
    "stderr",
    "output",
    "hint",
)
"""What is found out besides when a run has ended."""

JOB_DATA = (
    *OF_THE_JOB,
    *OF_AN_END,
    "job_name",
    "elapsed_seconds",
    "wait_seconds",
    "estimated_start",
    "advice",
    "cause",
    "corrects",
    "components",
    "collection",
)
"""Everything that a job event may hold; what is not known is absent."""

COLLECTION_DATA = ("total", "done", "ok", "failed", "percent", "outcomes", "over")
"""What the events hold besides that tell of many jobs."""

NUMBERS = frozenset(
    name
    for name in (*JOB_DATA, *COLLECTION_DATA)
    if name.endswith(("_time", "_seconds", "_bytes", "percent"))
    or name
    in (
        *("array_task_id", "exit_code", "signal", "restart_count", "nodes", "cpus"),
        *("gpus", "derived_exit_code", "estimated_start", "total", "done", "ok", "failed"),
    )
)
"""Those of them that are numbers; all others are texts, but for `corrects` and `over`: true."""

MESSAGE_DATA = ("text", "channel")
"""What the events hold that a person makes with a command."""

CHANNEL_DATA = ("channel_name", "error", "lasted_seconds")
"""What the events hold that tell of a channel's trouble."""
