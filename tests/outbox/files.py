"""Files of earlier versions, and what can happen to a file."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from notifyd.outbox.records import CONTENT, Content
from tests.outbox.parts import delivery

SCHEMAS = Path(__file__).parent / "schemas"
EARLIER = {"0": 1, "1": 1, "2": 2, "3": 3}
"""The schemas that were in use, and the versions that their files say."""
PAGE = 4096
LARGE = "x" * 20_000_000
"""More than SQLite keeps in memory: whoever reads it forgets what they knew of the file."""
IDS = rb"d\d{4}"
"""Of deliveries."""
HOLD = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN EXCLUSIVE'); "
HOLD += "print('held', flush=True); sys.stdin.read()"
"""Holds a database until its standard input ends."""
STATES = ("pending", "delivered", "dead", "suppressed", "pending")
TRIED = {"number": 1, "at": 5, "seconds": 0.5, "outcome": "permanent", "detail": "no"}


def write_earlier(path: Path, schema: str, rows: int = 10) -> list[str]:
    """Make a file as an earlier version left it; return the ids that it holds, in order."""
    with contextlib.closing(sqlite3.connect(path)) as file, file:
        file.executescript((SCHEMAS / f"{schema}.sql").read_text("utf-8"))
        file.execute(f"PRAGMA user_version = {EARLIER[schema]}")
        for number in range(rows):
            _insert(file, "deliveries", _row(number, schema))
        _insert(file, "attempts", {**TRIED, "delivery": 3 if schema >= "3" else "d2"})
        _insert(file, "notes", {"name": "mutes", "value": "{}"})
        if schema >= "2":
            _insert(file, "watched", {"watch": "demo", "name": "job 1", "value": "runs"})
    return [f"d{number}" for number in range(rows)]


def _insert(file: sqlite3.Connection, table: str, row: Mapping[str, object]) -> None:
    marks = ", ".join("?" * len(row))
    file.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))


def _row(number: int, schema: str) -> dict[str, object]:
    one = delivery(f"d{number}", group=f"job {number % 2}")
    state, created = STATES[number % len(STATES)], 1_000_000.0 + number
    row = {
        "id": one.id,
        "channel": "team",
        "grp": one.event.group,
        "event_type": one.event.type,
        "subject": "1",
        "content": CONTENT.dump_json(Content(event=one.event, message=one.message)).decode(),
        "state": state,
        "created": created,
        "due": created,
        "finished": None if state == "pending" else 1_000_050.0,
    }
    if schema < "3":
        return row
    heads = (0, 5)  # the first of each lane that is owed
    lane = {"lane": row.pop("grp"), "head": number in heads, "turn": created}
    return {**row, **lane, "expires": created + 86_400}


def schema_of(path: Path) -> set[tuple[str, ...]]:
    """Return what the file is made of, without comments and white space."""
    query = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master"
    with contextlib.closing(sqlite3.connect(path)) as file:
        rows: Iterable[tuple[str, ...]] = file.execute(query).fetchall()
    return {(*names, re.sub(r"\s+", "", re.sub(r"--.*", "", sql))) for *names, sql in rows}


def overwrite(path: Path, start: int, number: int) -> None:
    """Write other bytes over the file's."""
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xa5" * number)


def change(path: Path, statement: str) -> None:
    """Change the file as no version of notifyd does."""
    with contextlib.closing(sqlite3.connect(path)) as file, file:
        file.execute(statement)


def leaves(path: Path, pattern: bytes, kind: int = 0x0D) -> list[tuple[int, set[str]]]:
    """Return the pages of that kind (tables with a rowid) that hold something: where, and what."""
    content = path.read_bytes()
    pages = ((start, content[start : start + PAGE]) for start in range(0, len(content), PAGE))
    found = ((start, re.findall(pattern, page)) for start, page in pages if page[0] == kind)
    return [(start, {text.decode() for text in texts}) for start, texts in found if texts]


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Let another process hold a database until the block is left."""
    command = [sys.executable, "-c", HOLD, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            assert holder.stdin is not None
            holder.stdin.close()


def lose(path: Path, pattern: bytes, *places: float) -> set[str]:
    """Overwrite pages that hold what fits the pattern, so far into all of them; return that."""
    pages = leaves(path, pattern)
    chosen = [pages[int(len(pages) * place)] for place in places]
    for start, _ in chosen:
        overwrite(path, start, PAGE)
    return set[str]().union(*(texts for _, texts in chosen))
