"""Turns a tale of a collection into the event that the rest of the program speaks of."""

from __future__ import annotations

from notifyd.events.catalogue import CATALOGUE
from notifyd.model import Event, Scalar, Severity, derived_id
from notifyd.slurm.collections.chapter import Chapter, Tale, summary
from notifyd.slurm.collections.tally import OK


def tale_event(tale: Tale) -> Event:
    """Return the event of a tale. Its id is derived: a replay gives the same."""
    chapter = tale.chapter
    mark = f"{chapter.number} {tale.mark}"
    where = chapter.array or f"collection/{chapter.name}"
    return Event(
        id=derived_id(chapter.cluster, where, int(chapter.opened), tale.type, mark),
        type=tale.type,
        severity=_severity(tale),
        time=tale.at,
        source=f"/slurm/{chapter.cluster}",
        subject=chapter.array or chapter.name,
        group=f"{chapter.cluster}/{where}",
        data={name: value for name, value in _data(tale).items() if value is not None},
        stands_for=tale.stands_for,
    )


def _severity(tale: Tale) -> Severity:
    chapter = tale.chapter
    if tale.type != "collection_completed":
        return CATALOGUE[tale.type].severity
    if chapter.failed:
        return Severity.ERROR
    return Severity.SUCCESS if chapter.ended.get(OK, 0) == chapter.done else Severity.WARNING


def _data(tale: Tale) -> dict[str, Scalar]:
    chapter = tale.chapter
    over = chapter.completed is not None
    return {
        "collection": chapter.name,
        "job_id": chapter.array,
        "job_name": chapter.job_name if chapter.array else None,
        "cluster": chapter.cluster,
        "user": chapter.user,
        "total": chapter.known,
        "done": chapter.done,
        "ok": chapter.ended.get(OK, 0),
        "failed": chapter.failed,
        "percent": _percent(chapter),
        "outcomes": summary(chapter),
        "over": over or None,
        "elapsed_seconds": max(int(chapter.latest - chapter.opened), 0) if over else None,
    }


def _percent(chapter: Chapter) -> int:
    return 100 * chapter.done // chapter.known if chapter.known else 0
