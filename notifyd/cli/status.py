"""`notifyd status`."""

from __future__ import annotations

import time

import click

from notifyd.cli import text
from notifyd.cli.context import Context, places
from notifyd.cli.fares import show_channels
from notifyd.cli.prose import say
from notifyd.client import Json

_MARGIN = " " * 9


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@places
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Show how the daemon, the watching, the store and each channel are."""
    context: Context = ctx.obj
    status = context.client().status()
    if as_json:
        text.as_json(status)
        return
    show(status, time.time())


def show(status: Json, now: float) -> None:
    """Print a status for people; `now` is in Unix seconds."""
    click.echo(f"notifyd {status['version']}, up {text.span(status['uptime_seconds'])}")
    config = text.plain(status["config"])
    click.echo(f"Config   {config}, loaded {text.ago(status['config_loaded'], now)}")
    if status["config_trouble"]:
        _trouble("", "the last reload was refused; the old config goes on:", "yellow")
        for line in status["config_trouble"].splitlines():
            click.echo(f"{_MARGIN}  {text.plain(line)}")
    for cluster in status["clusters"]:
        _show_cluster(cluster, now)
    trouble = status["store"]["trouble"]
    if trouble:
        _trouble("Store", f"in trouble, all waits until it can be written: {trouble}", "red")
    show_channels(status, now)


def _show_cluster(cluster: Json, now: float) -> None:
    if cluster["unreachable_since"]:
        name = f"{cluster['name']} " if cluster["name"] else ""
        since = text.clock(cluster["unreachable_since"])
        _trouble("Slurm", f"{name}unreachable since {since}:\n{cluster['trouble']}", "red")
    else:
        polled = text.ago(cluster["last_poll"], now)
        name = cluster["name"] or "not reached yet"
        coming = _coming(cluster["next_poll"], now)
        many = text.count(cluster["jobs"], "job")
        click.echo(f"Slurm    {name}, {many}, polled {polled}{coming}")
    if cluster["accounting_trouble"]:
        _trouble("", f"accounting does not answer:\n{cluster['accounting_trouble']}", "yellow")
    elif not cluster["accounting"]:
        click.echo(f"{_MARGIN}without accounting: only what the queue shows can be told")


def _coming(next_poll: float | None, now: float) -> str:
    return f", next in {text.span(next_poll - now)}" if next_poll and next_poll > now else ""


def _trouble(what: str, words: str, colour: str) -> None:
    mark = click.style(f"{what:{len(_MARGIN)}}", fg=colour)
    say(words, _MARGIN, mark=mark, colour=colour)
