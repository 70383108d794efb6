"""YAML with lines: strict where YAML is a trap."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.config.document import parse
from notifyd.config.problems import Problem, Report
from notifyd.config.tree import BROKEN, File, Node, Trail, plain

FILE = File(path=Path("config.yaml"), private=True)


def read(text: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """Return the tree of a text and the problems with it."""
    report = Report()
    return parse(text, FILE, report), report.problems()


def value(text: str) -> object:
    """Return the plain value of a text that has no problem."""
    node, problems = read(text)
    assert node is not None
    assert problems == ()
    return plain(node)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "a"),
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("0123", 123),
        ("0x1f", 31),
        ("0o17", 15),
        ("-3", -3),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        (".inf", ".inf"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("!!int x", "x"),
        ("9" * 5000, "9" * 5000),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_plain_words_are_read_as_in_yaml_1_2(text: str, expected: object) -> None:
    """Only what looks like a number, a truth value or nothing is not a text."""
    found = value(text)

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "line", "sign"),
    [
        ("a: 1\n\tb: 2\n", 2, "a tab"),
        ("a: b: c\n", 1, "inside a value"),
        ("a:\n  b: 1\n  secret-text\n  c: 2\n", 4, "without"),
        ("a: *secret\n", 1, '"*"'),
        ("a: %secret\n", 1, "special character"),
        ("a:\n  b: 1\n c: 2\n", 3, "indentation"),
        ("a: 'secret\n", 2, "never closed"),
        ('a: "\\secret"\n', 1, "single quotes"),
        ("a: [1, 2\nb: 3\n", 2, "brackets"),
        ("a: [1,\n", 2, "never closed"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: 1\nb: \x07\n", 2, "control character"),
        ("a: {secret}}\n", 1, "quotes, brackets"),
        ('a: "\\U7fffffff"\n', None, "does not exist"),
        ("a: &x [*x, *x]\n", None, "too large"),
        ("[" * 3000, None, "too large"),
    ],
)
def test_text_that_is_not_yaml_is_told_in_plain_words(
    text: str, line: int | None, sign: str
) -> None:
    """The line is named, and none of its text, which may be a secret."""
    node, [problem] = read(text)

    assert node is None
    assert problem.line == line
    assert sign in problem.text
    assert "secret" not in problem.text


def test_a_few_aliases_cannot_stand_for_billions_of_values() -> None:
    """Each level repeats the one above nine times: the bound is met, and told."""
    levels = ["a0: &a0 [x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 20)]

    node, [problem] = read("\n".join(levels))

    assert node is None
    assert "an alias" in problem.text


def test_an_alias_is_the_value_that_it_names() -> None:
    """Aliases are for sharing, and share."""
    assert value("a: &x {b: 1}\nc: *x\n") == {"a": {"b": 1}, "c": {"b": 1}}


def test_a_repeated_key_is_a_problem_with_both_lines() -> None:
    """YAML would silently keep one of the two."""
    _, problems = read("a:\n  b: 1\n  c: 2\n  b: 3\n")

    assert [str(one) for one in problems] == [
        "config.yaml:4: a.b: given twice; the first is on line 2"
    ]


@pytest.mark.parametrize("text", ["a: !secret x", "a: !!binary x", "a: !!set {x}", "a: !secret {}"])
def test_a_tag_is_a_problem_and_its_value_is_broken(text: str) -> None:
    """A tag builds nothing, and is not shown: it may be a secret without its quotes."""
    node, [problem] = read(text)

    assert node is not None
    assert plain(node) == {"a": BROKEN}
    assert problem.path == "a"
    assert "secret" not in problem.text


@pytest.mark.parametrize("text", ["[a, b]: 1", "{a: 1}: 2", '"\\ud800": 1', "? [a]\n: 1"])
def test_a_key_that_is_not_text_is_a_problem(text: str) -> None:
    """Keys are names."""
    _, [problem] = read(text)

    assert problem.text == "a key that is not text; is a quote missing?"


def test_a_text_that_cannot_be_written_is_a_problem() -> None:
    """Half of a surrogate pair can be neither printed nor sent."""
    _, [problem] = read('a: "\\ud800"')

    assert (problem.line, problem.path) == (1, "a")


Tree = dict[str, "Tree | int"]
names = st.text("abcdefgh", min_size=1, max_size=4)
trees: st.SearchStrategy[Tree] = st.recursive(
    st.dictionaries(names, st.integers(0, 9), min_size=1, max_size=4),
    lambda below: st.dictionaries(names, st.integers(0, 9) | below, min_size=1, max_size=4),
    max_leaves=20,
)


def written(tree: Tree, trail: Trail, lines: list[str], marks: dict[Trail, int]) -> None:
    """Write a tree as YAML, with blank lines and comments, and note each key's line."""
    for key, below in tree.items():
        lines.extend(["", "# a comment"] if len(key) > 2 else [])
        indent = "  " * len(trail)
        lines.append(f"{indent}{key}:" + (f" {below}" if isinstance(below, int) else ""))
        marks[(*trail, key)] = len(lines)
        if not isinstance(below, int):
            written(below, (*trail, key), lines, marks)


@given(trees)
def test_every_value_knows_its_line(tree: Tree) -> None:
    """However deep it lies, and whatever stands in between."""
    lines: list[str] = []
    marks: dict[Trail, int] = {}
    written(tree, (), lines, marks)

    root, problems = read("\n".join(lines))

    assert problems == ()
    assert root is not None
    assert plain(root) == tree
    for trail, line in marks.items():
        node: Node | None = root
        for part in trail:
            node = node.child(part) if node else None
        assert node is not None
        assert node.mark.line == line


@given(st.text() | st.text("{}[]:,&*!|>'\"%@`#-? \n\tab0\\"))
def test_any_text_is_a_tree_or_a_problem(text: str) -> None:
    """Nothing that is typed makes the reader fail."""
    node, problems = read(text)

    assert node is not None or problems
