"""Processes that are started and watched: what they use, and what the whole machine does."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.benchmarks.delivery.report import Round

ROOT = Path(__file__).parents[3]
STEP = 0.02
PATIENCE = 180.0
"""Seconds for the last message to come, however late it is."""
CALM = 0.2
"""Cores that may be busy when a round begins."""
CALM_WITHIN = 10.0
_TICK = os.sysconf("SC_CLK_TCK")
_STOPS_WITHIN = 15.0

Process = subprocess.Popen[bytes]


@contextmanager
def started(
    command: Sequence[str],
    environ: Mapping[str, str] | None = None,
    log: IO[bytes] | int = subprocess.DEVNULL,
) -> Iterator[Process]:
    """Run a process until the block is left."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environ, cwd=ROOT
    )
    with process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()


def python(module: str, *arguments: object) -> list[str]:
    """Return the command that runs a module of this package."""
    return [sys.executable, "-m", f"tests.benchmarks.delivery.{module}", *map(str, arguments)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sink:
    """A receiver that runs in a process of its own."""

    port: int
    desk: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def count(self) -> int:
        """Return how many messages came."""
        return int(json.loads(self._ask(b"count\n")))

    def arrivals(self) -> dict[str, float]:
        """Return when each came first, by its id."""
        told: dict[str, float] = json.loads(self._ask(b"arrivals\n"))
        return told

    def _ask(self, question: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.desk)) as door:
            door.sendall(question)
            return door.makefile("rb").readline()


@contextmanager
def sink(kind: str = "http", delay: float = 0.0) -> Iterator[Sink]:
    """Run a receiver until the block is left."""
    with started(python("sink", kind, delay)) as process:
        assert process.stdout is not None
        port, desk = map(int, process.stdout.readline().split())
        yield Sink(port=port, desk=desk, pid=process.pid)


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICK


def peak(pid: int) -> int:
    """Return the most memory that a process has held, in bytes; 0 when it has ended."""
    with contextlib.suppress(StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
    return 0


def busy() -> float:
    """Return the CPU seconds that all processes have had, and those that a host kept to itself.

    The machine's own sum is sampled at ticks, and misses what works in short bursts.
    """
    kept = int(Path("/proc/stat").read_text().split(maxsplit=9)[8]) / _TICK
    return kept + sum(map(_cpu_if_there, filter(str.isdecimal, os.listdir("/proc"))))


def _cpu_if_there(pid: str) -> float:
    try:
        return cpu(int(pid))
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def wait_for_calm() -> None:
    """Give whoever else works on this machine some time to end."""
    latest = time.monotonic() + CALM_WITHIN
    while _load(0.5) > CALM and time.monotonic() < latest:
        pass


def _load(seconds: float) -> float:
    """Return how many cores are busy."""
    before = busy()
    time.sleep(seconds)
    return (busy() - before) / seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the clocks say at one moment."""

    at: float
    machine: float
    bench: float
    theirs: float
    count: int


def read(sink: Sink, process: Process) -> Reading:
    """Read all clocks."""
    theirs = cpu(process.pid)
    return Reading(
        at=time.monotonic(),
        machine=busy(),
        bench=theirs + cpu(sink.pid) + time.process_time(),
        theirs=theirs,
        count=sink.count(),
    )


def measure(
    sink: Sink, process: Process, messages: int, feed: Callable[[], None] | None = None
) -> Round:
    """Wait for every message, and tell what it took; what is fed is counted from there on."""
    if feed is None:
        _until(lambda: sink.count() > 0 or _has_ended(process))
    begin = read(sink, process)
    if feed is not None:
        feed()
    most = _all_there(sink, process, messages)
    end, arrivals = read(sink, process), sink.arrivals()
    return Round(
        messages=len(arrivals),
        seconds=max(arrivals.values()) - min(arrivals.values()) if arrivals else 0.0,
        cpu=end.theirs - begin.theirs,
        counted=end.count - begin.count,
        peak=most,
        others=others(begin, end),
        lost=messages - len(arrivals),
        twice=end.count - len(arrivals),
    )


def others(begin: Reading, end: Reading) -> float:
    """Return how many cores worked for others meanwhile."""
    used = (end.machine - begin.machine) - (end.bench - begin.bench)
    return max(used / (end.at - begin.at), 0.0)


def _all_there(sink: Sink, process: Process, messages: int) -> int:
    """Wait for the last message; return the most memory that the process held meanwhile."""
    most = 0

    def over() -> bool:
        nonlocal most
        ended, most = _has_ended(process), max(most, peak(process.pid))
        return (sink.count() >= messages and len(sink.arrivals()) >= messages) or ended

    _until(over)
    return most


def _has_ended(process: Process) -> bool:
    """Tell whether it has, without taking its figures away: a zombie keeps them."""
    left = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return left is not None


def _until(over: Callable[[], bool]) -> None:
    latest = time.monotonic() + PATIENCE
    while not over() and time.monotonic() < latest:
        time.sleep(STEP)
