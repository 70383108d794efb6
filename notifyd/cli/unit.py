"""The systemd unit of this installation: the shipped one, with the real command in it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import notifyd
from notifyd import paths
from notifyd.cli.context import Context

_SHIPPED_PROGRAM = "%h/.local/bin/notifyd"
_USUAL_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
"""Where the user manager looks for programs, whatever the shell's PATH is."""

_PASSED_ON = (
    *("SLURM_CONF", "LD_LIBRARY_PATH", "XDG_CONFIG_HOME", "XDG_STATE_HOME"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
)
"""What notifyd needs of the shell's environment, which a service does not inherit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How notifyd is started with the same places as the command that asks."""

    program: Sequence[str]
    places: Mapping[str, Path]
    """By option, those that are not where they are looked for anyway."""
    environment: Mapping[str, str]

    def by_hand(self) -> list[str]:
        """Return the command for a shell."""
        options = [word for option, path in self.places.items() for word in (option, str(path))]
        return [*self.program, "run", *options]

    def variables(self) -> dict[str, str]:
        """Return the environment of a service; its reload needs the places as well."""
        names = {"--config": "NOTIFYD_CONFIG", "--state-dir": "NOTIFYD_STATE_DIR"}
        return {names[option]: str(path) for option, path in self.places.items()} | dict(
            self.environment
        )


def start_of(context: Context, program: Sequence[str]) -> Start:
    """Return how this program is started elsewhere with the places of this command."""
    service = {name: text for name in _PASSED_ON if (text := context.environ.get(name))}
    alone = {"HOME": context.environ.get("HOME", ""), **service}
    usual = {
        "--config": (context.config, paths.config_path(None, alone)),
        "--state-dir": (context.state, paths.state_dir(None, alone)),
    }
    path = _path_to_slurm(context.environ)
    return Start(
        program=program,
        places={option: mine for option, (mine, other) in usual.items() if mine != other},
        environment=service | ({"PATH": path} if path else {}),
    )


def this_program(called: str) -> list[str]:
    """Return the absolute command of this very notifyd, given how it was called (`argv[0]`).

    Links are left as they are: followed, a virtual environment's python is no longer in it.
    """
    program = os.path.abspath(called)
    if os.path.basename(called) == "notifyd" and os.access(program, os.X_OK):
        return [program]
    return [os.path.abspath(sys.executable), "-m", "notifyd"]


def unit_text(shipped: str, start: Start) -> str:
    """Return the unit with the real program and its environment in it."""
    program = " ".join(map(_quoted, _literal(start.program)))
    lines = []
    for line in shipped.splitlines():
        if line.startswith("ExecStart="):
            lines += [f"Environment={_quoted(f'{n}={v}')}" for n, v in start.variables().items()]
        if line.startswith("Exec"):
            line = line.replace(_SHIPPED_PROGRAM, program)
        lines.append(line)
    return "\n".join(lines) + "\n"


def shipped_unit() -> Path | None:
    """Return the unit that came with notifyd: beside a checkout, or among its data files."""
    checkout = Path(notifyd.__file__).parent.parent / "systemd" / "notifyd.service"
    installed = Path(sys.prefix) / "share" / "notifyd" / "notifyd.service"
    return next((path for path in (checkout, installed) if path.is_file()), None)


def unit_path(environ: Mapping[str, str]) -> Path:
    """Return where the user manager looks for the unit first."""
    folder = paths.config_path(None, {n: v for n, v in environ.items() if n != "NOTIFYD_CONFIG"})
    return folder.parent.parent / "systemd" / "user" / "notifyd.service"


def _path_to_slurm(environ: Mapping[str, str]) -> str | None:
    """Return the PATH that a service needs to find Slurm, or None when it finds it anyway."""
    found = shutil.which("squeue", path=environ.get("PATH"))
    folder = os.path.dirname(os.path.abspath(found)) if found else None
    if folder is None or folder in _USUAL_PATH:
        return None
    return ":".join((folder, *_USUAL_PATH))


def _literal(program: Sequence[str]) -> list[str]:
    """Return a command in which `$` means nothing (systemd.service(5), prefix `:`).

    `$$` would not do: in the path of a program systemd takes it for two dollars.
    """
    first, *rest = program
    return [f":{first}" if "$" in "".join(program) else first, *rest]


def _quoted(word: str) -> str:
    """Return one word as systemd.syntax(7) reads it; `%` begins a specifier there."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    escaped = escaped.replace("\n", "\\n")
    plain = all(letter.isalnum() or letter in "/._-=:,+@%" for letter in escaped)
    return escaped if plain and escaped else f'"{escaped}"'
