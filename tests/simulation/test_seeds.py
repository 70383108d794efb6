"""Whatever goes wrong, in whatever order: what is promised holds. Each run comes from a seed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation.seeded import run_seed

NUMBER = int(os.environ.get("SIMULATION_SEEDS", "2000"))
"""So many seeds are run; at night more."""
REPLAYED = os.environ.get("SIMULATION_SEED")
"""The only seed to be run, with all that happens."""
AT_ONCE = 50
HASHES = "from tests.simulation.seeded import run_seed; print(run_seed(5).trace.hash)"


def broken_by(seed: int) -> str | None:
    """Return what a seed has broken, and how to see it again."""
    broken = run_seed(seed).broken
    again = f"SIMULATION_SEED={seed} python -m pytest {__name__.replace('.', '/')}.py -k replayed"
    return "\n  ".join([f"seed {seed}: {again}", *broken[:5]]) if broken else None


# Has found: seed 92: a reload read the gate back by the wall clock, which may have jumped.
# Has found: seed 522: what was put off while the gate was shut became due at infinity.
# Has found: seed 1071: each message to a slow address took in hand and put off all others there.
# Has found: as soon as timers came early and the clock did not stand: a throttled worker sent what
# it did not have, and the daemon ended.
# Has found: seed 610: what was to be suppressed stayed leased when that could not be stored.
@pytest.mark.skipif(REPLAYED is not None, reason="one seed is replayed")
@pytest.mark.parametrize("first", range(0, NUMBER, AT_ONCE))
def test_what_is_promised_holds(first: int) -> None:
    """One end for each, no repetition, one content an id, in order, in time, within bounds."""
    found = filter(None, map(broken_by, range(first, min(first + AT_ONCE, NUMBER))))
    assert not (trouble := list(found)), "\n".join(trouble)


@pytest.mark.skipif(REPLAYED is None, reason="no seed is replayed")
def test_replayed() -> None:
    """The seed of the environment, with all that happens."""
    run = run_seed(int(REPLAYED or "0"))
    assert run.broken == (), "\n".join([*run.trace.lines, *run.broken])


def test_a_seed_is_always_the_same_run() -> None:
    """Twice in one process."""
    assert [run_seed(seed).trace.hash for seed in range(10)] == [
        run_seed(seed).trace.hash for seed in range(10)
    ]


def test_a_seed_is_the_same_run_everywhere() -> None:
    """In two processes that order their sets differently."""
    hashes = {
        subprocess.run(
            [sys.executable, "-c", HASHES],
            env={**os.environ, "PYTHONHASHSEED": number},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.splitlines()[-1]
        for number in ("1", "2")
    }
    assert len(hashes) == 1
