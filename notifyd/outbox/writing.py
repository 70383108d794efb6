"""What is owed is written down, behind what its lane owes already. Blocks; see `store`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from notifyd.outbox.records import CONTENT, Owed
from notifyd.outbox.rows import row_of
from notifyd.outbox.statements import Statements, Values, many


def write(sql: Statements, owed: Iterable[Owed]) -> int:
    """Store what is owed, within the caller's transaction; return how much of it was new."""
    owed = list(owed)
    if not owed:
        return 0
    with pulling_forward(sql):
        new = sql.run_many("add", (_row(sql, one) for one in owed))
        for one in owed:
            if one.unless is not None and one.delivery.fallback:
                _go_on_with(sql, one.unless, one)
                _go_on_with(sql, one.delivery.id, one)
    return new


@contextmanager
def pulling_forward(sql: Statements) -> Iterator[None]:
    """Let what the block adds take along what was put off before it in its lane."""
    row = sql.one("last", {})
    yield
    for new in sql.all("behind_others", {"last": row["seq"] if row else 0}):
        sql.run("pull_forward", {key: new[key] for key in ("seq", "channel", "lane", "due")})


def _go_on_with(sql: Statements, id: str, owed: Owed) -> None:
    """Give the rest of the chain to what is there already, so that it goes on from there.

    That is the delivery of who hears it anyway, as long as it is owed; or what another has handed
    on to the same before, which is owed again if it came to nothing.
    """
    row = sql.one("chain", {"id": id})
    longer = _longer(row["content"], owed.delivery.fallback) if row else None
    if row is None or longer is None:
        return
    is_over = row["finished"] is not None
    if is_over and id == owed.unless:
        return
    sql.run("lengthen", {"id": id, "content": longer})
    if is_over:
        until = {"now": owed.delivery.created, "expires": owed.delivery.expires}
        sql.run("revive", {"id": id, "channel": row["channel"], "lane": row["lane"], **until})
        sql.run("next_heads", {"ended": many([id])})


def _longer(text: str, rest: tuple[str, ...]) -> str | None:
    """Return the content with the rest of a chain; None if that says nothing new."""
    try:
        content = CONTENT.validate_json(text)
    except ValidationError:
        return None  # whoever takes it in hand buries it
    fallback = tuple(dict.fromkeys((*content.fallback, *rest)))
    if fallback == content.fallback:
        return None
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
