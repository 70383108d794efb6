"""What is told of a collection, and what is not."""

from __future__ import annotations

import dataclasses
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.model import Severity
from notifyd.slurm.collections.chapter import Tale, summary
from notifyd.slurm.collections.chapters import fold
from notifyd.slurm.collections.settings import CollectionSettings
from notifyd.slurm.collections.tale import tale_event
from notifyd.slurm.collections.tally import OUTCOMES
from tests.slurm.collections.lives import SET, START, Book, of_member, of_task

ENDS = sorted(OUTCOMES)
LIVES = st.lists(st.tuples(st.sampled_from(ENDS), st.integers(0, 5)), min_size=1, max_size=30)


def test_an_array_is_told_once() -> None:
    """One submission, one start, one end: not one of each task."""
    book = Book()
    assert book.look(*(of_task("job_submitted", i) for i in range(3))) == ["job_submitted"]
    assert book.look(*(of_task("job_started", i) for i in range(3))) == ["job_started"]
    ends = [of_task("job_completed", i, 9) for i in range(3)]
    assert book.look(*ends, after=9) == ["collection_completed"]


def test_who_asks_for_failures_hears_of_them() -> None:
    """A collection's events stand for those of its members."""
    book = Book()
    book.look(*(of_task("job_submitted", i) for i in range(2)))
    told = book.look(of_task("job_timed_out", 0, 5), of_task("job_completed", 1, 6), after=6)
    assert told == ["collection_completed"], "with the end in the same look, one message is enough"
    assert {"job_timed_out", "collection_failed"} <= set(book.tales[-1].stands_for)


def test_a_failure_is_told_once() -> None:
    """The first is news; the others are in the summary."""
    book = Book()
    book.look(*(of_task("job_submitted", i) for i in range(9)))
    book.look(of_task("job_failed", 1, 5), after=5)
    assert book.look(of_task("job_failed", 2, 6), after=6) == []


def test_a_failure_can_wait_for_the_end() -> None:
    """Then it takes the place of the completion."""
    book = Book({"sweep": CollectionSettings(name="*", fail_at="end", progress=())})
    book.look(of_member("job_submitted", "1"), of_member("job_submitted", "2"))
    assert book.look(of_member("job_failed", "1", 5), after=5) == []
    book.look(of_member("job_completed", "2", 6), after=6)
    assert book.look(after=66) == ["collection_failed"]


def test_a_set_settles_before_it_is_complete() -> None:
    """Nobody knows whether more jobs come; after a while none is expected."""
    book = Book(SET)
    book.look(of_member("job_submitted", "1"), of_member("job_submitted", "2"))
    book.look(of_member("job_completed", "1", 5), of_member("job_completed", "2", 5), after=5)
    assert book.look(after=64) == []
    assert book.look(after=65) == ["collection_completed"]


def test_a_list_of_ids_is_complete_at_once() -> None:
    """All that belong to it are known."""
    book = Book({"sweep": CollectionSettings(jobs=("1", "2"))})
    book.look(of_member("job_submitted", "1"), of_member("job_submitted", "2"))
    ends = [of_member("job_completed", one, 5) for one in ("1", "2")]
    assert book.look(*ends, after=5) == ["collection_completed"]


def test_a_late_member_opens_a_new_chapter() -> None:
    """Its end is told again, under another id."""
    book = Book(SET)
    for start in (0, 1000):
        book.look(of_member("job_submitted", str(start), start), after=start)
        book.look(of_member("job_completed", str(start), start + 5), after=start + 5)
        assert book.look(after=start + 70) == ["collection_completed"]
    assert len(set(book.ids())) == len(book.tales)


def test_members_may_be_told_too() -> None:
    """Somebody wants both."""
    book = Book({"sweep": CollectionSettings(name="*", tell_jobs=True)})
    assert book.look(of_member("job_submitted", "1")) == ["job_submitted"]


def test_a_job_of_no_collection_is_left_alone() -> None:
    """It keeps its place among the others."""
    alone = dataclasses.replace(of_member("job_started", "7"), collection=None)
    _, told = fold({}, [of_task("job_submitted", 1), alone], {}, START)
    assert [one.type for one in told] == ["job_submitted", "job_started"]


