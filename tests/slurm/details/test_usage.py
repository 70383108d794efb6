"""What a run used is told as Slurm measured it, and what is not known is not made up."""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.slurm.details.usage import USAGE_FIELDS, Usage, seconds, size, tres, usage_of

# What Slurm 22.05 printed of three jobs: two busy tasks and a step that fails; steps that fail,
# crash and are ended by scancel; memory that is given back before the end.
TABLE = """\
JobID|State|ExitCode|DerivedExitCode|ElapsedRaw|NCPUS|AllocTRES|ReqMem|TotalCPU|MaxRSS|NTasks|TRESUsageInTot
4|COMPLETED|0:0|1:0|7|2|billing=2,cpu=2,node=1|100M|00:12.004|||
4.batch|COMPLETED|0:0||7|2|cpu=2,mem=0,node=1||00:00.028||1|energy=0
4.0|COMPLETED|0:0||6|2|cpu=2,mem=0,node=1||00:11.974|38868K|2|cpu=00:00:05,energy=0,fs/disk=44118,mem=38868K,pages=2,vmem=44676K
4.1|FAILED|1:0||0|2|cpu=2,mem=0,node=1||00:00.001||1|energy=0
5|COMPLETED|0:0|3:0|2|2|billing=2,cpu=2,node=1|100M|00:00.057|||
5.batch|COMPLETED|0:0||2|2|cpu=2,mem=0,node=1||00:00.049||1|energy=0
5.0|FAILED|3:0||0|2|cpu=2,mem=0,node=1||00:00.001||1|energy=0
5.1|CANCELLED|0:11||0|2|cpu=2,mem=0,node=1||00:00.002||1|energy=0
5.2|CANCELLED|0:15||2|2|cpu=2,mem=0,node=1||00:00.003||1|energy=0
6|FAILED|7:0|0:0|0|1|billing=1,cpu=1,node=1|16000M|00:00.002|||
6.batch|FAILED|7:0||0|1|cpu=1,mem=0,node=1||00:00.002||1|energy=0
7|CANCELLED by 1001|0:0|0:0|0|1||16000M|00:00:00|||
11|COMPLETED|0:0|0:0|10|2|billing=2,cpu=2,node=1|16000M|00:00.295|||
11.batch|COMPLETED|0:0||10|2|cpu=2,mem=0,node=1||00:00.021|10408K|1|cpu=00:00:00,energy=0,mem=10408K,pages=6
11.0|COMPLETED|0:0||10|2|cpu=2,mem=0,node=1||00:00.273|110536K|2|cpu=00:00:00,energy=0,mem=221068K,pages=7
"""

ROW = {
    "State": "COMPLETED",
    "ElapsedRaw": "100",
    "NCPUS": "4",
    "NNodes": "2",
    "AllocTRES": "cpu=4,mem=8G,node=2",
}
STEP = {"JobID": "1.0", "State": "COMPLETED", "ExitCode": "0:0", "TotalCPU": "03:20.000"}
CELLS = st.dictionaries(
    st.sampled_from(USAGE_FIELDS),
    st.text()
    | st.from_regex(r"([0-9]{0,5}-)?[0-9:.]{0,30}[KMGTPEnc?]?", fullmatch=True)
    | st.from_regex(r"(cpu|mem|gres/gpu(util|mem|:a)?)=[0-9.]{0,40}[KE]?", fullmatch=True),
)


def usage(changes: Mapping[str, str] | None = None, *steps: Mapping[str, str]) -> Usage:
    """Return the figures of a run of 100 seconds with four CPUs, whose steps differ like this."""
    return usage_of(ROW | dict(changes or {}), [STEP | dict(step) for step in steps])


def of_the_table(job_id: str) -> Usage:
    """Return the figures of one of the jobs of the table."""
    head, *lines = [line.split("|") for line in TABLE.splitlines()]
    rows = [dict(zip(head, line, strict=True)) for line in lines]
    (row,) = [row for row in rows if row["JobID"] == job_id]
    return usage_of(row, [row for row in rows if row["JobID"].startswith(job_id + ".")])


def test_a_busy_job_has_used_its_cpus() -> None:
    """CPU time is that of all steps; memory is that of the largest; asked is the whole job's."""
    assert of_the_table("4") == Usage(
        source="sampled",
        cpu_seconds=12.003,
        cpu_percent=85.7,
        memory_used_bytes=38868 << 10,
        memory_asked_bytes=100 << 20,
        memory_percent=38.0,
        failed_steps=(("1", "exit code 1"),),
        derived_exit_code=1,
    )


def test_a_crash_is_a_failure_and_a_wish_is_none() -> None:
    """Slurm calls both CANCELLED: who dies of SIGSEGV has failed, who is asked to end has not."""
    used = of_the_table("5")
    assert used.failed_steps == (("0", "exit code 3"), ("1", "signal 11 (SIGSEGV)"))
    assert used.derived_exit_code == 3


