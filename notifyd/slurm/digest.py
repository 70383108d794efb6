"""Tells what happened while nobody watched in one message, when it is much. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from notifyd.events.catalogue import CATALOGUE, SEVERITIES
from notifyd.model import Event, Scalar, derived_id
from notifyd.slurm.states import END_EVENTS

LATE = 300.0
"""Seconds: an end that is told later than this was missed, not just seen at the next look."""

_ENDS = frozenset(END_EVENTS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Folding:
    """When events are told in one."""

    most: int
    """More late ends than this are one digest."""
    now: float
    late: float = LATE


def fold_late(events: Sequence[Event], folding: Folding) -> list[Event]:
    """Return the events, with late ends and what led to them folded into one if they are many."""
    before = folding.now - folding.late
    late = [event for event in events if event.type in _ENDS and event.time < before]
    if len(late) <= folding.most:
        return list(events)
    late_ids = {event.id for event in late}
    last = {event.group: place for place, event in enumerate(events) if event.id in late_ids}
    folded: list[Event] = []
    rest: list[Event] = []
    for place, event in enumerate(events):
        # What a job did after its last late end is news: it was put back, say, and failed.
        (folded if place <= last.get(event.group, -1) else rest).append(event)
    return [_digest(folded, late), *rest]


def _digest(folded: Sequence[Event], ends: Sequence[Event]) -> Event:
    worst = max((event.severity for event in ends), key=SEVERITIES.index)
    first = ends[0]
    data: dict[str, Scalar] = {
        "total": len(ends),
        "outcomes": _outcomes(ends),
        "cluster": first.data.get("cluster"),
        "user": _only({event.data.get("user") for event in ends}),
        "start_time": int(min(event.time for event in ends)),
        "end_time": int(max(event.time for event in ends)),
    }
    id = derived_id("job_digest", *sorted(event.id for event in folded))
    return Event(
        id=id,
        type="job_digest",
        severity=worst,
        time=max(event.time for event in ends),
        source=first.source,
        subject="digest",
        group=f"{first.source}/digest/{id}",
        data={name: value for name, value in data.items() if value is not None},
        stands_for=tuple(sorted({event.type for event in folded})),
    )


def _only(values: set[Scalar]) -> Scalar:
    return next(iter(values)) if len(values) == 1 else None


def _outcomes(ends: Sequence[Event]) -> str:
    """Return `9 completed · 2 failed (17, 36_3) · 1 timed out (88)`."""
    counts = Counter(event.type for event in ends)
    parts = []
    for kind in sorted(counts, key=lambda name: SEVERITIES.index(CATALOGUE[name].severity)):
        words = kind.removeprefix("job_").replace("_", " ")
        ids = [event.subject for event in ends if event.type == kind]
        parts.append(f"{counts[kind]} {words}{'' if kind == 'job_completed' else _ids(ids)}")
    return " · ".join(parts)


def _ids(ids: Sequence[str], most: int = 10) -> str:
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return f" ({', '.join(ids[:most])}{more})"
