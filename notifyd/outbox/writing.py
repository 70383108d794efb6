"""What is owed is written down, behind what its lane owes already. Blocks; see `store`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pydantic import ValidationError

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
    """Give the rest of the chain to the delivery that is there already, if that is still owed.

    That is the one of who hears it anyway, or what another has handed on to the same before.
    """
    if owed.unless is None or not owed.delivery.fallback:
        return
    for id in (owed.unless, owed.delivery.id):
        row = sql.one("still_owed", {"id": id})
        if row is not None:
            content = _longer(row["content"], owed.delivery.fallback)
            sql.run("lengthen", {"id": id, "content": content})


def _longer(text: str, rest: tuple[str, ...]) -> str:
    try:
        content = CONTENT.validate_json(text)
    except ValidationError:
        return text  # whoever takes it in hand buries it
    fallback = tuple(dict.fromkeys((*content.fallback, *rest)))
    return CONTENT.dump_json(dataclasses.replace(content, fallback=fallback)).decode()


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