def test_the_script_repeats_the_end_of_the_job() -> None:
    """A failed `.batch` is the job's own failure; a run of no second has no efficiency."""
    used = of_the_table("6")
    assert used.failed_steps == ()
    assert (used.cpu_seconds, used.cpu_percent, used.memory_percent) == (0.002, None, None)


def test_a_run_that_never_began_has_no_figures() -> None:
    """Without steps nothing was measured."""
    assert of_the_table("7") == Usage()


def test_memory_is_that_of_all_tasks_at_their_highest() -> None:
    """Two tasks had 108 MB each, and gave them back before the end."""
    assert of_the_table("11").memory_used_bytes == 221068 << 10


def test_more_cpu_than_asked_for_is_told_as_it_is() -> None:
    """More than 100 % is news, not an error."""
    assert usage({"NCPUS": "1"}, STEP).cpu_percent == 200.0


@pytest.mark.parametrize(
    ("step", "used"),
    [
        ({"TRESUsageInTot": "mem=3G", "MaxRSS": "2G", "NTasks": "4"}, 3 << 30),
        ({"TRESUsageInTot": "energy=0", "MaxRSS": "2G", "NTasks": "4"}, 8 << 30),
        ({"MaxRSS": "2G"}, 2 << 30),
        ({"TRESUsageInTot": "mem=0", "MaxRSS": "0"}, None),
        ({"TRESUsageInTot": "mem=16384P"}, None),
        ({"MaxRSS": "512P", "NTasks": "1024"}, None),
        ({}, None),
    ],
)
def test_memory_falls_back_to_the_largest_task(step: Mapping[str, str], used: int | None) -> None:
    """The sum is better than the largest times their number; zero and infinity are unknown."""
    assert usage({}, step).memory_used_bytes == used


@pytest.mark.parametrize(
    ("allocated", "requested", "asked"),
    [
        ("cpu=4,mem=8G", "1G", 8 << 30),
        ("cpu=4,mem=1.50G", "1G", 1536 << 20),
        ("cpu=4", "4G", 4 << 30),
        ("cpu=4", "4Gn", 8 << 30),
        ("cpu=4", "2Gc", 8 << 30),
        ("cpu=4,mem=0", "2Gc", 8 << 30),
        ("cpu=4", "0n", None),
        ("cpu=4", "?", None),
        ("cpu=4", "n", None),
        ("", "", None),
    ],
)
def test_asked_memory_is_the_whole_jobs(allocated: str, requested: str, asked: int | None) -> None:
    """What was allocated counts; else what was asked for, by node or by CPU as older rows say."""
    used = usage({"AllocTRES": allocated, "ReqMem": requested}, STEP)
    assert used.memory_asked_bytes == asked


def test_memory_by_node_needs_the_number_of_nodes() -> None:
    """Half a product is no figure."""
    unknown = {"AllocTRES": "", "ReqMem": "4Gn", "NNodes": "Unknown"}
    assert usage(unknown, STEP).memory_asked_bytes is None


@pytest.mark.parametrize(
    ("allocated", "gpus"),
    [
        ("cpu=4,gres/gpu=2", 2),
        ("cpu=4,gres/gpu=2,gres/gpu:a100=2", 2),
        ("gres/gpu:a100=2,gres/gpu:1g.10gb=1", 3),
        ("gres/gpumem=80G,gres/gpuutil=50", None),
        ("cpu=4,gres/gpu=0", None),
    ],
)
def test_gpus_are_counted_once(allocated: str, gpus: int | None) -> None:
    """GPUs by type are the same GPUs as the plain count, where there is one."""
    assert usage({"AllocTRES": allocated}, STEP).gpus == gpus


@pytest.mark.parametrize(
    ("totals", "share", "memory"),
    [
        (["gres/gpumem=40G,gres/gpuutil=396"], 99.0, 40 << 30),
        (["gres/gpumem=1G,gres/gpuutil=50", "gres/gpumem=2G,gres/gpuutil=10"], 12.5, 2 << 30),
        (["gres/gpumem=0,gres/gpuutil=0"], 0.0, 0),
        (["gres/gpuutil=900"], 225.0, None),
        (["gres/gpumem=18446744073709551615,gres/gpuutil=18446744073709551615"], None, None),
        (["cpu=00:00:01"], None, None),
    ],
)
def test_gpu_use_is_shared_out(totals: list[str], share: float | None, memory: int | None) -> None:
    """Slurm adds up a step's GPUs: four busy ones are 400. Idle is 0, unknown is nothing."""
    used = usage({"AllocTRES": "gres/gpu=4"}, *({"TRESUsageInTot": total} for total in totals))
    assert (used.gpu_percent, used.gpu_memory_bytes) == (share, memory)


