"""Which collection a job belongs to."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from notifyd.slurm.collections.membership import Membership, array_sizes
from notifyd.slurm.collections.settings import CollectionSettings
from tests.fakes import a_job

TASKS = [a_job(f"36_{i}", array_job_id="36", array_task_id=i) for i in range(11)]


def test_a_big_array_is_a_collection_of_its_own() -> None:
    """More than ten tasks are; ten are not, and with `all` none is."""
    for tasks, most, name in ((11, 10, "array/36"), (10, 10, None), (11, "all", None)):
        sizes = array_sizes(TASKS[:tasks], {})
        mine = Membership(array_task_events=most, sizes=sizes)  # type: ignore[arg-type]
        assert mine.collection_of(TASKS[0]) == name


def test_a_task_in_two_tables_is_counted_once() -> None:
    """The queue and accounting may both show it."""
    assert array_sizes([*TASKS, *TASKS], {}) == {"36": 11}


def test_a_comment_comes_first_and_then_the_order_written() -> None:
    """What a user says of a job is nearer than what is configured."""
    settings = {
        "first": CollectionSettings(name="train*"),
        "second": CollectionSettings(name="*"),
    }
    mine = Membership(collections=settings)
    assert mine.collection_of(a_job(comment="v2 notifyd:sweep x")) == "sweep"
    assert mine.collection_of(a_job()) == "first"
    assert mine.collection_of(a_job(name="other")) == "second"


@pytest.mark.parametrize("comment", ["xnotifyd:sweep", "notifyd:", "notifyd: sweep", "notifyd:-a"])
def test_only_a_whole_word_names_a_collection(comment: str) -> None:
    """Everything else is a comment like any other."""
    assert Membership().collection_of(a_job(comment=comment)) is None


def test_every_condition_has_to_hold() -> None:
    """A job of that name in another account does not belong."""
    mine = Membership(collections={"s": CollectionSettings(name="train", account="phys")})
    assert mine.collection_of(a_job(account="phys")) == "s"
    assert mine.collection_of(a_job(account="chem")) is None
    assert mine.collection_of(a_job(account="phys", name="other")) is None


def test_the_id_of_an_array_means_its_tasks() -> None:
    """And that of a job means the job."""
    mine = Membership(collections={"s": CollectionSettings(jobs=("36", "4711"))})
    assert [mine.collection_of(job) for job in (TASKS[3], a_job("4711"), a_job("36_3"))] == [
        "s",
        "s",
        None,
    ]


def test_a_collection_needs_a_condition() -> None:
    """Without any it would be of nobody, or of everybody."""
    with pytest.raises(ValidationError, match="give at least one of"):
        CollectionSettings()
