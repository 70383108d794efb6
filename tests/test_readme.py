"""The README says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from notifyd.channels.registry import KINDS
from notifyd.cli.main import _COMMANDS
from notifyd.config.load import load
from notifyd.events.catalogue import CATALOGUE, lineage
from notifyd.events.data import CHANNEL_DATA, COLLECTION_DATA, JOB_DATA
from notifyd.slurm.story import to_event
from notifyd.slurm.tracker.look import Transition
from tests.fakes import a_job

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def section(title: str) -> str:
    """Return what stands below a heading, down to the next of any level."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", README, re.M | re.S)
    assert found, title
    return found[1]


def named(text: str) -> set[str]:
    """Return the first cells of a table: what stands there in backticks."""
    cells = re.findall(r"^\|([^|]*`[^|]*)\|", text, re.M)
    return {word for cell in cells for word in re.findall(r"`([^`]*)`", cell)}


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", README, re.S))
def test_every_configuration_in_it_loads(block: str, tmp_path: Path) -> None:
    """As it stands there, with the variables that it names set."""
    path = tmp_path / "config.yaml"
    path.write_text(block)
    path.chmod(0o600)

    load(path, {"SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/x"})


def test_it_lists_every_command() -> None:
    """And no other."""
    listed = {command.split()[1] for command in named(section("Commands"))}

    assert listed == set(_COMMANDS)


def test_it_lists_every_job_event_with_its_parents() -> None:
    """And no other."""
    rows = re.findall(r"^\| (`job_.*?) \|.*\| ?(.*?) ?\|$", section("Events"), re.M)
    listed = {
        kind: tuple(re.findall(r"`(\w+)`", parents))
        for kinds, parents in rows
        for kind in re.findall(r"`(\w+)`", kinds)
    }

    assert listed == {
        name: lineage(name)[1:]
        for name, kind in CATALOGUE.items()
        if name.startswith("job_") and kind.told
    }


def test_it_lists_every_kind_of_channel() -> None:
    """And no other."""
    assert {
        row.split("|")[1].strip(" `")
        for row in section("Channels").splitlines()
        if row.startswith("| `")
    } == set(KINDS)


def test_it_documents_every_name_in_the_webhooks_data() -> None:
    """And no other."""
    sent = {"severity", "title", "count", *JOB_DATA, *COLLECTION_DATA, *CHANNEL_DATA}
    job = Transition(type="job_failed", job=a_job("36_3", "FAILED"), at=0.0)

    assert named(section("The webhook")) == sent
    assert set(to_event(job).data) <= sent


def test_every_promise_in_it_is_a_test() -> None:
    """What is promised is shown by a test of that name."""
    promises = re.findall(r"\*\*([a-z_]+)\*\*", section("What it promises"))
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))

    assert len(promises) == 10
    assert [name for name in promises if f"def test_{name}(" not in tests] == []
