"""What is owed is written down, behind what its lane owes already. Blocks; see `store`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from notifyd.outbox.records import CONTENT, Owed
from notifyd.outbox.rows import row_of
from notifyd.outbox.statements import Statements, Values


def write(sql: Statements, owed: Iterable[Owed]) -> int:
    """Store what is owed, within the caller's transaction; return how much of it was new."""
    owed = list(owed)
    if not owed:
        return 0
    with pulling_forward(sql):
        new = sql.run_many("add", (_row(sql, one) for one in owed))
    for one in owed:
        _lengthen(sql, one)
    return new


@contextmanager
def pulling_forward(sql: Statements) -> Iterator[None]:
    """Let what the block adds take along what was put off before it in its lane."""
    row = sql.one("last", {})
    yield
    for new in sql.all("behind_others", {"last": row["seq"] if row else 0}):
        sql.run("pull_forward", {key: new[key] for key in ("seq", "channel", "lane", "due")})


def _lengthen(sql: Statements, owed: Owed) -> None:
    """Give the rest of the chain to the delivery that is there already, if that is still owed."""
    rest = owed.delivery.fallback
    row = sql.one("still_owed", {"id": owed.unless}) if owed.unless and rest else None
    if row is not None:
        content = CONTENT.validate_json(row["content"])
        fallback = tuple(dict.fromkeys((*content.fallback, *rest)))
        longer = CONTENT.dump_json(dataclasses.replace(content, fallback=fallback)).decode()
        sql.run("lengthen", {"id": owed.unless, "content": longer})


def _row(sql: Statements, owed: Owed) -> Values:
    row = row_of(owed.delivery, owed.fingerprint, _told(sql, owed))
    return {**row, "unless": owed.unless}


def _told(sql: Statements, owed: Owed) -> float | None:
    """Return when the same was told, if it was (Unix seconds)."""
    if owed.fingerprint is None:
        return None
    values: Values = {
        "channel": owed.delivery.channel,
        "fingerprint": owed.fingerprint,
        "since": owed.alike_since,
    }
    row = sql.one("alike", values)
    return None if row is None else row["told"]
