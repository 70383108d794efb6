"""`notifyd history`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from notifyd.cli import text
from notifyd.cli.context import Context, places
from notifyd.client import Json


@click.command("history")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--channel", metavar="NAME", help="Only this channel.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@places
@click.pass_context
def command(ctx: click.Context, limit: int, channel: str | None, as_json: bool) -> None:
    """Show the last deliveries with their attempts, newest first."""
    context: Context = ctx.obj
    deliveries = context.client().history(limit, channel)
    if as_json:
        text.as_json(deliveries)
        return
    if not deliveries:
        click.echo("Nothing has been told yet.")
        return
    show(deliveries)


def show(deliveries: Sequence[Json]) -> None:
    """Print deliveries for people: a line each, then the tries of those that had trouble."""
    rows = [
        (
            text.clock(one["created"]),
            one["channel"],
            one["state"],
            str(len(one["attempts"])),
            text.plain(one["title"]),
        )
        for one in deliveries
    ]
    text.table(("TIME", "CHANNEL", "STATE", "TRIES", "MESSAGE"), rows)
    for one in deliveries:
        if one["detail"]:
            _show_tries(one)


def _show_tries(one: Json) -> None:
    click.echo()
    click.echo(f"{text.plain(one['subject'])} on {one['channel']}, {one['state']}:")
    for attempt in one["attempts"]:
        said = text.plain(attempt["detail"] or "delivered")
        click.echo(f"  {text.clock(attempt['at'])}  {said}")
    if not one["attempts"]:
        click.echo(f"  {text.plain(one['detail'])}")
