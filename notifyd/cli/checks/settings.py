"""Is the configuration there, valid and private?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from notifyd.cli.checks.finding import Finding, failed, ok, warning
from notifyd.cli.environment import ENVIRONMENT_LIMIT
from notifyd.config.files import UnreadableError, read
from notifyd.config.load import load
from notifyd.config.problems import ConfigError
from notifyd.config.schema import Config


def check_config(path: Path, environ: Mapping[str, str]) -> tuple[Finding, Config | None]:
    """Return how the configuration is, and what it says when it can be used."""
    try:
        config = load(path, environ)
    except ConfigError as error:
        many = len(error.problems)
        text = f"The configuration cannot be used: {many} problem{'s' * (many > 1)}"
        return failed("config", text, str(error)), None
    if not config.channels:
        mend = "Run `notifyd init --force`, or add one under `channels:`."
        return warning("config", f"The configuration names no channel ({path})", mend), config
    names = ", ".join(config.channels)
    return ok("config", f"The configuration is valid (channels: {names})"), config


def check_private(files: list[Path]) -> Finding:
    """Return whether only the owner can read and change the files of the configuration."""
    modes = {path: path.stat().st_mode for path in files}
    open_to_change = [path for path, mode in modes.items() if mode & 0o022]
    open_to_read = [path for path, mode in modes.items() if mode & 0o044]
    if open_to_change:
        text = f"Others can change {_named(open_to_change)}"
        return failed("config-private", text, _chmod(open_to_change))
    if open_to_read:
        text = f"Others can read {_named(open_to_read)}"
        return warning("config-private", text, _chmod(open_to_read))
    return ok("config-private", "The configuration is private")


def check_environment(file: Path) -> list[Finding]:
    """Return whether only the owner can read the service's variables; nothing without a file."""
    name = "environment"
    try:
        content = read(file, ENVIRONMENT_LIMIT)
        content.text()
    except UnreadableError as error:
        mend = "Put NAME=value lines into it, or remove it."
        return [] if error.missing else [failed(name, f"{file}: {error.reason}", mend)]
    if content.mode & 0o077:
        return [failed(name, f"Others can get at the secrets in {file}", _chmod([file]))]
    return [ok(name, "The file with the service's variables is private")]


def config_files(path: Path) -> list[Path]:
    """Return the files that there are: the configuration, and `conf.d/*.yaml` beside it."""
    return [one for one in (path, *sorted(path.parent.glob("conf.d/[!.]*.yaml"))) if one.is_file()]


def _named(files: list[Path]) -> str:
    return ", ".join(map(str, files))


def _chmod(files: list[Path]) -> str:
    return f"chmod 600 {' '.join(map(str, files))}"
