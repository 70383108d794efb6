"""Records anew what is in the folder `slurm`: `python -m tests.recordings.record FOLDER`.

As root: it starts a private cluster in FOLDER (deploy/slurm.sh), which must not exist yet, and
removes it at the end. It takes about ten minutes. Two ordinary users must be there.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from tests.live.cluster import DEPLOY, Cluster, User
from tests.recordings.calls import Calls
from tests.recordings.cases import CASES
from tests.recordings.stage import Stage

HERE = Path(__file__).parent / "slurm"
Case = Callable[[Stage], Awaitable[None]]

_SETTINGS = """
FirstJobId=4711
PartitionName=short Nodes=ALL MaxTime=10 State=UP
PartitionName=urgent Nodes=ALL PriorityTier=9 PreemptMode=OFF State=UP
"""


def main() -> int:
    """Play the cases that are named, or all of them, and write what was printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the private cluster is to live")
    parser.add_argument("--into", type=Path, default=HERE, help="where the recordings go")
    parser.add_argument("--users", nargs=2, default=["notifyd-alice", "notifyd-bob"])
    parser.add_argument("--only", nargs="*", metavar="CASE", default=[])
    chosen = parser.parse_args()
    if chosen.folder.exists():
        parser.error(f"{chosen.folder} is there already")
    cases = [case for case in CASES if case.__name__ in chosen.only or not chosen.only]
    try:
        _slurm("up", chosen.folder)
        return asyncio.run(_record(chosen.folder.resolve(), chosen.into, chosen.users, cases))
    finally:
        _slurm("remove", chosen.folder)


def _slurm(verb: str, folder: Path) -> None:
    subprocess.run(["sh", str(DEPLOY / "slurm.sh"), verb, str(folder)], check=True, timeout=300)


async def _record(folder: Path, into: Path, names: Sequence[str], cases: Sequence[Case]) -> int:
    cluster = Cluster(folder)
    _set_up(cluster)
    user, other = (User(name, cluster) for name in names)
    stage = Stage(cluster, user, other, Calls(folder / "calls", user))
    into.mkdir(exist_ok=True)
    failed = 0
    try:
        for case in cases:
            failed += not await _play(case, stage, into)
    finally:
        user.remove_home()
        other.remove_home()
    return int(failed > 0)


async def _play(case: Case, stage: Stage, into: Path) -> bool:
    """Tell whether the case could be played; what was printed is written if it could."""
    begun = time.monotonic()
    await stage.begin()
    try:
        await case(stage)
    except (TimeoutError, subprocess.CalledProcessError) as error:
        sys.stdout.write(f"{case.__name__}: not recorded: {error!r}\n")
        stage.end()
        return False
    text = stage.end()
    (into / f"{case.__name__}.txt").write_bytes(text)
    sys.stdout.write(f"{case.__name__}: {time.monotonic() - begun:.0f} s, {len(text)} bytes\n")
    sys.stdout.flush()
    return True


def _set_up(cluster: Cluster) -> None:
    """Set what the cases need and the private cluster does not have."""
    text = cluster.conf.read_text().replace("preempt/none", "preempt/partition_prio")
    text = re.sub(r"(?m)^(PreemptType=.*)$", r"\1\nPreemptMode=REQUEUE", text)
    cluster.conf.write_text(text + _SETTINGS)
    cluster.stop("slurmctld")
    cluster.start("slurmctld")


if __name__ == "__main__":
    sys.exit(main())
