"""A poller, the store and a receiver, all of which fail: the story that is told is the true one."""

from __future__ import annotations

import os

import pytest

from tests.simulation.cluster import run_cluster
from tests.slurm.test_true_story import check_story

NUMBER = int(os.environ.get("SIMULATION_SEEDS", "1000")) // 25


@pytest.mark.parametrize("seed", range(NUMBER))
def test_the_true_story_arrives(seed: int) -> None:
    """Each job's end is told once, none is invented, and in order."""
    told = run_cluster(seed)

    assert told.broken == []
    for run in told.runs:
        check_story([run], [event for event in told.events if event.subject == run.job_id])
