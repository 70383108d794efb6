"""What a real Slurm printed is read as it was meant, and the story told of it is the true one."""

from __future__ import annotations

import pytest

from notifyd.model import Job
from notifyd.slurm.states import END_EVENTS
from notifyd.slurm.tables import queue
from notifyd.slurm.tables.queue import key_of
from notifyd.slurm.tracker.look import Rules
from tests.recordings.reading import MARKS, Recording, recorded
from tests.recordings.replay import Replay, play, stories

RAN_WELL = "submitted, started, completed"
NEVER_RAN = "submitted, cancelled"

STORIES: dict[str, tuple[str, dict[str, str]]] = {
    "short_job": (
        "A job that begins and ends between two looks has a whole story.",
        {"short": RAN_WELL},
    ),
    "exit_codes": (
        "Only exit 0 is a success.",
        {"exit 0": RAN_WELL}
        | dict.fromkeys(
            ("exit 7", "exit 200", "signal 11", "signal 9"), "submitted, started, failed"
        ),
    ),
    "failed_step": ("A step that fails is no failure of the job.", {"steps": RAN_WELL}),
    "cancelled_by_its_user": (
        "A running job that is cancelled has started.",
        {"regret": "submitted, started, cancelled"},
    ),
    "cancelled_by_root": (
        "While it completes it may have ended in any way: nothing is told.",
        {"evicted": "submitted, started, cancelled"},
    ),
    "time_limit": ("A limit that is hit is told.", {"long": "submitted, started, timed_out"}),
    "deadline": (
        "A job that misses its deadline fails without a start.",
        {"blocker": "submitted, started", "late": "submitted, failed"},
    ),
    "node_failed": (
        "A node that goes down ends a job that may not be put back.",
        {"fragile": "submitted, started, node_failed"},
    ),
    "preempted": (
        "Neither does one that made room come back.",
        {"modest": "submitted, started, preempted", "urgent": RAN_WELL},
    ),
    "het_job": ("A job of three components is told once.", {"parts": RAN_WELL}),
    "two_nodes": ("Jobs on several nodes are jobs.", {"neighbours": RAN_WELL, "apart": RAN_WELL}),
    "array": (
        "Each task has its own story.",
        {f"sweep {task}": RAN_WELL for task in (0, 1, 2, 4, 5)}
        | {"sweep 3": "submitted, started, failed"},
    ),
    "array_cancelled_while_waiting": (
        "Each task of an array that never began is cancelled.",
        {f"never {task}": NEVER_RAN for task in (1, 3, 5, 7, 9, *range(20, 26))},
    ),
    "held_then_cancelled": ("A held job that is cancelled never began.", {"held": NEVER_RAN}),
    "held_by_an_administrator": (
        "A hold that somebody else has set is told; one's own is not.",
        {"blocked": "submitted, stuck"},
    ),
    "dependency_never_satisfied": (
        "A wait for what has failed will never end.",
        {"first": "submitted, started, failed", "second": "submitted, stuck"},
    ),
    "begins_later": ("A wait that its user has set is no news.", {"tomorrow": "submitted"}),
    "too_many_nodes": ("More nodes than there are: stuck.", {"huge": "submitted, stuck"}),
    "partition_moved": ("A job is the same in another partition.", {"mover": RAN_WELL}),
    "renamed": (
        "A job is the same under another name.",
        {"before": "submitted, started, cancelled"},
    ),
    "requeued": (
        "A job that is put back is told with who or what did it, and runs again.",
        {"again": "submitted, started, requeued (REQUEUED), started, completed"},
    ),
    "requeued_and_held": (
        "One that is put back and held needs somebody.",
        {"aside": "submitted, started, requeued (REQUEUED), stuck"},
    ),
    "special_exit": (
        "So does one with a special exit.",
        {"special": "submitted, started, requeued (REQUEUED), stuck"},
    ),
    "node_failed_and_requeued": (
        "A node's failure is the cause of the next run, and no end.",
        {"tough": "submitted, started, requeued (NODE_FAIL), started, completed"},
    ),
    "preempted_and_requeued": (
        "Nor is making room for another.",
        {
            "patient": "submitted, started, requeued (PREEMPTED), started, completed",
            "urgent": RAN_WELL,
        },
    ),
    "suspended": (
        "A pause is told, and its end.",
        {"nap": "submitted, started, suspended, resumed"},
    ),
    "database_stopped": (
        "The queue is enough for a story while the database is down.",
        {"unaware": "submitted, started, failed"},
    ),
    "controller_stopped": (
        "A queue that does not answer says nothing about a job.",
        {"alone": RAN_WELL},
    ),
    "gone_before_a_look": (
        "What the controller has forgotten is known from accounting alone.",
        {"seen": RAN_WELL, "unseen": "submitted, started, failed"},
    ),
    "nothing": ("An empty table is a table.", {}),
}


