"""Records what squeue prints of a queue of real jobs, for the benchmarks.

    python -m tests.benchmarks.capture FOLDER [--jobs 20000] [--user NAME]

As root, on the cluster of $SLURM_CONF (`sh deploy/slurm.sh up DIR` starts one): submits held jobs
as the user, writes FOLDER/queue.txt, FOLDER/queue.json and FOLDER/times.json (the CPU seconds of
each command), and cancels the jobs. 20,000 jobs take two to three minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from notifyd.slurm.client import clean_environment
from notifyd.slurm.tables.queue import queue_format
from tests.benchmarks.text import MARKS

SQUEUE = ["squeue", "--noheader", "--array", "--states=all"]


def main() -> None:
    """Record a queue."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--user", default="notifyd-alice")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda number: submit(asked.user, number), range(asked.jobs)))
    try:
        user = f"--user={asked.user}"
        times = {
            "text": record(asked.folder / "queue.txt", [*SQUEUE, user, "-O", queue_format(MARKS)]),
            "json": record(asked.folder / "queue.json", ["squeue", user, "--json"]),
        }
        (asked.folder / "times.json").write_text(json.dumps(times))
    finally:
        subprocess.run(["scancel", f"--user={asked.user}"], check=True, timeout=600)
    print(json.dumps(times))  # noqa: T201


def submit(user: str, number: int) -> None:
    """Submit one of a parameter sweep's jobs, held."""
    command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "sbatch", "-Q"]
    command += ["--hold", "--chdir=/tmp", "--output=/dev/null", f"--comment=exp{number % 40}"]
    command += [f"--job-name=sweep lr=0.{number} seed={number % 7}", f"--time={60 + number % 500}"]
    command += [f"--ntasks={1 + number % 16}", "--wrap=sleep 60"]
    subprocess.run(command, check=True, timeout=60, env={**os.environ, "HOME": "/"})


def record(path: Path, command: list[str]) -> float:
    """Write what a command prints, and return the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with path.open("wb") as file:
        env = clean_environment(os.environ)
        subprocess.run(command, env=env, stdout=file, check=True, timeout=600)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
