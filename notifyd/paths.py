"""Where the configuration, the state and the socket lie.

Every command asks this first, so it imports nothing that takes time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def config_path(option: str | None, environ: Mapping[str, str]) -> Path:
    """Return the configuration file: `--config`, `$NOTIFYD_CONFIG`, or the XDG one."""
    chosen = option or environ.get("NOTIFYD_CONFIG")
    if chosen:
        return _absolute(chosen, environ)
    return _xdg("XDG_CONFIG_HOME", ".config", environ) / "notifyd" / "config.yaml"


def state_dir(option: str | None, environ: Mapping[str, str]) -> Path:
    """Return the state folder: `--state-dir`, `$NOTIFYD_STATE_DIR`, or the XDG one."""
    chosen = option or environ.get("NOTIFYD_STATE_DIR")
    return _absolute(chosen, environ) if chosen else _default_state_dir(environ)


def socket_path(state: Path, environ: Mapping[str, str]) -> Path:
    """Return the control socket of the daemon that owns this state folder.

    It lies in `$XDG_RUNTIME_DIR` for the default folder alone: a second daemon, which
    has a folder of its own, then has a socket of its own too.
    """
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime) and _absolute(str(state), environ) == _default_state_dir(environ):
        return Path(runtime) / "notifyd" / "control.sock"
    return state / "control.sock"


def expand_home(path: str, environ: Mapping[str, str]) -> Path:
    """Return the path with a leading `~` or `~user` written out."""
    home = environ.get("HOME")
    if home and (path == "~" or path.startswith("~/")):
        return Path(home + path[1:])
    return Path(os.path.expanduser(path))  # Path.expanduser raises for an unknown user


def _absolute(path: str, environ: Mapping[str, str]) -> Path:
    return Path(os.path.abspath(expand_home(path, environ)))


def _default_state_dir(environ: Mapping[str, str]) -> Path:
    return _xdg("XDG_STATE_HOME", ".local/state", environ) / "notifyd"


def _xdg(variable: str, otherwise: str, environ: Mapping[str, str]) -> Path:
    """Return a base folder; the XDG specification says to ignore a relative one."""
    folder = environ.get(variable, "")
    if os.path.isabs(folder):
        return _absolute(folder, environ)
    return _absolute(f"~/{otherwise}", environ)
