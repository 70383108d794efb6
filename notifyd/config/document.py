"""YAML text to a tree that knows its lines, strict where YAML is a trap.

Plain words are read as in YAML 1.2: `no`, `on` and `12:30` are texts, `0123` is a number.
Keys are always texts. Tags and repeated keys are errors.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import yaml

from notifyd.config.problems import Report
from notifyd.config.tree import BROKEN, File, Mark, Node, Trail, Value

_DEEPEST = 32
_LARGEST = 20_000
"""Values in a file, aliases counted each time: a few lines of them can stand for billions."""

_TAG = "tag:yaml.org,2002:"

_MENDS = (
    ("found character '\\t'", "a tab; YAML is indented with spaces"),
    ("mapping values are not allowed", 'a ": " inside a value; put the value in quotes'),
    ("could not find expected ':'", 'a line without "key: value"; is the space after ":" missing?'),
    ("found undefined alias", 'a value that starts with "*"; put it in quotes'),
    ("that cannot start any token", "a value that starts with a special character; quote it"),
    ("but found '<stream end>'", "a list or section in brackets that is never closed"),
    ("expected <block end>", "does not fit what is above; check indentation, quotes, brackets"),
    ("found unexpected end of stream", "a quote that is never closed"),
    ("found unknown escape", 'a "\\" in double quotes; use single quotes'),
    ("expected ',' or", "a list or section in brackets that is not closed, or lacks a comma"),
    ("but found another document", 'a second document; remove the "---" line'),
)


class _TooMuchError(Exception):
    """The text stands for more than any configuration needs."""


class _Loader(yaml.SafeLoader):
    """PyYAML's reader with YAML 1.2 words and a bound on nesting, which it recurses on."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own way to drop the YAML 1.1 ones
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _TooMuchError
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


for _name, _pattern in (
    ("null", r"~|null|Null|NULL|"),
    ("bool", r"true|True|TRUE|false|False|FALSE"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_pattern})\Z"), None)


def parse(text: str, file: File, report: Report) -> Node | None:
    """Return the tree of a YAML text; of one that is not YAML, None and a problem."""
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
        if root is None:
            return Node(value=None, mark=Mark(file=file, line=1))
        return _Builder(file, report).node(root, root.start_mark.line + 1, ())
    except _TooMuchError:
        report.add_file(file.path, "too large, or nested too deep; does an alias repeat itself?")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        report.add_file(file.path, "a control character that YAML does not allow; remove it", line)
    except yaml.MarkedYAMLError as error:
        _report_syntax(error, file, report)
    except (ValueError, OverflowError):
        # PyYAML lets chr() and int() fail on an absurd escape or version.
        report.add_file(file.path, "not YAML: an escape or a version that does not exist")
    return None


def _report_syntax(error: yaml.MarkedYAMLError, file: File, report: Report) -> None:
    # PyYAML's own text may quote a piece of the line, and that piece may be a secret.
    problem = f"{error.context} {error.problem}"
    text = next((mend for sign, mend in _MENDS if sign in problem), "check quotes and brackets")
    mark = error.problem_mark or error.context_mark
    column = f" (column {mark.column + 1})" if mark else ""
    report.add_file(file.path, f"not YAML: {text}{column}", mark.line + 1 if mark else None)


@dataclass(slots=True)
class _Builder:
    """Turns PyYAML's nodes, which may share and contain each other, into a bounded tree."""

    file: File
    report: Report
    count: int = 0

    def node(self, source: yaml.Node, line: int, trail: Trail) -> Node:
        self.count += 1
        if self.count > _LARGEST or len(trail) > _DEEPEST:
            raise _TooMuchError
        mark = Mark(file=self.file, line=line)
        return Node(value=self._value(source, mark, trail), mark=mark)

    def _value(self, source: yaml.Node, mark: Mark, trail: Trail) -> Value:
        kind = source.tag.removeprefix(_TAG)
        if isinstance(source, yaml.MappingNode) and kind == "map":
            return self._section(source, trail)
        if isinstance(source, yaml.SequenceNode) and kind == "seq":
            items = enumerate(source.value)
            return tuple(self.node(one, one.start_mark.line + 1, (*trail, i)) for i, one in items)
        if isinstance(source, yaml.ScalarNode) and kind in ("str", "null", "bool", "int", "float"):
            return self._scalar(kind, source.value, mark, trail)
        self.report.add(mark, trail, 'a value that starts with "!" is a YAML tag; put it in quotes')
        return BROKEN

    def _section(self, source: yaml.MappingNode, trail: Trail) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for key, value in source.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or not _is_text(key.value):
                mark = Mark(file=self.file, line=line)
                self.report.add(mark, trail, "a key that is not text; is a quote missing?")
                continue
            below = (*trail, key.value)
            node = self.node(value, line, below)
            if key.value in entries:
                first = entries[key.value].mark.line
                self.report.add(node.mark, below, f"given twice; the first is on line {first}")
            entries[key.value] = node
        return entries

    def _scalar(self, kind: str, text: str, mark: Mark, trail: Trail) -> Value:
        if not _is_text(text):
            self.report.add(mark, trail, "not text: half of a surrogate pair")
            return BROKEN
        match kind:
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int" | "float":
                return _number(kind, text)
        return text


def _number(kind: str, text: str) -> int | float | str:
    """Return the number, or the text where it is none that a setting could hold."""
    try:
        if kind == "int":
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _is_text(text: str) -> bool:
    # YAML escapes such as "\ud800" make strings that can be neither printed nor sent.
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
