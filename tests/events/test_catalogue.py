"""Types have parents, and patterns say who hears what."""

from __future__ import annotations

import pytest

from notifyd.events.catalogue import CATALOGUE, check_pattern, lineage, matches


@pytest.mark.parametrize("child", ["job_timed_out", "job_out_of_memory", "job_node_failed"])
def test_who_asks_for_failures_hears_every_kind_of_them(child: str) -> None:
    """A time-out, an out of memory and a failed node are failures."""
    assert matches(["job_failed"], child)
    assert matches(["job_ended"], child)
    assert not matches(["job_completed"], child)


def test_every_end_is_an_end() -> None:
    """`job_ended` hears every end, cancelled included, and nothing else."""
    ends = {name for name in CATALOGUE if matches(["job_ended"], name)} - {"job_ended"}

    assert ends == {
        "job_completed",
        "job_cancelled",
        "job_preempted",
        "job_failed",
        "job_timed_out",
        "job_out_of_memory",
        "job_node_failed",
        "job_outcome_unknown",
    }


def test_patterns_hear_what_they_match() -> None:
    """`job_*` hears every job event, `all` and `*` everything."""
    for name in CATALOGUE:
        assert matches(["all"], name)
        assert matches(["*"], name)
        assert matches(["job_*"], name) == name.startswith("job_")
    assert not matches([], "job_failed")


def test_a_parent_comes_after_its_child() -> None:
    """The nearest name comes first; an unknown type is its own family."""
    assert lineage("job_timed_out") == ("job_timed_out", "job_failed", "job_ended")
    assert lineage("training_started") == ("training_started",)


def test_a_misspelt_event_is_explained() -> None:
    """A pattern that no type can match names the nearest one that does."""
    assert check_pattern("job_faild") == "no such event `job_faild`; did you mean `job_failed`?"
    assert all(check_pattern(good) is None for good in ("job_*", "all", "*", "job_stuck"))
