"""A configuration as a tree of values that know the file and line they came from."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from pathlib import Path

Trail = tuple[str | int, ...]
"""The way from the root to a value: `("channels", "mail", "to", 0)`."""


class Broken(enum.Enum):
    """A value that was there but could not be read: told once, and not complained of again."""

    BROKEN = "broken"


BROKEN = Broken.BROKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A configuration file; `private` when only its owner may read it."""

    path: Path
    private: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place in a file: of a value with a key, the line of the key. Lines count from 1."""

    file: File
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value and where it stands."""

    value: Value
    mark: Mark
    written: bool = True
    """Whether all of its text stands in the file, and none comes from the environment."""

    def child(self, part: str | int) -> Node | None:
        """Return the value under a key or at a place in a list, if there is one."""
        if isinstance(self.value, dict) and isinstance(part, str):
            return self.value.get(part)
        if isinstance(self.value, tuple) and isinstance(part, int) and part < len(self.value):
            return self.value[part]
        return None

    def entries(self) -> dict[str, Node]:
        """Return a section's values by key, and of anything else nothing."""
        return dict(self.value) if isinstance(self.value, dict) else {}


Value = str | int | float | bool | None | Broken | tuple[Node, ...] | dict[str, Node]


def merge(base: Node, over: Node) -> Node:
    """Return `base` with `over` laid on it: sections join, lists and single values replace."""
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        # A section whose lines are all commented out is null, and takes nothing away.
        return base if over.value is None else over
    joined = dict(base.value)
    for key, node in over.value.items():
        joined[key] = merge(joined[key], node) if key in joined else node
    return replace(base, value=joined)


def plain(node: Node) -> object:
    """Return the values alone, as a YAML loader would."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(child) for child in node.value]
    return node.value


def spell(trail: Trail) -> str:
    """Return a trail as people read it: `channels.mail.to[0]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{shown(part)}" for part in trail)
    return text.removeprefix(".")


def shown(key: str) -> str:
    """Return a key that is safe to print.

    What follows a colon is left out: `{password:hunter2}`, its space forgotten, is one key.
    """
    name, colon, _ = key.partition(":")
    name = "".join(letter if letter.isprintable() else "?" for letter in name[:65])
    return name[:64] + "…" if colon or len(name) > 64 else name
