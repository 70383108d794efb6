"""`notifyd dead`: what was given up, and what is to become of it."""

from __future__ import annotations

from collections.abc import Mapping

import click

from notifyd.cli import text
from notifyd.cli.context import Context, places
from notifyd.cli.delivery import show
from notifyd.cli.prose import say
from notifyd.client import Json

_HOW = "`notifyd dead show ID` tells more, `notifyd dead retry ID` sends it again."
_PATIENCE = 600.0
"""Seconds: a million letters take a while."""


def _given(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Let no empty ID pass: a script's variable that is not set means nothing at all."""
    if value == "":
        raise click.BadParameter("it is empty")
    return value


@click.group("dead")
def command() -> None:
    """Show, retry or purge dead letters: what was given up.

    An ID may be cut short, as long as no other begins so.
    """


@command.command("list")
@click.option("--channel", metavar="NAME", help="Only this channel's.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@places
@click.pass_context
def dead_list(ctx: click.Context, channel: str | None, limit: int, as_json: bool) -> None:
    """Show the dead letters with the reasons, newest first."""
    context: Context = ctx.obj
    dead = context.client().dead(limit, channel)
    if as_json:
        text.as_json(dead)
    else:
        show_list(dead, channel)


def show_list(dead: Json, channel: str | None) -> None:
    """Print dead letters for people, those of one channel or all."""
    counts = {name: n for name, n in dead["counts"].items() if channel in (None, name)}
    if not counts:
        of = f" of {channel}" if channel else ""
        say(f"No dead letters{of}: nothing was given up.")
        return
    letters = dead["deliveries"]
    rows = [
        (
            text.clock(one["finished"]),
            text.short(one["id"]),
            one["channel"],
            str(len(one["attempts"])),
            one["title"],
        )
        for one in letters
    ]
    reasons = [one["detail"] or "" for one in letters]
    text.table(("TIME", "ID", "CHANNEL", "TRIES", "MESSAGE"), rows, below=reasons)
    click.echo()
    say(f"{_total(counts, len(letters))}\n{_HOW}")


def _total(counts: Mapping[str, int], shown: int) -> str:
    total = sum(counts.values())
    each = ", ".join(f"{name} {number}" for name, number in counts.items())
    part = f", the newest {shown} above" if shown < total else ""
    return f"{text.count(total, 'dead letter')} ({each}){part}."


@command.command("show")
@click.argument("id", callback=_given)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@places
@click.pass_context
def dead_show(ctx: click.Context, id: str, as_json: bool) -> None:
    """Show all that is known of a delivery, dead or not."""
    context: Context = ctx.obj
    delivery = context.client().delivery(id)
    if as_json:
        text.as_json(delivery)
    else:
        show(delivery)


@command.command("retry")
@click.argument("id", required=False, callback=_given)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--channel", metavar="NAME", help="With --all: only this channel's.")
@places
@click.pass_context
def dead_retry(ctx: click.Context, id: str | None, everything: bool, channel: str | None) -> None:
    """Send the dead letter ID again, or all.

    Each is tried for one more day, behind what its channel owes already.
    """
    _check_usage(id, everything, channel)
    context: Context = ctx.obj
    client = context.client(_PATIENCE)
    done = client.retry_all(channel) if id is None else client.retry(id)
    if done["retried"] or not done["left"]:
        say(_sentence(done["retried"], "owed again, and sent as soon as can be", "to retry"))
    for name, number in done["left"].items():
        some = text.count(number, "dead letter")
        say(f"Left: {some} of {name}, which is muted or not configured.")


@command.command("purge")
@click.argument("id", required=False, callback=_given)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--channel", metavar="NAME", help="With --all: only this channel's.")
@places
@click.pass_context
def dead_purge(ctx: click.Context, id: str | None, everything: bool, channel: str | None) -> None:
    """Forget the dead letter ID, or all.

    Asks nothing, and cannot be undone.
    """
    _check_usage(id, everything, channel)
    context: Context = ctx.obj
    client = context.client(_PATIENCE)
    done = client.purge_all(channel) if id is None else client.purge(id)
    say(_sentence(done["purged"], "forgotten", "to forget"))


def _check_usage(id: str | None, everything: bool, channel: str | None) -> None:
    if id is None and not everything:
        raise click.UsageError("name one by its ID (`notifyd dead list` shows them), or say --all")
    if id is not None and everything:
        raise click.UsageError("either an ID or --all, not both")
    if channel is not None and not everything:
        raise click.UsageError("--channel goes with --all")


def _sentence(number: int, done: str, wanted: str) -> str:
    if not number:
        return f"No dead letters {wanted}."
    return f"{text.count(number, 'dead letter')} {'is' if number == 1 else 'are'} {done}."
