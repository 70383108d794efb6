"""The `notifyd` command. Each command's module is imported only when it is called."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Mapping

import click

from notifyd import __version__
from notifyd.cli.context import Context
from notifyd.cli.text import plain
from notifyd.client import NotRunning, Refused
from notifyd.terminal import forbids_colour

_COMMANDS = {
    "init": "Write a configuration by answering at most four questions.",
    "doctor": "Check everything that has to work, with the mend for what does not.",
    "run": "Watch and tell, in the foreground.",
    "status": "Show how the daemon and its channels are.",
    "history": "Show the last deliveries with their attempts.",
    "dead": "Show, retry or purge dead letters: what was given up.",
    "channel": "List the channels.",
    "collection": "Tell a set of jobs as one story: list, add, remove.",
    "test": "Send a test message to a channel.",
    "send": "Send a text to a channel.",
    "mute": "Switch a channel off, for a while or until further notice.",
    "unmute": "Switch a muted channel on again.",
    "reload": "Read the configuration anew.",
}

FAILED = 1
NOT_RUNNING = 3


class _LazyGroup(click.Group):
    """Lists the commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"notifyd.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_LazyGroup, invoke_without_command=True)
@click.option("--config", metavar="FILE", help="The configuration ($NOTIFYD_CONFIG).")
@click.option("--state-dir", metavar="DIR", help="The state folder ($NOTIFYD_STATE_DIR).")
@click.option("--foreground", is_flag=True, help="Watch and tell, like `notifyd run`.")
@click.version_option(__version__, prog_name="notifyd")
@click.pass_context
def notifyd(
    ctx: click.Context, config: str | None, state_dir: str | None, foreground: bool
) -> None:
    """notifyd tells you what happened to your Slurm jobs: once, in order, with the reason."""
    ctx.obj = Context.find(config, state_dir, _environ())
    if forbids_colour(ctx.obj.environ):
        ctx.color = False  # click does not know of it
    if ctx.invoked_subcommand is not None:
        return
    if not foreground:
        click.echo(ctx.get_help())
        return
    run = notifyd.get_command(ctx, "run")
    if run is not None:
        with run.make_context("run", [], parent=ctx) as sub:
            run.invoke(sub)


def _environ() -> Mapping[str, str]:
    return dict(os.environ)


def main() -> None:
    """Run the command. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no daemon."""
    for stream in (sys.stdout, sys.stderr):
        # Where the terminal cannot show a ✔, a question mark is better than a crash.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        notifyd()
    except NotRunning as error:
        click.echo(f"notifyd is not running: {error}.", err=True)
        click.echo("Start it with `systemctl --user start notifyd` or `notifyd run`.", err=True)
        sys.exit(NOT_RUNNING)
    except Refused as error:
        click.echo(f"notifyd: {plain(error.title)}", err=True)
        for detail in error.details:
            click.echo(f"  {plain(detail)}", err=True)
        sys.exit(FAILED)
