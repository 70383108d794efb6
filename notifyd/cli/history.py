"""`notifyd history`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from notifyd.cli import text
from notifyd.cli.context import Context, places
from notifyd.client import Json
from notifyd.model import DeliveryState


@click.command("history")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--channel", metavar="NAME", help="Only this channel.")
@click.option(
    "--state",
    type=click.Choice([one.value for one in DeliveryState]),
    help="Only what stands there.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@places
@click.pass_context
def command(
    ctx: click.Context, limit: int, channel: str | None, state: str | None, as_json: bool
) -> None:
    """Show the last deliveries with their attempts, newest first.

    `notifyd dead show ID` tells all of one.
    """
    context: Context = ctx.obj
    deliveries = context.client().history(limit, channel, state)
    if as_json:
        text.as_json(deliveries)
    elif deliveries:
        show(deliveries)
    elif channel or state:
        click.echo("Nothing like that is in the history.")
    else:
        click.echo("Nothing has been told yet.")


def show(deliveries: Sequence[Json]) -> None:
    """Print deliveries for people: a line each, then the tries of those that had trouble."""
    rows = [
        (
            text.clock(one["created"]),
            text.short(one["id"]),
            one["channel"],
            one["state"],
            str(len(one["attempts"])),
            _message(one),
        )
        for one in deliveries
    ]
    text.table(("TIME", "ID", "CHANNEL", "STATE", "TRIES", "MESSAGE"), rows)
    for one in deliveries:
        if one["detail"] or any(_failed(attempt) for attempt in one["attempts"]):
            _show_tries(one)


def _message(one: Json) -> str:
    title = str(one["title"])
    return f"in {text.short(one['told_in'])}: {title}" if one["told_in"] else title


def _failed(attempt: Json) -> bool:
    return bool(attempt["outcome"] != "delivered")


def _show_tries(one: Json) -> None:
    click.echo()
    about = f"{text.plain(one['subject'])} on {text.plain(one['channel'])}"
    click.echo(f"{text.short(one['id'])}, {about}, {one['state']}:")
    for attempt in one["attempts"]:
        text.under(f"  {text.clock(attempt['at'])}  ", attempt["detail"] or attempt["outcome"])
    if not one["attempts"]:
        text.under("  ", one["detail"])
