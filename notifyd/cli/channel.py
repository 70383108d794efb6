"""`notifyd channel list`."""

from __future__ import annotations

import click

from notifyd.cli import text
from notifyd.cli.context import Context, places


@click.group("channel")
def command() -> None:
    """List the channels."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@places
@click.pass_context
def channel_list(ctx: click.Context, as_json: bool) -> None:
    """Show each channel: its state, who is told instead, and the events that it hears."""
    context: Context = ctx.obj
    channels = context.client().status()["channels"]
    if as_json:
        text.as_json(channels)
        return
    if not channels:
        click.echo("No channels. `notifyd init` sets one up.")
        return
    rows = [
        (
            one["name"],
            one["kind"],
            one["state"],
            ", ".join(one["fallback"]) or "-",
            ", ".join(one["events"]) or "-",
        )
        for one in channels
    ]
    text.table(("CHANNEL", "KIND", "STATE", "FALLBACK", "EVENTS"), rows)