def test_a_job_without_gpus_has_no_gpu_figures() -> None:
    """Where Slurm counts GPUs, it prints zeros for every job."""
    used = usage({}, {"TRESUsageInTot": "gres/gpumem=0,gres/gpuutil=0"})
    assert (used.gpus, used.gpu_percent, used.gpu_memory_bytes) == (None, None, None)


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ({"State": "OUT_OF_MEMORY", "ExitCode": "0:125"}, "out of memory"),
        ({"State": "TIMEOUT", "ExitCode": "0:15"}, "timed out"),
        ({"State": "NODE_FAIL", "ExitCode": "0:0"}, "a node failed"),
        ({"State": "FAILED", "ExitCode": "0:9"}, "signal 9 (SIGKILL)"),
        ({"State": "FAILED", "ExitCode": "0:125"}, "signal 125"),
        ({"State": "FAILED", "ExitCode": ""}, "failed"),
        ({"State": "COMPLETED", "ExitCode": "2:0"}, "exit code 2"),
        ({"State": "CANCELLED by 1001", "ExitCode": "0:6"}, "signal 6 (SIGABRT)"),
        ({"State": "CANCELLED", "ExitCode": "0:9"}, None),
        ({"State": "CANCELLED by 1001", "ExitCode": "1:0"}, None),
        ({"State": "COMPLETED", "ExitCode": "0:0"}, None),
        ({"JobID": "1.extern", "State": "FAILED", "ExitCode": "1:0"}, None),
        ({"JobID": "1.interactive", "State": "FAILED", "ExitCode": "1:0"}, None),
    ],
)
def test_a_failed_step_says_how_it_ended(step: Mapping[str, str], text: str | None) -> None:
    """Only what failed inside counts, in words that people know."""
    assert usage({}, step).failed_steps == ((("0", text),) if text else ())


def test_what_was_monitored_wins() -> None:
    """A monitoring system has looked all the time; what it does not know, Slurm does."""
    node = {"used_memory": 6 << 30, "total_memory": 8 << 30, "cpus": 4, "total_time": "?"}
    summary = json.dumps({"nodes": {"n1": node}, "total_time": 100, "gpus": 0})
    packed = base64.b64encode(gzip.compress(summary.encode())).decode()
    step = {"TRESUsageInTot": "mem=1G"}
    used = usage({"AdminComment": f"JS1:{packed}"}, step)
    assert used == Usage(
        source="monitored",
        cpu_seconds=200.0,
        cpu_percent=50.0,
        memory_used_bytes=6 << 30,
        memory_asked_bytes=8 << 30,
        memory_percent=75.0,
    )
    assert usage({"AdminComment": "JS1:Short"}, step).memory_used_bytes == 1 << 30
    assert usage({"AdminComment": f"JS1:{packed}"}).memory_percent == 75.0


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1-02:03:04", 93784.0),
        ("02:03:04", 7384.0),
        ("03:04.123", 184.123),
        ("00:00:00", 0.0),
        ("UNLIMITED", None),
        ("-1:00", None),
        ("", None),
    ],
)
def test_seconds(cell: str, value: float | None) -> None:
    """Times are read in each form that Slurm prints."""
    assert seconds(cell) == value


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1234K", 1234 << 10),
        ("1.5G", 3 << 29),
        ("44118", 44118),
        ("0", 0),
        ("16777216T", None),
        ("1KB", None),
        ("K", None),
        ("", None),
    ],
)
def test_size(cell: str, value: int | None) -> None:
    """Sizes are powers of 1024; what Slurm prints for infinity is none."""
    assert size(cell) == value


@given(st.dictionaries(st.text("abc/:", min_size=1), st.text("0123456789KMG:.", min_size=1)))
def test_resources_are_read_as_they_were_written(resources: dict[str, str]) -> None:
    """Whatever is joined with commas and equals signs comes apart again."""
    assert tres(",".join(f"{name}={value}" for name, value in resources.items())) == resources


@given(CELLS, st.lists(CELLS, max_size=4))
def test_cells_may_hold_anything(row: dict[str, str], steps: list[dict[str, str]]) -> None:
    """Nothing is raised, and every figure is a finite number of its own kind, or None."""
    used = usage_of(row, steps)
    figures = (used.cpu_seconds, used.cpu_percent, used.memory_percent, used.gpu_percent)
    assert all(figure is None or 0 <= figure < math.inf for figure in figures)
    sizes = (used.memory_used_bytes, used.memory_asked_bytes, used.gpu_memory_bytes)
    assert all(number is None or 0 <= number < 1 << 60 for number in sizes)


def test_every_failed_step_is_named() -> None:
    """In the order in which they began, however many there are."""
    steps = [{"JobID": f"1.{n}", "State": "FAILED", "ExitCode": "1:0"} for n in range(2_000)]
    assert usage({}, *steps).failed_steps == tuple((str(n), "exit code 1") for n in range(2_000))