@pytest.mark.parametrize(
    ("end", "severity"),
    [
        ("job_completed", Severity.SUCCESS),
        ("job_cancelled", Severity.WARNING),
        ("job_outcome_unknown", Severity.WARNING),
        ("job_failed", Severity.ERROR),
    ],
)
def test_the_end_is_as_grave_as_the_worst_of_it(end: str, severity: Severity) -> None:
    """Success means that all succeeded."""
    book = Book()
    book.look(of_task("job_submitted", 1), of_task("job_submitted", 2))
    book.look(of_task("job_completed", 1, 5), of_task(end, 2, 5), after=5)
    event = tale_event(book.tales[-1])
    assert (event.type, event.severity) == ("collection_completed", severity)
    assert (event.subject, event.group) == ("36", "demo/36")


def test_a_chapter_is_forgotten_a_day_after_its_end() -> None:
    """Only what may still be corrected is kept."""
    book = Book()
    book.look(of_task("job_submitted", 1))
    book.look(of_task("job_completed", 1, 5), after=5)
    book.look(after=86404)
    assert list(book.chapters) == ["array/36"]
    book.look(after=86405)
    assert not book.chapters


@given(lives=LIVES, order=st.randoms(use_true_random=False))
def test_every_life_is_counted(lives: list[tuple[str, int]], order: Random) -> None:
    """Counts add up, the end comes once, a failure at most once, and shares only rise."""
    book = Book()
    book.look(*(of_task("job_submitted", i) for i in range(len(lives))))
    for moment in range(6):
        ends = [of_task(end, i, moment + 1) for i, (end, at) in enumerate(lives) if at == moment]
        order.shuffle(ends)
        book.look(*ends, after=moment + 1)
        chapter = book.chapters["array/36"]
        assert chapter.known == len(lives)
        assert chapter.done == sum(at <= moment for _, at in lives)
    assert book.times("collection_completed") == 1
    failing = {"job_failed", "job_timed_out", "job_out_of_memory", "job_node_failed"}
    last = max(at for _, at in lives)
    early = any(end in failing and at < last for end, at in lives)
    assert book.times("collection_failed") == early
    shares = [int(one.mark) for one in book.tales if one.type == "collection_progress"]
    assert shares == sorted(set(shares))
    assert len(set(book.ids())) == len(book.tales)


@given(lives=LIVES)
def test_a_replay_gives_the_same_ids(lives: list[tuple[str, int]]) -> None:
    """After a crash the same look is taken again from the old chapters."""
    begun, _ = fold({}, [of_task("job_submitted", i) for i in range(len(lives))], {}, START)
    ends = [of_task(end, i, at + 1.0) for i, (end, at) in enumerate(lives)]
    told = [fold(begun, ends, {}, START + later)[1] for later in (9, 9, 200)]
    ids = [[tale_event(one).id for one in each if isinstance(one, Tale)] for each in told]
    assert ids[0] == ids[1] == ids[2]
    assert ids[0]


@given(lives=LIVES)
def test_a_restart_between_two_looks_changes_nothing(lives: list[tuple[str, int]]) -> None:
    """What is read again is what was stored."""
    stored, kept = Book(SET), Book(SET, restarts=False)
    for book in (stored, kept):
        book.look(*(of_member("job_submitted", str(i)) for i in range(len(lives))))
        for moment in range(6):
            ends = [(end, i) for i, (end, at) in enumerate(lives) if at == moment]
            book.look(*(of_member(end, str(i), moment) for end, i in ends), after=moment)
        book.look(after=100)
    assert stored.tales == kept.tales
    assert stored.times("collection_completed") == 1


def test_a_preempted_task_that_comes_back_is_one_member() -> None:
    """Its array is not complete while another task runs."""
    book = Book()
    book.look(of_task("job_submitted", 1), of_task("job_submitted", 2))
    book.look(of_task("job_preempted", 1, 5), after=5)
    book.look(of_task("job_requeued", 1, 6), after=6)
    assert "collection_completed" not in book.look(of_task("job_completed", 1, 9), after=9)
    assert book.chapters["array/36"].known == 2


