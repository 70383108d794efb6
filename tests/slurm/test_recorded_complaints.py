"""What Slurm's commands print when they cannot answer, fed to the client that runs them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from notifyd.slurm.client import SlurmClient, SlurmError
from notifyd.slurm.settings import SlurmSettings
from notifyd.slurm.tables.accounting import FIELDS, WHERE_KNOWN
from tests.recordings.reading import Section, recorded
from tests.recordings.versions import VERSIONS, text_of

SCRIPT = """#!/bin/sh
name=$0
echo "$@" >>"$name.asked"
case $* in *--helpformat*) name=$0.columns ;; esac
cat "$name.out"
cat "$name.err" >&2
exit $(cat "$name.status")
"""


def a_client(folder: Path, *sections: Section) -> SlurmClient:
    """Return a client whose commands say again what was recorded."""
    paths = {name: folder / name for name in ("squeue", "sacct", "scontrol")}
    for path in paths.values():
        path.write_text(SCRIPT)
        path.chmod(0o755)
    say_again(folder / "sacct.columns", recorded("site").sections[2])
    for section in sections:
        say_again(paths[section.command], section)
    settings = SlurmSettings.model_validate({n: str(path) for n, path in paths.items()})
    return SlurmClient(settings, {"PATH": os.environ["PATH"]})


def say_again(path: Path, section: Section) -> None:
    """Leave what a command is to print."""
    for name, text in (("out", section.out), ("err", section.err), ("status", section.status)):
        path.with_name(f"{path.name}.{name}").write_text(str(text))


def failed(case: str, command: str, folder: str = "slurm") -> list[Section]:
    """Return the calls that are no answer."""
    sections = [one for one in recorded(case, folder).sections if one.command == command]
    return [one for one in sections if one.status or one.err]


async def test_a_stopped_controller_is_an_error(tmp_path: Path) -> None:
    """It is no empty queue."""
    client = a_client(tmp_path, *failed("controller_stopped", "squeue"))
    with pytest.raises(SlurmError, match=r"squeue: .*Unable to contact slurm controller"):
        await client.queue()


async def test_a_stopped_database_is_an_error(tmp_path: Path) -> None:
    """It does not say that nothing has ended."""
    client = a_client(tmp_path, *failed("database_stopped", "sacct"))
    with pytest.raises(SlurmError, match=r"sacct: .*Problem talking to the database"):
        await client.runs("demo", ["1"], since=0)


async def test_disabled_accounting_is_an_error(tmp_path: Path) -> None:
    """Where somebody asks all the same."""
    client = a_client(tmp_path, *failed("no_accounting", "sacct"))
    with pytest.raises(SlurmError, match="accounting storage is disabled"):
        await client.ended("demo", since=0)


async def test_an_unknown_id_is_an_error_in_the_queue_alone(tmp_path: Path) -> None:
    """Accounting has an empty table of it."""
    (squeue,) = failed("unknown_id", "squeue")
    with pytest.raises(SlurmError, match="Invalid job id specified"):
        await a_client(tmp_path, squeue).outputs(["999999"])
    assert recorded("unknown_id").answers() == [[]]


@pytest.mark.parametrize(
    ("number", "words"), [(0, "Socket timed out"), (1, "Zero Bytes"), (2, "standby mode")]
)
async def test_a_queue_that_cannot_be_asked_is_an_error(
    number: int, words: str, tmp_path: Path
) -> None:
    """Each of these passes by itself, and says nothing about a job."""
    client = a_client(tmp_path, failed("outages", "squeue", "made")[number])
    with pytest.raises(SlurmError, match=words):
        await client.queue()


async def test_a_complaint_that_exits_well_is_an_error(tmp_path: Path) -> None:
    """Before 23.11 sacct could print an error and nothing else, and exit with 0."""
    (section,) = failed("outages", "sacct", "made")
    assert section.status == 0
    with pytest.raises(SlurmError, match="Problem talking"):
        await a_client(tmp_path, section).runs("demo", ["61"], since=0)


async def test_the_settings_of_a_cluster(tmp_path: Path) -> None:
    """Its name, how long it shows what has ended, and that it keeps accounts."""
    site = await a_client(tmp_path, *recorded("site").sections).site()

    assert (site.cluster, site.min_job_age, site.accounting) == ("demo", 300, True)


async def test_a_cluster_without_accounts(tmp_path: Path) -> None:
    """It says so itself."""
    site = await a_client(tmp_path, *recorded("no_accounting").sections).site()

    assert (site.cluster, site.accounting) == ("demo", False)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_site_is_asked_for_the_columns_of_its_version(version: str, tmp_path: Path) -> None:
    """Whatever it lists of what is of use: one unknown column and sacct would print nothing."""
    known = text_of(version, "sacct.helpformat")
    client = a_client(tmp_path, recorded("site").sections[-1])
    (tmp_path / "sacct.columns.out").write_text(known)

    assert await client.runs("demo", ["1"], since=0) == []
    asked = (tmp_path / "sacct.asked").read_text().partition("--format=")[2].split()[0].split(",")
    assert set(FIELDS) <= set(asked) <= set(known.split())
    assert set(WHERE_KNOWN) & set(asked) == set(WHERE_KNOWN) & set(known.split())
