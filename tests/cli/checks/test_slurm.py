"""Does Slurm answer, and its accounting?"""

from __future__ import annotations

from notifyd.cli.checks.finding import State
from notifyd.cli.checks.slurm import answered, look_at, no_answer
from notifyd.clock import SystemClock
from notifyd.slurm.settings import SlurmSettings
from tests.cli.world import SCONTROL, World


async def states(world: World) -> dict[str, State]:
    findings = await look_at(SlurmSettings(), world.environ, SystemClock())
    return {one.name: one.state for one in findings}


async def test_a_slurm_that_answers_is_fine(world: World) -> None:
    """With its accounting."""
    assert await states(world) == {"slurm": State.OK, "accounting": State.OK}


async def test_a_silent_controller_fails(world: World) -> None:
    """Accounting is then not asked."""
    world.command("squeue", "echo 'slurm_load_jobs error: Unable to contact' >&2; exit 1")

    assert await states(world) == {"slurm": State.FAILED}


async def test_a_cluster_without_accounting_is_told_of(world: World) -> None:
    """It works, but some outcomes cannot be known."""
    world.command("scontrol", SCONTROL.replace("slurmdbd", "none"))

    assert await states(world) == {"slurm": State.OK, "accounting": State.WARNING}


async def test_an_accounting_that_fails_is_told_of(world: World) -> None:
    """notifyd goes on without it."""
    world.command("sacct", "echo 'sacct: error: Connection refused' >&2; exit 1")

    assert await states(world) == {"slurm": State.OK, "accounting": State.WARNING}


def test_a_missing_command_has_another_mend_than_a_silent_controller() -> None:
    """The one is about this machine, the other about the cluster."""
    assert "module" in no_answer("squeue cannot be run: No such file or directory").mend
    assert "SLURM_CONF" in no_answer("squeue: Unable to contact slurm controller").mend


def test_a_slow_answer_is_worth_a_look() -> None:
    """And the text names cluster, jobs and time."""
    assert answered("demo", 12, 0.04).text == "Slurm answers (demo, 12 jobs, 0.04 s)"
    assert answered("demo", 1, 0.04).text == "Slurm answers (demo, 1 job, 0.04 s)"
    assert answered("demo", 12, 11.0).state is State.WARNING
