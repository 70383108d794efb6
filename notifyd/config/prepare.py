"""A section made ready for its settings class: secrets fetched, single texts made lists.

A secret stands as `key: ${NAME}`, lies in `key_file`, is a systemd `key_credential`, or is
written plainly into a file that only its owner can read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import BaseModel, SecretStr

from notifyd.config import fields
from notifyd.config.problems import Report
from notifyd.config.secrets import SecretError, fetch
from notifyd.config.tree import BROKEN, Node, Trail, shown

Entries = dict[str, Node]


@dataclass(frozen=True, slots=True)
class Preparation:
    """Walks a tree along the types of a settings class; problems go into the report."""

    environ: Mapping[str, str]
    report: Report

    def section(self, node: Node, model: type[BaseModel], trail: Trail) -> Node:
        """Return the section ready for `model_validate`. A key without a value is left out."""
        if not isinstance(node.value, dict):
            return node
        known = fields.keys(model)
        entries = {
            key: self._value(child, known.get(key), (*trail, key))
            for key, child in self._gathered(node.value, known, trail).items()
            if child.value is not None or key not in known or fields.takes_null(known[key])
        }
        return replace(node, value=entries)

    def _value(self, node: Node, wanted: object, trail: Trail) -> Node:
        if isinstance(node.value, dict):
            return self._mapping(node, node.value, wanted, trail)
        if isinstance(node.value, str) and fields.takes_only_lists(wanted):
            node = replace(node, value=(node,))
        if isinstance(node.value, tuple):
            item = fields.item_of(wanted) or wanted  # a validator may take a list for a text
            items = (self._value(one, item, (*trail, i)) for i, one in enumerate(node.value))
            return replace(node, value=tuple(items))
        if isinstance(node.value, str) and SecretStr in fields.alternatives(wanted):
            self._check_secret(node, node.value, trail)
        return node

    def _mapping(self, node: Node, entries: Entries, wanted: object, trail: Trail) -> Node:
        model, entry = fields.model_of(wanted), fields.entry_of(wanted)
        if model is not None:
            return self.section(node, model, trail)
        known = {_stem(key) if fields.is_secret(entry) else key: entry for key in entries}
        gathered = self._gathered(entries, known, trail)
        below = {key: self._value(one, entry, (*trail, key)) for key, one in gathered.items()}
        return replace(node, value=below)

    def _gathered(self, entries: Entries, known: Mapping[str, object], trail: Trail) -> Entries:
        """Return the entries with each secret under its own key, wherever it came from."""
        gathered = dict(entries)
        for key in [key for key, wanted in known.items() if fields.is_secret(wanted)]:
            ways = {
                way: gathered.pop(way)
                for way in (key, *(key + end for end in fields.SUFFIXES))
                if way in gathered
            }
            given = {way: node for way, node in ways.items() if node.value is not None}
            if len(given) > 1:
                gathered[key] = self._refuse(given, trail)
            for way, node in list((given or ways).items())[:1]:
                gathered.setdefault(key, self._fetched(way, key, node, trail))
        return gathered

    def _fetched(self, way: str, key: str, node: Node, trail: Trail) -> Node:
        if way == key or node.value is None or node.value is BROKEN:
            return node
        try:
            secret = fetch(node, way.endswith("_credential"), self.environ)
        except SecretError as error:
            self.report.add(node.mark, (*trail, way), str(error))
            return replace(node, value=BROKEN)
        return replace(node, value=secret, written=False)

    def _refuse(self, given: Entries, trail: Trail) -> Node:
        places = [f"{shown(way)} ({_place(node)})" for way, node in given.items()]
        way, node = list(given.items())[-1]
        text = f"a secret given in {len(given)} ways: {', '.join(places)}; keep one"
        self.report.add(node.mark, (*trail, way), text)
        return replace(node, value=BROKEN)

    def _check_secret(self, node: Node, secret: str, trail: Trail) -> None:
        self.report.secrets.add(secret)
        if not secret.strip():
            self.report.add(node.mark, trail, "a secret that is empty; give it a value")
        elif node.written and not node.mark.file.private:
            text = (
                f"a secret in a file that others can read; run `chmod 600 {node.mark.file.path}`, "
                f"or {advice(trail)}"
            )
            self.report.add(node.mark, trail, text)


def advice(trail: Trail) -> str:
    """Return how the secret at the end of the trail can be given."""
    key = next((shown(part) for part in reversed(trail) if isinstance(part, str)), "")
    return f"give it as `{key}: ${{NAME}}`, `{key}_file: PATH` or `{key}_credential: NAME`"


def _stem(key: str) -> str:
    for end in fields.SUFFIXES:
        key = key.removesuffix(end)
    return key


def _place(node: Node) -> str:
    return f"{node.mark.file.path}:{node.mark.line}"
