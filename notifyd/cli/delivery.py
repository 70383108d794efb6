"""How one delivery is shown, with all that is known of it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from notifyd.cli import text
from notifyd.cli.prose import say
from notifyd.client import Json
from notifyd.clock import local_time

_LABELS = 13
"""Columns for the names of things."""
_NEVER = 1e14
"""Unix seconds; what expires later does not."""


def show(one: Json) -> None:
    """Print a delivery for people."""
    for label, words in _lines(one):
        name = click.style(f"{label:{_LABELS}}", dim=True)
        say(words, " " * _LABELS, mark=name)
    if one["attempts"]:
        click.echo()
        _show_attempts(one)


def _lines(one: Json) -> Iterator[tuple[str, str]]:
    yield "Delivery", one["id"]
    yield "Message", _said(one)
    if one["told"]:
        yield "Sent as", _said(one["told"])
    yield "Event", _about(one)
    yield "Channel", f"{one['channel']}, at {one['target']}" if one["target"] else one["channel"]
    yield "Sent because", _why(one)
    yield "State", f"{one['state']}: {one['detail']}" if one["detail"] else one["state"]
    yield "Created", local_time(one["created"])
    if one["finished"] is None:
        yield "Due", local_time(one["due"])
        if one["expires"] < _NEVER:
            yield "Tried until", local_time(one["expires"])
    else:
        yield "Ended", local_time(one["finished"])
    if one["ref"]:
        yield "Service's id", one["ref"]
    if one["told_in"]:
        yield "Told", f"in the message of {one['told_in']}"
    if one["tells"]:
        yield "Told with it", "\n".join(_others(one))


def _said(one: Json) -> str:
    return "\n".join(filter(None, (one["title"], one["body"])))


def _others(one: Json) -> Iterator[str]:
    yield f"{text.count(one['tells'], 'other')}, in the same message:"
    for other in one["others"]:
        yield f"{text.short(other['id'])}  {other['title']}"
    more = one["tells"] - len(one["others"])
    if more:
        yield f"and {more} more"


def _about(one: Json) -> str:
    kind, subject = one["event_type"], one["subject"]
    return f"{kind} of {subject}" if subject != kind else str(kind)


def _why(one: Json) -> str:
    """Return which rule owes it; the others name themselves."""
    if one["event_type"] == "message":
        return f"somebody named {one['channel']}"
    if one["rule"] == "channel":
        return f"{one['channel']} hears {one['event_type']}"
    return str(one["rule"])


def _show_attempts(one: Json) -> None:
    rows = [
        (
            str(attempt["number"]),
            text.clock(attempt["at"]),
            f"{attempt['seconds']:.2f} s",
            str(attempt["status"] or "-"),
            attempt["outcome"],
        )
        for attempt in one["attempts"]
    ]
    errors = [attempt["detail"] or "" for attempt in one["attempts"]]
    text.table(("TRY", "TIME", "TOOK", "STATUS", "OUTCOME"), rows, below=errors)
