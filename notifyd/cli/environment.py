"""The variables that the service has: those of the file that its unit names, in a shell too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from notifyd import paths
from notifyd.config.files import UnreadableError, read

ENVIRONMENT_LIMIT = 256 * 1024
"""Bytes of the file."""

_ENTRY = re.compile(
    r"""[ \t]*
    (?: [#;][^\n]*
      | (?P<name>[^\n=]*?) [ \t]*=[ \t]*
        (?P<quoted>(?:(?:'[^']*'|"(?:[^"\\]|\\.)*")[ \t]*)*)
        (?P<bare>(?:[^\\\n]|\\.)*)
      | [^\n]*
    )(?:\n|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)\"""", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def service_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the file's variables under it: the shell's own ones win.

    A file that is missing or cannot be read adds nothing; `notifyd doctor` says so.
    """
    return file_variables(environ) | dict(environ)


def file_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what the file alone sets."""
    try:
        return parse(read(environment_file(environ), ENVIRONMENT_LIMIT).text())
    except UnreadableError:
        return {}


def environment_file(environ: Mapping[str, str]) -> Path:
    """Return the file: `%E/notifyd/environment` in the unit, wherever the configuration lies."""
    usual = {name: text for name, text in environ.items() if name != "NOTIFYD_CONFIG"}
    return paths.config_path(None, usual).with_name("environment")


def parse(text: str) -> dict[str, str]:
    """Return the variables as systemd.exec(5), EnvironmentFile=, reads them."""
    found = {}
    for entry in _ENTRY.finditer(text.replace("\r\n", "\n")):
        name = entry["name"]
        if name is None or not _NAME.fullmatch(name):
            continue
        value = "".join(map(_unquoted, _QUOTED.finditer(entry["quoted"])))
        value += _ESCAPE.sub(_bare, entry["bare"]).rstrip()
        if "\0" not in value:
            found[name] = value
    return found


def _unquoted(match: re.Match[str]) -> str:
    return match[1] if match[1] is not None else _ESCAPE.sub(_escaped, match[2])


def _escaped(match: re.Match[str]) -> str:
    """Return what an escape in double quotes means; one that means nothing stays."""
    if match[1] == "\n":
        return ""
    return match[1] if match[1] in '"\\`$' else match[0]


def _bare(match: re.Match[str]) -> str:
    return "" if match[1] == "\n" else match[1]
