"""`notifyd history`."""

from __future__ import annotations

import click

from notifyd.cli import text
from notifyd.cli.context import Context, places


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
            click.echo()
            click.echo(f"{text.plain(one['subject'])} on {one['channel']}, {one['state']}:")
            for attempt in one["attempts"]:
                click.echo(
                    f"  {text.clock(attempt['at'])}  {text.plain(attempt['detail'] or 'delivered')}"
                )
            if not one["attempts"]:
                click.echo(f"  {text.plain(one['detail'])}")
