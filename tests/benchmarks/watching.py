"""What a poll costs notifyd itself, beside the least that it could cost.

    python -m tests.benchmarks.watching FOLDER [JOBS...]

FOLDER is what tests.benchmarks.capture has recorded. All figures are CPU seconds of one run of
this process, the best of several, side by side: only their ratios mean something.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from notifyd.channels.settings import ChannelSettings
from notifyd.clock import SystemClock
from notifyd.delivery.intake import Intake, Rules
from notifyd.outbox.store import Outbox
from notifyd.rendering.renderer import Renderer
from notifyd.routing.router import Router, Subscriber
from notifyd.slurm.client import Site
from notifyd.slurm.poller import Poller
from notifyd.slurm.settings import SlurmSettings
from notifyd.slurm.tables import queue
from notifyd.slurm.tables.accounting import Entry
from notifyd.slurm.tracker.look import Look
from notifyd.slurm.tracker.memory import Memory, Scope
from notifyd.slurm.tracker.step import step
from notifyd.slurm.tracker.views import first_step
from tests.benchmarks.text import MARKS, changed, multiplied
from tests.fakes import no_details

ROUNDS = 5
TRANSITIONS = 10_000


def cpu(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the least CPU seconds that the work took."""
    best = float("inf")
    for _ in range(rounds):
        gc.collect()
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def bare(raw: bytes) -> dict[str, str]:
    """Split a table into a dict by job id: the least that any watcher does."""
    text = raw.decode()
    return {row.split("\x1f", 1)[0]: row for row in text.split(MARKS.record + "\n")}


class Watched:
    """What notifyd holds of a table that it has read."""

    def __init__(self, text: str) -> None:
        self.change = queue.compare({}, queue.split_rows(text, MARKS), "demo")
        look = Look(now=time.time(), jobs=self.change.jobs)
        self.memory: Memory = first_step(Scope(cluster="demo"), look, since=time.time()).memory
        self.change = queue.Change(rows=self.change.rows)

    def poll(self, raw: bytes) -> int:
        """Look at a table as the poller does; return how many transitions there are."""
        rows = queue.split_rows(raw.decode("utf-8", "replace"), MARKS)
        change = queue.compare(self.change.rows, rows, "demo")
        look = Look(now=time.time(), jobs=change.jobs, gone=change.gone)
        return len(step(self.memory, look).transitions)


def unchanged(text: str) -> dict[str, float]:
    """Measure a poll in which nothing has changed, and what is held in memory."""
    raw = text.encode()
    known = bare(raw)
    least = cpu(lambda: bare(raw) == known)
    gc.collect()
    tracemalloc.start()
    began = time.process_time()
    watched = Watched(text)
    first = time.process_time() - began
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    jobs = len(watched.memory.runs)
    ours = cpu(lambda: watched.poll(raw))
    return {
        "jobs": jobs,
        "text MB": len(raw) / 1e6,
        "bare s": least,
        "notifyd s": ours,
        "ratio": ours / least,
        "first look s (traced)": first,
        "memory bytes a job, over the text": held / jobs - len(raw) / jobs,
    }


class Cluster:
    """A queue whose text is given."""

    def __init__(self, text: str) -> None:
        self.text = text

    async def site(self) -> Site:
        return Site(cluster="demo", accounting=False)

    async def queue(self) -> list[str]:
        return queue.split_rows(self.text, MARKS)

    async def runs(self, cluster: str, job_ids: Sequence[str], since: int) -> list[Entry]:
        return []

    async def ended(self, cluster: str, since: int) -> list[Entry]:
        return []


async def transitions(text: str, folder: Path) -> dict[str, float]:
    """Measure a poll in which many jobs have ended, to their rows in the outbox."""
    outbox = Outbox(folder / "outbox.sqlite")
    await outbox.open()
    rules = Rules(
        router=Router(subscribers=(Subscriber(channel="team", patterns=("all",)),)),
        renderer=Renderer(),
        channels={"team": ChannelSettings(type="webhook")},
    )
    intake = Intake(outbox, SystemClock(), lambda names: None, rules)
    cluster = Cluster(text)
    settings = SlurmSettings(users=("all",), digest_after=10**6)
    publish = intake.take_in
    poller = Poller(cluster, settings, outbox, publish, SystemClock(), no_details(settings))
    await poller.restore()
    await poller.poll()
    cluster.text = changed(text, TRANSITIONS)
    began = time.process_time()
    await poller.poll()
    spent = time.process_time() - began
    owed = (await outbox.backlog())["team"].pending
    await outbox.close()
    return {"transitions": owed, "CPU s": spent, "µs each": spent / owed * 1e6}


def against_json(folder: Path) -> dict[str, float]:
    """Measure reading a whole queue from text, and json.loads of the same queue."""
    raw = (folder / "queue.txt").read_bytes()
    document = (folder / "queue.json").read_bytes()
    times = json.loads((folder / "times.json").read_text())

    def read() -> object:
        return queue.compare({}, queue.split_rows(raw.decode("utf-8", "replace"), MARKS), "demo")

    text, loaded = cpu(read), cpu(lambda: json.loads(document), 2)
    return {
        "text MB": len(raw) / 1e6,
        "json MB": len(document) / 1e6,
        "text: squeue s": times["text"],
        "json: squeue s": times["json"],
        "text: read s": text,
        "json: loads s": loaded,
        "text is cheaper by": (times["json"] + loaded) / (times["text"] + text),
    }


def show(title: str, figures: dict[str, float]) -> None:
    """Print a table of figures."""
    print(title)  # noqa: T201
    for name, value in figures.items():
        print(f"  {name:36} {value:12.4g}" if value < 1e6 else f"  {name:36} {value:12.0f}")  # noqa: T201


def main() -> None:
    """Measure everything."""
    quiet = structlog.make_filtering_bound_logger(logging.WARNING)  # as the daemon, but for news
    structlog.configure(wrapper_class=quiet)
    folder = Path(sys.argv[1])
    sizes = [int(word) for word in sys.argv[2:]] or [20_000, 100_000, 500_000]
    for jobs in sizes:
        show(f"nothing has changed, {jobs} jobs", unchanged(multiplied(folder / "queue.txt", jobs)))
    with tempfile.TemporaryDirectory() as place:
        text = multiplied(folder / "queue.txt", 20_000)
        figures = asyncio.run(transitions(text, Path(place)))
        show(f"{TRANSITIONS} of 20000 jobs have ended", figures)
    show("text against JSON", against_json(folder))


if __name__ == "__main__":
    main()
