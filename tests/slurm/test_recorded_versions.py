"""Three versions of Slurm say the same in their own words: the same jobs on each of them."""

from __future__ import annotations

import pytest

from notifyd.model import Job
from notifyd.slurm.tables import cells
from notifyd.slurm.tables.accounting import FIELDS, WHERE_KNOWN, known_fields
from tests.recordings.reading import by_name
from tests.recordings.replay import Replay, stories
from tests.recordings.versions import VERSIONS, entries, queue_jobs, queue_rows, text_of
from tests.slurm.test_recorded import RAN_WELL

FAILED = "submitted, started, failed"
ODD_NAME = 'new\nline|pipe\ttab é\x1f us "q" \\b'
TOLD = {
    **dict.fromkeys(("okjob", "withcomment", "relout", "twonodes", "limits"), RAN_WELL),
    **dict.fromkeys(("acct", "bobjob", "het", "script", ODD_NAME), RAN_WELL),
    **{f"arr {task}": RAN_WELL for task in (0, 1, 2, 4, 5)},
    **dict.fromkeys(("failjob", "exit200", "sigjob", "arr 3"), FAILED),
    **{f"arrheld {task}": "submitted" for task in (1, 3, 5, 7, 9, *range(20, 26))},
    "cancelrun": "submitted, started, cancelled",
    "cancelpend": "submitted, cancelled",
    "timeout": "submitted, started, timed_out",
    "depjob": "submitted, stuck",
    "beginjob": "submitted",
    "toobig": "submitted, stuck",
}
each_version = pytest.mark.parametrize("version", VERSIONS)


def newest(version: str) -> dict[str, Job]:
    """Return the jobs of the later look, by their names."""
    return by_name(queue_jobs(version, "squeue2.r"))


@each_version
def test_the_same_story(version: str) -> None:
    """But for a job of too many nodes: 24.11 refuses it, and still has a failed job of it."""
    first, second = (queue_rows(version, table) for table in ("squeue.r", "squeue2.r"))
    replay = Replay(min(job.submit_time for job in queue_jobs(version, "squeue.r")))
    replay.look(first)
    replay.now += 120
    replay.look(second, [entry.job for entry in entries(version, "sacct.D")])
    told = stories(replay.told)
    del told["requeue"]  # these tables do not count restarts

    assert told == TOLD | ({"toobig": "submitted, failed"} if version == "24.11.7" else {})


@each_version
def test_exit_codes_as_each_version_prints_them(version: str) -> None:
    """128 is taken from a code above it, until 25.11."""
    ends = by_name([entry.job for entry in entries(version, "sacct")])
    codes = {name: (job.exit_code, job.signal) for name, job in ends.items()}

    assert codes["failjob"] == (7, None)
    assert codes["sigjob"] == (0, 11)
    assert codes["exit200"] == (200 if version == "26.05.3" else 72, None)
    assert codes["timeout"] == codes["cancelrun"] == (0, None)
    assert ends["cancelrun"].cancelled_by == 1001


@each_version
def test_ids_of_arrays_and_het_jobs(version: str) -> None:
    """Tasks by their array, components by their leader; raw ids are others."""
    raw = {entry.job.job_id: entry.row["JobIDRaw"].strip() for entry in entries(version, "sacct")}

    assert (raw["5_5"], raw["5_0"]) == ("5", "24")
    assert (raw["21"], raw["21+1"]) == ("21", "22")
    assert {job_id for job_id in raw if "_" in job_id} == {f"5_{task}" for task in range(6)}


@each_version
def test_a_compressed_array_is_the_same_tasks(version: str) -> None:
    """`6_[1,3,5,7,9,20-25%3]` is what --array prints row by row."""
    compressed = [job.job_id for job in queue_jobs(version, "squeue.nor")]
    expanded = {task for job_id in compressed for task in cells.expand_tasks(job_id)}

    assert "6_[1,3,5,7,9,20-25%3]" in compressed
    assert expanded == {job.job_id for job in queue_jobs(version, "squeue.r")}


@each_version
def test_names_are_whole_in_the_queue_and_altered_in_accounting(version: str) -> None:
    """Newline, tab, separator and pipe come through both; a quote only through the queue."""
    names = {entry.job.name for entry in entries(version, "sacct")}

    assert newest(version)[ODD_NAME].state == "COMPLETED"
    assert ODD_NAME.replace('"', "`") in names
    assert len(entries(version, "sacct")) == 23


@each_version
def test_a_requeued_job_has_two_rows_with_duplicates(version: str) -> None:
    """Without, accounting shows the last run only."""
    runs = [e.job for e in entries(version, "sacct.D") if e.job.name == "requeue"]
    (last,) = (e.job for e in entries(version, "sacct") if e.job.name == "requeue")

    assert [job.state for job in runs] == ["REQUEUED", "RUNNING"]
    assert runs[0].submit_time < runs[1].submit_time == last.submit_time


@each_version
def test_what_was_cancelled_while_held_is_not_in_a_window(version: str) -> None:
    """Nor is what still waits to be eligible: such jobs are found by their state, or their id."""
    names = {entry.job.name for entry in entries(version, "sacct")}

    assert not names & {"cancelpend", "depjob", "beginjob", "arrheld"}


@each_version
def test_steps_follow_their_run(version: str) -> None:
    """The script is a step, and each srun; a component of a het job has none of its own."""
    steps = {
        entry.job.name: [step["JobID"].partition(".")[2] for step in entry.steps]
        for entry in entries(version, "sacct.steps")
        if not entry.job.job_id.endswith("+1")
    }

    assert steps["twonodes"] == ["batch", "0"]
    assert steps["het"] == ["batch"]
    assert steps["toobig"] == []


@each_version
def test_why_a_signal_ended_a_job(version: str) -> None:
    """The reason has changed its words; it is no reason to wait, and no advice is made of it."""
    reasons = {"22.05.8": "JobLaunchFailure"}

    signalled = reasons.get(version, "RaisedSignal:11(Segmentation fault)")
    assert newest(version)["sigjob"].reason == signalled


@each_version
def test_limits(version: str) -> None:
    """A year is no limit, nor is UNLIMITED; days and hours are read."""
    limits = {name: job.time_limit_seconds for name, job in newest(version).items()}

    assert (limits["timeout"], limits["limits"], limits["okjob"]) == (60, 129600, None)
    assert limits["beginjob"] == 183840


@each_version
def test_every_version_knows_what_is_always_asked(version: str) -> None:
    """What only newer ones know is asked where it is listed."""
    known = known_fields(text_of(version, "sacct.helpformat"))
    newer = set() if version == "22.05.8" else set(WHERE_KNOWN)

    assert set(FIELDS) <= known
    assert set(WHERE_KNOWN) & known == newer | {"JobIDRaw"}
