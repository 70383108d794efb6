"""`${NAME}` in a text becomes what the environment holds; `$${` stays a literal `${`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from notifyd.config.problems import Report
from notifyd.config.tree import BROKEN, Node, Trail

_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Substitution:
    """Puts variables into a tree, and notes those that are missing."""

    environ: Mapping[str, str]
    report: Report

    def of(self, node: Node, trail: Trail = ()) -> Node:
        """Return the tree with all variables filled in."""
        if isinstance(node.value, dict):
            entries = {key: self.of(one, (*trail, key)) for key, one in node.value.items()}
            return replace(node, value=entries)
        if isinstance(node.value, tuple):
            items = tuple(self.of(one, (*trail, i)) for i, one in enumerate(node.value))
            return replace(node, value=items)
        if isinstance(node.value, str) and "${" in node.value:
            return self._filled(node, node.value, trail)
        return node

    def _filled(self, node: Node, text: str, trail: Trail) -> Node:
        faults = [fault for match in _REFERENCE.finditer(text) if (fault := self._fault(match))]
        for fault in faults:
            self.report.add(node.mark, trail, fault)
        if faults:
            return replace(node, value=BROKEN)
        filled = _REFERENCE.sub(self._text, text)
        foreign = any(match[1] for match in _REFERENCE.finditer(text))
        return replace(node, value=filled, written=not foreign)

    def _fault(self, match: re.Match[str]) -> str | None:
        if match[0] == "$${":
            return None
        name = match[1]
        if name is None or not _NAME.fullmatch(name):
            return "only ${NAME} is understood after a dollar sign; write $${ for a literal ${"
        if name not in self.environ:
            return f"the environment variable {name} is not set; set it where notifyd is started"
        if not _is_utf8(self.environ[name]):
            return f"the environment variable {name} is not UTF-8 text"
        return None

    def _text(self, match: re.Match[str]) -> str:
        return "${" if match[0] == "$${" else self.environ[match[1]]


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
