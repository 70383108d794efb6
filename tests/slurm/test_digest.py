"""Much that was missed is told in one message, and nothing that is fresh is hidden in it."""

from __future__ import annotations

from notifyd.events.catalogue import CATALOGUE
from notifyd.model import Event, Severity
from notifyd.slurm.digest import Folding, fold_late
from tests.fakes import an_event

NOW = 1_000_000.0
FOLDING = Folding(most=3, now=NOW)


def end(job: str, kind: str = "job_completed", ago: float = 3600.0, **more: object) -> Event:
    """Return the end of a job so many seconds ago."""
    data = {"job_id": job, "cluster": "demo", "user": "alice"}
    id = f"{job} {kind} {ago}"
    severity = CATALOGUE[kind].severity
    values = {"id": id, "subject": job, "group": job, "time": NOW - ago, "data": data}
    return an_event(kind, **(values | {"severity": severity} | more))


def test_few_late_ends_are_told_one_by_one() -> None:
    """And many that are not late, too."""
    few = [end(str(n)) for n in range(3)]
    fresh = [end(str(n), ago=10) for n in range(20)]
    assert fold_late(few, FOLDING) == few
    assert fold_late(fresh, FOLDING) == fresh


def test_many_late_ends_are_one_message_with_their_counts() -> None:
    """As grave as the worst of them, and heard by whoever would have heard one."""
    events = [end(str(n)) for n in range(5)] + [end("7", "job_failed"), end("9", "job_timed_out")]
    (digest,) = fold_late(events, FOLDING)
    assert digest.data["outcomes"] == "5 completed · 1 failed (7) · 1 timed out (9)"
    assert digest.severity is Severity.ERROR
    assert {"job_failed", "job_timed_out"} <= set(digest.stands_for)


def test_what_a_job_did_after_its_late_end_is_told() -> None:
    """It was put back, ran again, and failed a moment ago: that is news."""
    again = [end("1", "job_requeued", 100), end("1", "job_failed", 20)]
    digest, *rest = fold_late([*(end(str(n)) for n in range(5)), *again], FOLDING)
    assert digest.data["total"] == 5
    assert rest == again


def test_the_same_ends_are_the_same_digest() -> None:
    """A replay is not told twice."""
    events = [end(str(n)) for n in range(9)]
    assert fold_late(events, FOLDING)[0].id == fold_late(events, FOLDING)[0].id
