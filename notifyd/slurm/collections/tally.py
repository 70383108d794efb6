"""How many ended how, in words: "97 ok · 2 out of memory (17, 41) · 1 timed out (88)". Pure."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping

from notifyd.slurm.collections.ids import IdSet

MOST_IDS = 10
"""Ids, or ranges of them, that are named of one outcome."""

OPEN = "open"
OK = "ok"
UNKNOWN = "outcome unknown"
NEVER_RAN = "never ran"
"""Cancelled before it started."""
OUTCOMES: Mapping[str, str] = {
    "job_completed": OK,
    "job_failed": "failed",
    "job_out_of_memory": "out of memory",
    "job_timed_out": "timed out",
    "job_node_failed": "lost their node",
    "job_preempted": "preempted",
    "job_cancelled": "cancelled",
    "job_outcome_unknown": UNKNOWN,
}
"""What the end of one job is called among many, in the order in which it is told."""

FAILURES = frozenset({"failed", "out of memory", "timed out", "lost their node"})


WORDS = (*OUTCOMES.values(), NEVER_RAN)


def outcome_of(kind: str, ran: bool) -> str | None:
    """Return what an event of this type makes of a job; None if it is no end."""
    return NEVER_RAN if kind == "job_cancelled" and not ran else OUTCOMES.get(kind)


def types_of(words: Collection[str]) -> tuple[str, ...]:
    """Return the types of the events that lead to one of these outcomes."""
    return tuple(
        sorted(
            kind
            for kind, word in OUTCOMES.items()
            if word in words or (kind == "job_cancelled" and NEVER_RAN in words)
        )
    )


def tally(members: Mapping[str, IdSet], array: str | None = None) -> str:
    """Return the counts in words, with the ids of all that did not go well.

    Of one array's tasks the number is enough.
    """
    own = f"{array}_" if array else ""
    return " · ".join(_part(word, members[word], own) for word in WORDS if word in members)


def _part(word: str, ids: IdSet, own: str) -> str:
    if word == OK:
        return f"{len(ids)} {word}"
    shown = list(itertools.islice(ids.spans(), MOST_IDS))
    hidden = len(ids) - sum(last - first + 1 for _, first, last in shown)
    more = f" and {hidden} more" if hidden else ""
    return f"{len(ids)} {word} ({', '.join(_span(span, own) for span in shown)}{more})"


def _span(span: tuple[str, int, int], own: str) -> str:
    head, first, last = span
    return f"{head.removeprefix(own)}{first}" + (f"-{last}" if last > first else "")
