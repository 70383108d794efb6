"""Reading the configuration: `config.yaml`, and `conf.d/*.yaml` beside it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from pathlib import Path

from notifyd.channels.registry import KINDS
from notifyd.config.document import parse
from notifyd.config.files import UnreadableError, read
from notifyd.config.prepare import Preparation
from notifyd.config.problems import ConfigError, Report
from notifyd.config.schema import Assembly, Config, Kind
from notifyd.config.substitute import Substitution
from notifyd.config.tree import File, Mark, Node, merge

_LIMIT = 256 * 1024
"""Bytes of one configuration file: some thousand channels."""


def load(path: Path, environ: Mapping[str, str], kinds: Mapping[str, Kind] = KINDS) -> Config:
    """Return the configuration, whole and checked.

    Raises ConfigError, which holds every problem of every file. Reads files and may wait for
    a slow file system: a running daemon calls it in a thread.
    """
    report = Report()
    root = Substitution(environ, report).of(_merged(path, report))
    preparation = Preparation(environ, report)
    config = Assembly(kinds=kinds, preparation=preparation, report=report).config(root)
    problems = report.problems()
    if problems:
        raise ConfigError(problems)
    return config


def _merged(path: Path, report: Report) -> Node:
    """Return all files as one tree; one that cannot be read only leaves its problem."""
    trees = [_tree(one, report) for one in (path, *_beside(path, report))]
    nothing = Node(value={}, mark=Mark(file=File(path=path, private=False), line=1))
    return reduce(merge, (tree for tree in trees if tree is not None), nothing)


def _beside(path: Path, report: Report) -> list[Path]:
    """Return the files of `conf.d` in the order in which they count."""
    folder = path.parent / "conf.d"
    try:
        names = [one for one in folder.iterdir() if one.suffix == ".yaml"]
    except FileNotFoundError:
        return []
    except OSError as error:
        report.add_file(folder, f"cannot be listed: {error.strerror}")
        return []
    return sorted(one for one in names if not one.name.startswith("."))


def _tree(path: Path, report: Report) -> Node | None:
    try:
        content = read(path, _LIMIT)
        text = content.text()
    except UnreadableError as error:
        mend = "; run `notifyd init` to write one, or name it with --config" * error.missing
        report.add_file(path, error.reason + mend)
        return None
    file = File(path=path, private=not content.mode & 0o044)
    tree = parse(text, file, report)
    if tree is not None and not isinstance(tree.value, dict) and tree.value is not None:
        report.add_file(path, "must hold sections, such as `slurm:` and `channels:`", 1)
        return None
    return tree
