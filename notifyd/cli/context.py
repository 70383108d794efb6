"""What every command needs: where things lie, and how to reach the daemon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from notifyd import paths
from notifyd.client import Client

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The places that options and environment name."""

    config: Path
    state: Path
    socket: Path
    environ: Mapping[str, str]

    @staticmethod
    def find(config: str | None, state_dir: str | None, environ: Mapping[str, str]) -> Context:
        """Return the places; options come before the environment, that before the defaults."""
        state = paths.state_dir(state_dir, environ)
        return Context(
            config=paths.config_path(config, environ),
            state=state,
            socket=paths.socket_path(state, environ),
            environ=environ,
        )

    def client(self, timeout: float = 60.0) -> Client:
        """Return the client of the daemon that owns the state folder; it waits so many seconds."""
        return Client(str(self.socket), timeout)


def places(command: F) -> F:
    """Let a command take --config and --state-dir after its name too."""
    for option, help in (
        ("--state-dir", "The state folder ($NOTIFYD_STATE_DIR)."),
        ("--config", "The configuration ($NOTIFYD_CONFIG)."),
    ):
        command = click.option(
            option,
            metavar="DIR" if "dir" in option else "FILE",
            help=help,
            expose_value=False,
            callback=_replace,
        )(command)
    return command


def _replace(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    before: Context = ctx.obj
    config = value if parameter.name == "config" else str(before.config)
    state = value if parameter.name == "state_dir" else str(before.state)
    ctx.obj = Context.find(config, state, before.environ)