@pytest.mark.parametrize("case", STORIES)
def test_the_story_is_the_true_one(case: str) -> None:
    """See the table: one case, one rule."""
    _, told = STORIES[case]

    assert stories(play(recorded(case)).told) == told


def test_without_accounting_the_queue_tells_the_story() -> None:
    """A cluster that keeps no accounts shows ends for as long as they are in the queue."""
    replay = play(recorded("no_accounting"), Rules(accounting=False))

    assert stories(replay.told) == {"uncounted": "submitted, started, failed"}


ENDS = frozenset(kind.removeprefix("job_") for kind in END_EVENTS.values())


def ends(told: dict[str, str]) -> dict[str, str]:
    """Return how jobs ended, of those that did."""
    last = {name: events.rpartition(", ")[2] for name, events in told.items()}
    return {name: end for name, end in last.items() if end in ENDS}


def in_both(recording: Recording) -> list[tuple[Job, Job]]:
    """Return the runs of which queue and accounting both know the end, as each of them tells it."""
    looks, answers = recording.looks(), recording.answers()
    in_queue = {key_of(job): job for job in (looks or [[]])[-1] if job.end_time}
    entries = {key_of(entry.job): entry.job for entry in (answers or [[]])[-1]}
    return [(in_queue[key], entries[key]) for key in in_queue.keys() & entries.keys()]


KNOWN_TO_BOTH = [case for case in STORIES if in_both(recorded(case))]


def test_most_cases_are_known_to_queue_and_accounting() -> None:
    """Otherwise the two tests that follow would say little."""
    assert len(KNOWN_TO_BOTH) >= 15


@pytest.mark.parametrize("case", [*KNOWN_TO_BOTH, "odd_texts"])
def test_queue_and_accounting_agree(case: str) -> None:
    """Of each run that both know the end of, they tell the same but for known differences."""
    for queued, entry in in_both(recorded(case)):
        assert what_both_tell(queued) == what_both_tell(entry)


def what_both_tell(job: Job) -> tuple[object, ...]:
    """Leave out the name, which the database alters, and the start of what never ran."""
    start = job.start_time if job.node_list else None
    return job.job_id, job.state, start, job.end_time, job.nodes, job.node_list


@pytest.mark.parametrize("case", KNOWN_TO_BOTH)
def test_who_looks_only_once_is_told_the_same_end(case: str) -> None:
    """A daemon that sleeps after its first look learns from accounting what a whole watch saw."""
    recording = recorded(case)
    tables = [section for section in recording.sections if section.is_a_look]
    blind = Replay(recording.sections[0].at)
    blind.look(queue.split_rows(tables[1].out, MARKS))
    blind.wait(900, [], [entry.job for entry in recording.answers()[-1]])

    whole, seen = (ends(stories(watch.told)) for watch in (play(recording), blind))
    known = {name: end for name, end in whole.items() if name in seen}
    assert seen == known
    assert seen


MADE: dict[str, tuple[str, dict[str, str]]] = {
    "out_of_memory": (
        "The limit of memory was hit; in a job that completed it hit only a step.",
        {"greedy": "submitted, started, out_of_memory", "lucky": RAN_WELL},
    ),
    "boot_fail": ("Nodes that do not boot fail the job.", {"cold": "submitted, failed"}),
    "revoked": ("A sibling that another cluster runs has not ended.", {"sibling": "submitted"}),
    "id_used_again": ("An old job of the same id is another job.", {"new": RAN_WELL}),
    "crontab": (
        "Runs of scrontab share an id; each is told, and none is a requeue.",
        {"clock": "submitted, started, completed, started, failed"},
    ),
    "unknown_words": ("A word that nobody knows says nothing.", {"odd": RAN_WELL}),
    "cluster_heading": ("The heading of a cluster is no job.", {"plain": "submitted, started"}),
}


@pytest.mark.parametrize("case", MADE)
def test_what_no_test_machine_does_is_told_too(case: str) -> None:
    """The same for tables that are made by hand: see the table."""
    _, told = MADE[case]

    assert stories(play(recorded(case, "made")).told) == told


def test_a_row_that_runs_for_ever_is_not_alive() -> None:
    """Accounting may never learn of an end; the queue says that the job is gone."""
    recording = recorded("runs_for_ever", "made")
    replay = play(recording)
    replay.wait(7200, [], [entry.job for entry in recording.answers()[-1]])

    assert stories(replay.told) == {"ghost": "submitted, started, outcome_unknown"}
