"""`notifyd send`."""

from __future__ import annotations

import click

from notifyd.cli.context import Context, places


@click.command("send")
@click.argument("text")
@click.option("--channel", required=True, metavar="NAME", help="The channel to tell it to.")
@click.option("--id", metavar="ID", help="The same ID is told only once.")
@places
@click.pass_context
def command(ctx: click.Context, text: str, channel: str, id: str | None) -> None:
    """Send TEXT to a channel: stored first, then told like any other message."""
    context: Context = ctx.obj
    context.client().send(text, channel, id)
    click.echo(f"Stored; {channel} will have it in a moment. `notifyd history` shows it.")
