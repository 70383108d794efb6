"""`notifyd reload`."""

from __future__ import annotations

import click

from notifyd.cli.context import Context, places


@click.command("reload")
@places
@click.pass_context
def command(ctx: click.Context) -> None:
    """Read the configuration anew. A bad one changes nothing, and says why."""
    context: Context = ctx.obj
    context.client().reload()
    click.echo("The new configuration is in use.")
