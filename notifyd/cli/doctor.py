"""`notifyd doctor`."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Iterator

import click

from notifyd.cli import text
from notifyd.cli.checks import channels, daemon, service, settings, slurm, state, store
from notifyd.cli.checks.finding import Finding, State
from notifyd.cli.context import Context, places
from notifyd.cli.environment import environment_file, service_environment
from notifyd.cli.prose import say
from notifyd.cli.systemctl import UserManager
from notifyd.clock import SystemClock
from notifyd.slurm.settings import SlurmSettings

_MARKS = {State.OK: ("✔", "green"), State.WARNING: ("!", "yellow"), State.FAILED: ("✘", "red")}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--send/--no-send", default=True, help="Send each channel a test message.")
@places
@click.pass_context
def command(ctx: click.Context, as_json: bool, send: bool) -> None:
    """Check everything that has to work, with the mend for what does not."""
    context: Context = ctx.obj
    findings = []
    for finding in examine(context, send):
        findings.append(finding)
        if not as_json:
            show(finding)
    if as_json:
        text.as_json([dataclasses.asdict(one) for one in findings])
    else:
        click.echo()
        say(summary(findings))
    sys.exit(any(one.state is State.FAILED for one in findings))


def examine(context: Context, send: bool) -> Iterator[Finding]:
    """Yield what each check finds, as soon as it is known."""
    environ = service_environment(context.environ)
    finding, config = settings.check_config(context.config, environ)
    yield finding
    files = settings.config_files(context.config)
    if files:
        yield settings.check_private(files)
    yield from settings.check_environment(environment_file(context.environ))
    yield from state.look_at(context.state)
    watched = config.slurm if config else SlurmSettings()
    yield from asyncio.run(slurm.look_at(watched, environ, SystemClock()))
    changed = max((one.stat().st_mtime for one in files), default=0.0)
    finding, status = daemon.check_daemon(context, changed)
    yield finding
    yield from store.judge(status) if status else store.look_at(context.state)
    yield from store.check_damaged(context.state)
    yield from service.look_at(UserManager(context.environ))
    if config:
        yield from channels.look_at(config, environ, send)


def show(finding: Finding) -> None:
    """Print one finding, and how to mend it."""
    mark, colour = _MARKS[finding.state]
    say(finding.text, "  ", mark=click.style(mark, fg=colour))
    if finding.mend:
        say(finding.mend, "    ")


def summary(findings: list[Finding]) -> str:
    """Return how it is all in all."""
    failed = sum(one.state is State.FAILED for one in findings)
    warned = sum(one.state is State.WARNING for one in findings)
    look = f"{warned} thing{'s' * (warned != 1)} to look at"
    if failed:
        return f"{failed} of {len(findings)} checks failed" + (f", {look}." if warned else ".")
    return f"Everything that has to work does; {look}." if warned else "All is well."
