"""`notifyd mute`."""

from __future__ import annotations

import click

from notifyd.cli import text
from notifyd.cli.context import Context, places


def _seconds(ctx: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    from notifyd.settings import parse_duration

    try:
        return None if value is None else parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command("mute")
@click.argument("channel")
@click.option("--for", "seconds", metavar="TIME", callback=_seconds, help="Like 30m, 2h or 1d.")
@places
@click.pass_context
def command(ctx: click.Context, channel: str, seconds: float | None) -> None:
    """Switch CHANNEL off. What it would have told is kept in the history as suppressed."""
    context: Context = ctx.obj
    context.client().mute(channel, seconds)
    end = f"for {text.span(seconds)}" if seconds else f"until `notifyd unmute {channel}`"
    click.echo(f"{channel} is muted {end}.")
