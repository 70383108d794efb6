"""What more there is to say of an end is gathered, and what is not to be had is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from notifyd.model import Job
from notifyd.slurm.client import SlurmError
from notifyd.slurm.details.gatherer import MOST_READ, Data, Gatherer
from notifyd.slurm.settings import SlurmSettings
from notifyd.slurm.tables.accounting import Entry
from notifyd.slurm.tables.queue import key_of
from tests.fakes import a_job

ROW = {"ElapsedRaw": "60", "NCPUS": "4", "ReqMem": "4G", "StdOut": "/home/a/out", "StdErr": ""}
STEP = {"JobID": "1.batch", "TotalCPU": "00:02:00", "TRESUsageInTot": "mem=1G"}


@dataclass(slots=True)
class Files:
    """The files that there are, and what the queue knows of outputs."""

    texts: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    silent: bool = False
    asked: list[Sequence[str]] = field(default_factory=list)
    read: list[tuple[str, str | None]] = field(default_factory=list)

    async def outputs(self, job_ids: Sequence[str]) -> Mapping[str, tuple[str, str]]:
        self.asked.append(job_ids)
        if self.silent:
            raise SlurmError("squeue: Invalid job id specified")
        return self.known

    async def tail(self, path: str, owner: str | None, lines: int) -> str | None:
        self.read.append((path, owner))
        return self.texts.get(path)


async def found(
    files: Files, *jobs: Job, row: dict[str, str] | None = None, lines: int = 0
) -> Data:
    """Return what is gathered of the first job."""
    settings = SlurmSettings(output_tail=lines)
    gatherer = Gatherer(settings=settings, outputs=files, reader=files)
    entries = {key_of(job): Entry(job=job, row=row or {}, steps=[STEP]) for job in jobs}
    data = (await gatherer.gather(jobs, entries if row else {}))[key_of(jobs[0])]
    return {name: value for name, value in data.items() if value is not None}


async def test_figures_come_from_the_steps() -> None:
    """Used against asked for, and where the figures are from."""
    data = await found(Files(), a_job("1", "COMPLETED"), row=ROW)

    assert (data["cpu_percent"], data["memory_percent"]) == (50.0, 25.0)
    assert (data["figures_from"], data["stdout"]) == ("sampled", "/home/a/out")


async def test_only_failed_jobs_are_read_and_only_what_is_asked_for_is_told() -> None:
    """The output names the cause; it is told itself only if somebody wants it."""
    files = Files(texts={"/home/a/out": "one\ntwo\nValueError: bad shape"})
    failed = a_job("1", "FAILED", exit_code=1)
    data = await found(files, failed, row=ROW)
    assert "ValueError: bad shape" in str(data["hint"])
    assert "output" not in data
    assert files.read == [("/home/a/out", "alice")]
    assert (await found(files, failed, row=ROW, lines=2))["output"] == "two\nValueError: bad shape"
    files.read.clear()
    await found(files, a_job("1", "COMPLETED"), row=ROW)
    assert files.read == []


async def test_output_and_errors_are_read() -> None:
    """The errors come last: a warning there hides no traceback in the output, nor the reverse."""
    row = ROW | {"StdErr": "/home/a/err"}
    files = Files(texts={"/home/a/out": "fine", "/home/a/err": "MemoryError"})
    assert (await found(files, a_job("1", "FAILED"), row=row, lines=1))["output"] == "MemoryError"
    files.texts = {"/home/a/out": "fine", "/home/a/err": "\n"}
    assert (await found(files, a_job("1", "FAILED"), row=row, lines=1))["output"] == "fine"


async def test_old_sites_are_asked_for_the_outputs_in_one_call() -> None:
    """Accounting knows them only since 24.05; a queue that has forgotten them is no trouble."""
    files = Files(known={"1": ("/tmp/x-%j", "")}, texts={"/tmp/x-1": "boom"})
    jobs = [a_job(str(n), "FAILED") for n in range(1, 40)]
    data = await found(files, *jobs, lines=1)
    assert (data["stdout"], data["output"]) == ("/tmp/x-1", "boom")
    assert [len(ids) for ids in files.asked] == [MOST_READ]
    files.silent = True
    assert "output" not in await found(files, *jobs, lines=1)


async def test_who_cancelled_is_named() -> None:
    """By name; by number where nobody knows the name."""
    job = a_job("1", "CANCELLED", cancelled_by=0)
    assert (await found(Files(), job, row=ROW))["cancelled_by"] == "root"
    stranger = a_job("1", "CANCELLED", cancelled_by=4_000_000_000)
    assert (await found(Files(), stranger, row=ROW))["cancelled_by"] == "uid 4000000000"


async def test_without_accounting_there_is_still_an_end() -> None:
    """Nothing is known besides, and nothing is raised."""
    assert "cpu_percent" not in await found(Files(), a_job("1", "TIMEOUT"))
