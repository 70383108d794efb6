"""Every type of event: its name, its severity, its parent, and what it says.

A parent is a type that also hears its children: who asks for `job_failed` hears
`job_timed_out` too. Patterns (`job_*`, `all`, `*`) are for those who want more.
"""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass

from notifyd.model import Severity


@dataclass(frozen=True, slots=True)
class EventType:
    """One line of the catalogue."""

    name: str
    severity: Severity
    says: str
    parent: str | None = None
    told: bool = True
    """False for a mere parent, which is asked for but never happens itself."""


CATALOGUE: dict[str, EventType] = {
    kind.name: kind
    for kind in (
        EventType("job_submitted", Severity.INFO, "A job was submitted."),
        EventType("job_started", Severity.INFO, "A job began to run."),
        EventType("job_suspended", Severity.WARNING, "A running job was suspended."),
        EventType("job_resumed", Severity.INFO, "A suspended job runs again."),
        EventType("job_requeued", Severity.WARNING, "A job was put back into the queue."),
        EventType("job_stuck", Severity.WARNING, "A job waits for what will never come."),
        EventType("job_waiting", Severity.INFO, "A job has been waiting for long."),
        EventType("job_time_limit_50", Severity.INFO, "Half of a job's time limit is over."),
        EventType("job_time_limit_80", Severity.INFO, "80 % of a job's time limit is over."),
        EventType("job_time_limit_90", Severity.WARNING, "90 % of a job's time limit is over."),
        EventType("job_time_limit_reached", Severity.WARNING, "A job has reached its time limit."),
        EventType("job_ended", Severity.INFO, "A job ended, however it ended.", told=False),
        EventType("job_completed", Severity.SUCCESS, "A job succeeded.", "job_ended"),
        EventType("job_cancelled", Severity.WARNING, "A job was cancelled.", "job_ended"),
        EventType("job_preempted", Severity.WARNING, "A job was preempted.", "job_ended"),
        EventType("job_failed", Severity.ERROR, "A job failed.", "job_ended"),
        EventType("job_timed_out", Severity.ERROR, "A job hit its time limit.", "job_failed"),
        EventType("job_out_of_memory", Severity.ERROR, "A job hit its memory limit.", "job_failed"),
        EventType("job_node_failed", Severity.ERROR, "A node failed under a job.", "job_failed"),
        EventType(
            "job_outcome_unknown",
            Severity.WARNING,
            "A job left the queue, and how it ended is not known yet.",
            "job_ended",
        ),
        EventType("job_digest", Severity.INFO, "Many jobs ended while nobody watched."),
        EventType("collection_progress", Severity.INFO, "A part of a collection's jobs has ended."),
        EventType("collection_failed", Severity.ERROR, "A job of a collection failed."),
        EventType("collection_completed", Severity.SUCCESS, "All of a collection's jobs ended."),
        EventType("channel_degraded", Severity.WARNING, "A channel has been failing for a while."),
        EventType("channel_disabled", Severity.ERROR, "A service takes nothing from a channel."),
        EventType("channel_recovered", Severity.SUCCESS, "A channel works again."),
        EventType("digest", Severity.INFO, "Several messages in one.", told=False),
        EventType("message", Severity.INFO, "Somebody sent a text with `notifyd send`."),
        EventType("test", Severity.INFO, "Somebody tried a channel with `notifyd test`."),
    )
}

SEVERITIES = tuple(Severity)
"""From least to most."""

EVERYTHING = frozenset({"all", "*"})


def lineage(name: str) -> tuple[str, ...]:
    """Return the type and its parents, nearest first: `job_timed_out, job_failed, job_ended`."""
    names = []
    kind = CATALOGUE.get(name)
    while kind is not None:
        names.append(kind.name)
        kind = CATALOGUE.get(kind.parent) if kind.parent else None
    return tuple(names) or (name,)


def matches(patterns: Iterable[str], *names: str) -> bool:
    """Tell whether somebody who asked for these patterns hears one of these types."""
    family = [one for name in names for one in lineage(name)]
    return any(
        pattern in EVERYTHING or any(fnmatch.fnmatchcase(one, pattern) for one in family)
        for pattern in patterns
    )


def check_pattern(pattern: str) -> str | None:
    """Return what is wrong with a pattern that no type can match, or None."""
    if pattern in EVERYTHING or any(fnmatch.fnmatchcase(name, pattern) for name in CATALOGUE):
        return None
    close = difflib.get_close_matches(pattern, [*CATALOGUE, "all"], n=1)
    hint = f"; did you mean `{close[0]}`?" if close else f". There are: {', '.join(CATALOGUE)}"
    return f"no such event `{pattern}`{hint}"
