"""Whatever a user writes, and however much of it, is read in time that grows with its length."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from notifyd.slurm.tables.cells import ParseError
from tests.slurm.tables.test_tables import (
    MARKS,
    NONCE,
    accounting_line,
    queue_line,
    read_accounting,
    read_queue,
)

TIMES = 8
QUADRATIC = TIMES**2
"""So many times as long would eight times as much take."""

TEXTS = ["x", " ", "\n", "\x1f", "|", "1", "1,", "1-", "[", "]", "%", "...", ":", "é", "\0"]
SEEDS = {
    **{repr(text): text for text in TEXTS},
    "half a nonce": NONCE[: len(NONCE) // 2],
    "most of a mark of texts": MARKS.text[:-1],
    "most of a mark of records": MARKS.record[:-1],
}

Table = Callable[[int], str]


def of_the_queue(field: str, seed: str) -> Table:
    return lambda size: queue_line(**{field: seed * size})


def of_accounting(field: str, seed: str) -> Table:
    return lambda size: accounting_line(**{field: seed * size})


def rows_of_the_queue(size: int) -> str:
    return "".join(queue_line(JobArrayID=str(number)) for number in range(size // 10))


def rows_of_accounting(size: int) -> str:
    return "".join(accounting_line(JobID=str(number)) for number in range(size // 10))


def steps_of_one_job(size: int) -> str:
    """A job with very many steps: they all belong to one record."""
    return accounting_line(JobID="1") + "".join(
        accounting_line(JobID=f"1.{number}") for number in range(size // 10)
    )


def tasks_of_one_array(size: int) -> str:
    """A waiting array that is one row for very many tasks."""
    return queue_line(JobArrayID=f"36_[{','.join(map(str, range(size // 10)))}]")


def marks_alone(size: int) -> str:
    return MARKS.text * size + MARKS.record


HOSTILE: dict[str, tuple[Callable[[str], object], Table]] = {
    "rows of the queue": (read_queue, rows_of_the_queue),
    "rows of accounting": (read_accounting, rows_of_accounting),
    "steps of one job": (read_accounting, steps_of_one_job),
    "tasks of one array": (read_queue, tasks_of_one_array),
    "marks alone": (read_queue, marks_alone),
    "no marks": (read_queue, lambda size: "x\n" * size),
    **{
        f"{field} of {name} in the queue": (read_queue, of_the_queue(field, seed))
        for field in ("Name", "Comment", "Reason", "TimeLimit", "JobArrayID")
        for name, seed in SEEDS.items()
    },
    **{
        f"{field} of {name} in accounting": (read_accounting, of_accounting(field, seed))
        for field in ("JobName", "State", "ExitCode", "JobID")
        for name, seed in SEEDS.items()
    },
}


def seconds(read: Callable[[str], object], text: str) -> float:
    """Return the CPU seconds that reading takes at its best."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        with suppress(ParseError):
            read(text)
        best = min(best, time.process_time() - began)
    return best


@pytest.mark.parametrize("what", HOSTILE)
def test_eight_times_as_much_takes_no_more_than_its_share(what: str) -> None:
    """Far below what a quadratic reader would need; a text too short to be measured is no test."""
    read, table = HOSTILE[what]
    size = 20_000
    little, much = seconds(read, table(size)), seconds(read, table(TIMES * size))

    # Half a millisecond is the floor: below it the clock, not the reader, is what is measured.
    assert much / max(little, 0.0005) < QUADRATIC / 2
