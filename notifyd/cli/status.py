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
    _show_slurm(status["slurm"], now)
    _show_channels(status, now)


def _show_slurm(slurm: Json, now: float) -> None:
    if slurm["unreachable_since"]:
        since = text.clock(slurm["unreachable_since"])
        click.secho(f"Slurm    unreachable since {since}: {slurm['trouble']}", fg="red")
    else:
        polled = text.ago(slurm["last_poll"], now)
        every = text.span(slurm["interval_seconds"])
        name = slurm["cluster"] or "not reached yet"
        click.echo(f"Slurm    {name}, {slurm['jobs']} jobs, polled {polled} (every {every})")
    if slurm["accounting_trouble"]:
        click.secho(f"         accounting: {slurm['accounting_trouble']}", fg="yellow")


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
