"""A gap in the watching is filled from accounting, however long that takes to answer."""

from __future__ import annotations

import dataclasses

from notifyd.slurm.tracker.gaps import gap_after_asking, gap_now
from notifyd.slurm.tracker.memory import Gap, Memory, Scope

MEMORY = Memory(scope=Scope(cluster="demo", users=("alice",)), since=0.0, last_look=1000.0)


def test_a_gap_is_asked_about_until_accounting_has_answered_twice() -> None:
    """The second time is for what the database did not have yet."""
    memory = MEMORY
    assert gap_now(memory, 300, 1100.0) is None
    gap = gap_now(memory, 300, 2000.0)
    assert gap == Gap(since=1000.0, ask_at=2000.0)

    unanswered = dataclasses.replace(memory, last_look=2000.0, gap=gap)
    assert gap_now(unanswered, 300, 2030.0) == gap
    once = gap_after_asking(gap, 2030.0)
    assert once == Gap(since=1000.0, ask_at=2090.0, asked=True)
    assert gap_after_asking(once, 2090.0) is None


def test_where_the_controller_forgets_at_once_each_gap_begins_at_the_last_look() -> None:
    """The window that accounting is asked for does not grow with each poll."""
    gap = Gap(since=1000.0, ask_at=2090.0, asked=True)
    memory = dataclasses.replace(MEMORY, last_look=2000.0, gap=gap)

    assert gap_now(memory, 2, 2030.0) == Gap(since=2000.0, ask_at=2030.0)