@given(steps=st.lists(st.tuples(st.sampled_from(["job_requeued", *ENDS]), st.integers(0, 4))))
def test_whatever_comes_back_no_member_is_counted_twice(steps: list[tuple[str, int]]) -> None:
    """An array of five stays one, and is complete only when none of the five is open."""
    book = Book()
    book.look(*(of_task("job_submitted", i) for i in range(5)))
    is_open = dict.fromkeys(range(5), True)
    for second, (kind, number) in enumerate(steps, start=1):
        if is_open[number] == (kind == "job_requeued"):
            continue
        is_open[number] = kind == "job_requeued"
        told = book.look(of_task(kind, number, second), after=second)
        assert ("collection_completed" in told) == (not any(is_open.values()))
        chapter = book.chapters["array/36"]
        assert (chapter.known, chapter.done) == (5, 5 - sum(is_open.values()))
    assert len(set(book.ids())) == len(book.tales)


def test_a_task_first_seen_after_a_requeue_is_a_member() -> None:
    """The daemon may start when it has been put back already."""
    book = Book()
    book.look(of_task("job_requeued", 1), of_task("job_requeued", 2))
    assert "collection_completed" not in book.look(of_task("job_completed", 1, 5), after=5)


def test_a_requeue_after_the_end_keeps_the_array_whole() -> None:
    """It is still an array of twenty, of which one runs again."""
    book = Book()
    book.look(*(of_task("job_submitted", i) for i in range(20)))
    book.look(*(of_task("job_failed", i, 5) for i in range(20)), after=5)
    book.look(of_task("job_requeued", 1, 9), after=9)
    assert book.chapters["array/36"].known == 20


def test_a_correction_of_what_is_forgotten_is_told_by_itself() -> None:
    """It opens no collection of one."""
    book = Book()
    assert book.look(of_task("job_completed", 1, 5, corrects=True), after=9) == ["job_completed"]


def test_a_correction_after_the_end_is_the_members_own() -> None:
    """The collection's story has been told, and it did not fail anew."""
    book = Book()
    book.look(of_task("job_submitted", 1))
    book.look(of_task("job_outcome_unknown", 1, 5), after=5)
    assert book.look(of_task("job_failed", 1, 4, corrects=True), after=7) == ["job_failed"]


def test_the_time_of_the_end_is_slurms() -> None:
    """A daemon that was away for hours does not add them."""
    book = Book()
    book.look(of_task("job_submitted", 1), of_task("job_completed", 1, 600), after=28800)
    event = tale_event(book.tales[-1])
    assert (event.time, event.data["elapsed_seconds"]) == (START + 600, 600)


def test_no_progress_is_told_when_all_have_ended() -> None:
    """The completion is about to be."""
    book = Book(SET)
    book.look(of_member("job_submitted", "1"))
    assert book.look(of_member("job_completed", "1", 5), after=6) == []


def test_two_tellings_of_the_progress_are_two_events() -> None:
    """One id for both would lose the second; without an end there is none to tell."""
    every = CollectionSettings(name="*", progress=(), progress_every=60.0)
    book = Book({"sweep": every})
    book.look(*(of_member("job_submitted", str(i)) for i in range(9)))
    book.look(of_member("job_completed", "1", 5), after=70)
    book.look(of_member("job_submitted", "99", 100), after=140)
    assert book.times("collection_progress") == 1


def test_an_end_seen_right_after_a_telling_is_in_the_next() -> None:
    """Slurm's time of it lies before the telling."""
    every = CollectionSettings(name="*", progress=(), progress_every=60.0)
    book = Book({"sweep": every})
    book.look(*(of_member("job_submitted", str(i)) for i in range(9)))
    book.look(of_member("job_completed", "1", 5), after=70)
    book.look(of_member("job_completed", "2", 69), after=71)
    assert book.look(after=140) == ["collection_progress"]


def test_a_set_names_tasks_by_their_whole_id() -> None:
    """Two arrays have a task 3."""
    book = Book(SET)
    both = ("36_3", "40_3")
    book.look(*(of_member("job_submitted", one) for one in both))
    book.look(*(of_member("job_failed", one, 5) for one in both), after=5)
    assert summary(book.chapters["sweep"]) == "2 failed (36_3, 40_3)"
