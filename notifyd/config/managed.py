"""What is set by command: `conf.d/managed.yaml`, so that files stay the only truth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from notifyd.config.files import UnreadableError, read, replace_file

_LIMIT = 256 * 1024
_HEAD = "# Written by notifyd when something is set by command. Your own settings go elsewhere.\n"


class ManagedError(Exception):
    """The file cannot be used. The text says which file, and why."""


class Managed:
    """The file beside a configuration. Reads and writes block: call it in a thread."""

    def __init__(self, config: Path) -> None:
        self._path = config.parent / "conf.d" / "managed.yaml"

    def text(self) -> str | None:
        """Return what is there; None if there is no such file. Raises ManagedError."""
        try:
            return read(self._path, _LIMIT).text()
        except UnreadableError as error:
            if error.missing:
                return None
            raise ManagedError(f"{self._path}: {error.reason}") from error

    def write(self, text: str | None) -> None:
        """Put a text in its place, whole or not at all; None removes it. Raises ManagedError."""
        try:
            if text is None:
                self._path.unlink(missing_ok=True)
            else:
                replace_file(self._path, text)
        except OSError as error:
            raise ManagedError(f"{self._path} cannot be written: {error.strerror}") from error


def with_collection(text: str | None, name: str, settings: Mapping[str, object] | None) -> str:
    """Return the file's text with a collection set, or, without settings, removed.

    Raises ManagedError if the text is not what notifyd writes.
    """
    try:
        tree = yaml.safe_load(text or "") or {}
    except yaml.YAMLError as error:
        raise ManagedError("managed.yaml is not YAML; mend or remove it") from error
    collections = _section(_section(tree, "slurm"), "collections")
    collections.pop(name, None)
    if settings is not None:
        collections[name] = dict(settings)
    return _HEAD + yaml.safe_dump(tree, allow_unicode=True)


def _section(tree: object, name: str) -> dict[str, object]:
    section = tree.setdefault(name, {}) if isinstance(tree, dict) else None
    if not isinstance(section, dict):
        raise ManagedError(f"managed.yaml: `{name}` is no section; mend or remove it")
    return section
