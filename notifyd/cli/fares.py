"""How channels are shown: a line each, then a sentence for each trouble."""

from __future__ import annotations

from collections.abc import Iterator

import click

from notifyd.cli import text
from notifyd.cli.prose import say
from notifyd.client import Json

Sentence = tuple[str, str]
"""A colour, and what to say in it."""


def show_channels(status: Json, now: float) -> None:
    """Print the channels of a status; `now` is in Unix seconds."""
    channels = status["channels"]
    click.echo()
    if channels:
        _show_table(channels, now)
    else:
        click.echo("No channels. `notifyd init` sets one up.")
    sentences = [one for channel in channels for one in _troubles(channel)]
    for colour, words in [*sentences, *_strangers(status)]:
        say(words, colour=colour)


def _show_table(channels: list[Json], now: float) -> None:
    header = ("CHANNEL", "KIND", "STATE", "BREAKER", "BUCKET", "DEAD", "OWED (FOR)")
    rows = [
        (
            one["name"],
            one["kind"],
            one["state"],
            one["breaker"],
            f"{one['tokens']:.0f}/{one['burst']}",
            _number(one["dead"]),
            _owed(one, now),
        )
        for one in channels
    ]
    text.table(header, rows)


def _owed(channel: Json, now: float) -> str:
    if not channel["backlog"]:
        return _number(channel["backlog"])
    return f"{channel['backlog']} ({text.roughly(now - channel['oldest'])})"


def _number(number: int | None) -> str:
    return "?" if number is None else str(number)


def _troubles(channel: Json) -> Iterator[Sentence]:
    name = channel["name"]
    if channel["muted"]:
        yield "blue", f"{name} is {channel['muted']}; `notifyd unmute {name}` ends that."
    if channel["refusal"]:
        yield "red", f"{name} takes nothing until it is mended: {channel['refusal']}"
        yield "red", f"After mending: notifyd reload (or notifyd test --channel {name})"
    elif channel["down_since"]:
        yield "red", f"{name} is down {_outage(channel)}{_reason(channel)}"
    elif channel["paused_until"]:
        until = text.clock(channel["paused_until"])
        yield "yellow", f"{name} has asked for a pause until {until}{_reason(channel)}"
    elif channel["last_error"]:
        yield "yellow", f"{name}: the last try failed{_reason(channel)}"
    if channel["dead"]:
        some = text.count(channel["dead"], "dead letter")
        yield "yellow", f"{name} has {some}: notifyd dead list --channel {name}"


def _outage(channel: Json) -> str:
    since, probe = text.clock(channel["down_since"]), channel["next_probe"]
    when = f"tried again at {text.clock(probe)}" if probe else "being tried again now"
    return f"since {since}, and {when}"


def _reason(channel: Json) -> str:
    return f": {channel['last_error']}" if channel["last_error"] else "."


def _strangers(status: Json) -> Iterator[Sentence]:
    """Yield what belongs to channels that are not there."""
    gone = "that channel is not configured, or not enabled"
    for name, count in status["unconfigured_backlog"].items():
        yield "yellow", f"{name}: {count} owed, but {gone}."
    known = {one["name"] for one in status["channels"]}
    for name, count in status["store"]["dead"].items():
        if name not in known:
            yield "yellow", f"{name}: {text.count(count, 'dead letter')}, and {gone}."
