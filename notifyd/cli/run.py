"""`notifyd run`: the daemon in the foreground."""

from __future__ import annotations

import contextlib
import os
import sys

import click

from notifyd.cli.context import Context, places


@click.command("run")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning"]),
    default="info",
    envvar="NOTIFYD_LOG_LEVEL",
    show_default=True,
    show_envvar=True,
    help="Which log lines are written.",
)
@places
@click.pass_context
def command(ctx: click.Context, log_level: str) -> None:
    """Watch and tell until Ctrl-C or SIGTERM; SIGHUP reads the configuration anew.

    Variables that the shell does not set come from the file `environment` in notifyd's
    configuration folder, as for the service.
    """
    context: Context = ctx.obj
    from notifyd.cli.environment import service_environment
    from notifyd.config.load import load
    from notifyd.config.problems import ConfigError
    from notifyd.logs import set_up_logs

    environ = service_environment(context.environ)
    set_up_logs(environ, log_level)
    try:
        config = load(context.config, environ)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    from notifyd.daemon import Where, run_daemon

    where = Where(
        config=context.config,
        state=context.state,
        socket=context.socket,
        environ=environ,
    )
    trouble = run_daemon(where, config)
    if trouble:
        click.echo(f"notifyd: {trouble}", err=True)
    _leave(1 if trouble else 0)


def _leave(code: int) -> None:
    """End the process now. Everything is stored; a thread that hangs must not hold it up."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)
