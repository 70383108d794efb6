"""The named statements of `sql/`, run on one connection."""

from __future__ import annotations

import functools
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from operator import itemgetter

from notifyd.outbox.errors import OutboxError

Values = Mapping[str, str | int | float | None]

FILES = ("queue.sql", "settling.sql", "folding.sql", "archive.sql", "notebook.sql")
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_NAMED = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_NAME = re.compile(r":(\w+)")
Pick = Callable[[Values], tuple[str | int | float | None, ...]]


class Statements:
    """One connection. Everything here blocks: it is called in the store's own thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbered = _all_numbered()

    def run(self, name: str, values: Values) -> int:
        """Run a statement and return how many rows it changed."""
        text, pick = self._numbered[name]
        return self._connection.execute(text, pick(values)).rowcount

    def run_many(self, name: str, rows: Iterable[Values]) -> int:
        """Run a statement for each row of values and return how many rows were changed."""
        text, pick = self._numbered[name]
        return max(self._connection.executemany(text, map(pick, rows)).rowcount, 0)

    def all(self, name: str, values: Values) -> list[sqlite3.Row]:
        """Return what a query finds."""
        text, pick = self._numbered[name]
        return self._connection.execute(text, pick(values)).fetchall()

    def one(self, name: str, values: Values) -> sqlite3.Row | None:
        """Return the first row that a query finds."""
        rows = self.all(name, values)
        return rows[0] if rows else None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything in the block, or nothing of it."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # a full disk may have ended it already
                self._connection.execute("ROLLBACK")
            raise

    @property
    def changes(self) -> int:
        """How many rows it has changed so far."""
        return self._connection.total_changes

    def close(self) -> None:
        self._connection.close()


def many(values: Iterable[Mapping[str, object] | str | int]) -> str:
    """Return values that one statement works through by itself.

    A statement for each of them would let the loop run in between, and wait for its turn anew.
    """
    try:
        return _JSON.encode(list(values))
    except ValueError as error:
        raise OutboxError(f"a value cannot be stored: {error}") from error


def load_statements() -> Mapping[str, str]:
    """Return the statements by their names."""
    return {name: body for file in FILES for name, body in _named(text_of(file))}


def text_of(file: str) -> str:
    """Return a file of `sql/`."""
    return resources.files("notifyd.outbox").joinpath("sql", *file.split("/")).read_text("utf-8")


@functools.cache
def _all_numbered() -> Mapping[str, tuple[str, Pick]]:
    return {name: _numbered(text) for name, text in load_statements().items()}


def _numbered(text: str) -> tuple[str, Pick]:
    """Return the statement with numbers for names, which are looked up faster, and its values."""
    names = list(dict.fromkeys(_NAME.findall(text)))
    numbered = _NAME.sub(lambda found: f"?{names.index(found[1]) + 1}", text)
    if len(names) > 1:
        return numbered, itemgetter(*names)
    return numbered, lambda values: tuple(values[name] for name in names)


def _named(text: str) -> Iterator[tuple[str, str]]:
    pieces = _NAMED.split(text)
    for name, body in zip(pieces[1::2], pieces[2::2], strict=True):
        yield name, body.strip()
