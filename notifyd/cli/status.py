"""`notifyd status`."""

from __future__ import annotations

import time

import click

from notifyd.cli import text
from notifyd.cli.context import Context, places
from notifyd.client import Json

_COLOURS = {"ok": "green", "failing": "yellow", "down": "red", "muted": "blue"}


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@places
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Show how the daemon, the watching and each channel are."""
    context: Context = ctx.obj
    status = context.client().status()
    if as_json:
        text.as_json(status)
        return
    show(status, time.time())


def show(status: Json, now: float) -> None:
    """Print a status for people; `now` is in Unix seconds."""
    click.echo(f"notifyd {status['version']}, up {text.span(status['uptime_seconds'])}")
    click.echo(f"Config   {status['config']}, loaded {text.ago(status['config_loaded'], now)}")
    if status["config_trouble"]:
        click.secho("         the last reload was refused; the old config goes on:", fg="yellow")
        for line in status["config_trouble"].splitlines():
            click.echo(f"           {line}")
    for cluster in status["clusters"]:
        _show_cluster(cluster, now)
    _show_channels(status, now)


def _show_cluster(cluster: Json, now: float) -> None:
    if cluster["unreachable_since"]:
        name = f"{cluster['name']} " if cluster["name"] else ""
        since = text.clock(cluster["unreachable_since"])
        click.secho(f"Slurm    {name}unreachable since {since}:", fg="red")
        click.secho(f"         {text.plain(cluster['trouble'])}", fg="red")
    else:
        polled = text.ago(cluster["last_poll"], now)
        name = cluster["name"] or "not reached yet"
        coming = _coming(cluster["next_poll"], now)
        many = f"{cluster['jobs']} job{'s' * (cluster['jobs'] != 1)}"
        click.echo(f"Slurm    {name}, {many}, polled {polled}{coming}")
    if cluster["accounting_trouble"]:
        click.secho("         accounting does not answer:", fg="yellow")
        click.secho(f"         {text.plain(cluster['accounting_trouble'])}", fg="yellow")
    elif not cluster["accounting"]:
        click.echo("         without accounting: only what the queue shows can be told")


def _coming(next_poll: float | None, now: float) -> str:
    return f", next in {text.span(next_poll - now)}" if next_poll and next_poll > now else ""


def _show_channels(status: Json, now: float) -> None:
    channels = status["channels"]
    if not channels:
        click.echo("No channels. `notifyd init` sets one up.")
        return
    click.echo()
    header = ("CHANNEL", "KIND", "STATE", "BREAKER", "BUCKET", "OWED")
    rows = [
        (
            one["name"],
            one["kind"],
            one["state"],
            one["breaker"],
            f"{one['tokens']:.0f}/{one['burst']}",
            _owed(one, now),
        )
        for one in channels
    ]
    text.table(header, rows)
    for one in channels:
        why = one["muted"] or one["last_error"]
        if why:
            click.secho(f"{one['name']}: {text.plain(why)}", fg=_COLOURS[one["state"]])
    for name, count in status["unconfigured_backlog"].items():
        click.secho(
            f"{name}: {count} owed, but that channel is not configured, or not enabled", fg="yellow"
        )


def _owed(channel: Json, now: float) -> str:
    if not channel["backlog"]:
        return "0"
    return f"{channel['backlog']}, oldest {text.ago(channel['oldest'], now)}"
