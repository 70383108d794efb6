"""How many ended how, in words: "97 ok · 2 out of memory (17, 41) · 1 timed out (88)". Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

MOST_IDS = 10
"""Ids, or ranges of them, that are named of one outcome."""

OK = "ok"
UNKNOWN = "outcome unknown"
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


def tally(counts: Mapping[str, int], ids: Mapping[str, Sequence[str]]) -> str:
    """Return the counts in words, with the ids of all that did not go well."""
    return " · ".join(_part(word, counts, ids) for word in OUTCOMES.values() if counts.get(word))


def _part(word: str, counts: Mapping[str, int], ids: Mapping[str, Sequence[str]]) -> str:
    count = counts[word]
    named = list(compact(ids.get(word, ())))
    if word == OK or not named:
        return f"{count} {word}"
    shown = ", ".join(named[:MOST_IDS])
    hidden = count - sum(map(_length, named[:MOST_IDS]))
    more = f" and {hidden} more" if hidden > 0 else ""
    return f"{count} {word} ({shown}{more})"


def compact(ids: Sequence[str]) -> Iterator[str]:
    """Yield ids in order, neighbours as one range: `3-7`, `12`."""
    numbers = sorted(int(one) for one in ids if one.isascii() and one.isdigit())
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        span = [number for _, number in run]
        yield str(span[0]) if len(span) == 1 else f"{span[0]}-{span[-1]}"
    yield from sorted(one for one in ids if not (one.isascii() and one.isdigit()))


def _length(part: str) -> int:
    first, dash, last = part.partition("-")
    return int(last) - int(first) + 1 if dash and first.isdigit() else 1
