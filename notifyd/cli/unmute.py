"""`notifyd unmute`."""

from __future__ import annotations

import click

from notifyd.cli.context import Context, places


@click.command("unmute")
@click.argument("channel")
@places
@click.pass_context
def command(ctx: click.Context, channel: str) -> None:
    """Switch CHANNEL on again."""
    context: Context = ctx.obj
    context.client().unmute(channel)
    click.echo(f"{channel} is on again.")
