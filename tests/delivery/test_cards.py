"""Cards: what changes a message that is there, and what is said aloud."""

from __future__ import annotations

import pytest

from notifyd.delivery.cards import is_quiet, is_story
from tests.fakes import an_event


def test_a_job_of_its_own_has_no_card() -> None:
    """Only arrays and collections, which have a total, are stories of many events."""
    assert is_story(an_event(data={"total": 100}))
    assert not is_story(an_event())


@pytest.mark.parametrize("type", ["job_submitted", "job_started", "collection_progress"])
def test_progress_is_quiet(type: str) -> None:
    """It changes the card, and nobody's telephone rings; for a single job it is a message."""
    assert is_quiet(an_event(type, data={"total": 100}))
    assert not is_quiet(an_event(type))


@pytest.mark.parametrize("type", ["job_failed", "collection_failed", "collection_completed"])
def test_ends_are_heard(type: str) -> None:
    """How it ended is a message of its own."""
    assert not is_quiet(an_event(type, data={"total": 100}))
