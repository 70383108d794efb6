"""`${NAME}` in texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.config.problems import Report
from notifyd.config.substitute import Substitution
from notifyd.config.tree import BROKEN, Node, plain
from tests.config.samples import Folder
from tests.config.test_document import FILE, read


def filled(text: str, **environ: str) -> tuple[Node, list[str]]:
    """Return the tree of a YAML text with its variables filled in, and the problems."""
    root, _ = read(text)
    assert root is not None
    report = Report()
    node = Substitution(environ, report).of(root)
    return node, [str(one).removeprefix(f"{FILE.path}:") for one in report.problems()]


def test_variables_are_filled_in_everywhere() -> None:
    """In sections and lists, alone, inside of a text, and several in one."""
    node, problems = filled("a: {b: ['${X}', 'x-${X}${Y_2}-y', 3]}\nc: plain", X="1", Y_2="two")

    assert problems == []
    assert plain(node) == {"a": {"b": ["1", "x-1two-y", 3]}, "c": "plain"}


def test_a_doubled_dollar_sign_stays_literal() -> None:
    """`$${` is how a `${` is written; other dollar signs mean nothing."""
    node, problems = filled("['$${X}', '$X $$ $', 'a$${b']", X="1")

    assert problems == []
    assert plain(node) == ["${X}", "$X $$ $", "a${b"]


def test_a_variable_is_not_filled_in_twice() -> None:
    """What a variable holds is data, and not looked at again."""
    node, _ = filled("'${X}'", X="${Y}", Y="no")

    assert plain(node) == "${Y}"


def test_every_missing_variable_is_named() -> None:
    """All at once, each with its line; the value is then broken, not empty."""
    node, problems = filled("a: ${ONE} ${TWO}\nb:\n- ${THREE}\n")

    assert [line.partition(" is not set")[0] for line in problems] == [
        "1: a: the environment variable ONE",
        "1: a: the environment variable TWO",
        "3: b[0]: the environment variable THREE",
    ]
    assert plain(node) == {"a": BROKEN, "b": [BROKEN]}


@pytest.mark.parametrize("text", ["'${}'", "'${A:-b}'", "'${A'", "'${1}'", "'${ A }'", "'${${A}}'"])
def test_only_the_plain_form_is_understood(text: str) -> None:
    """Whoever expects a shell is told, rather than given something else."""
    node, [problem] = filled(text, A="x")

    assert "only ${NAME} is understood" in problem
    assert node.value is BROKEN


def test_a_variable_that_is_not_utf8_is_a_problem() -> None:
    """The environment may hold any bytes; a setting may not."""
    _, [problem] = filled("${A}", A="\udcff")

    assert "not UTF-8" in problem


def test_only_what_stands_in_the_file_counts_as_written() -> None:
    """A text with a variable in it is no plain secret."""
    node, _ = filled("['a', 'Bearer ${X}', '$${X}']", X="1")

    assert isinstance(node.value, tuple)
    assert [one.written for one in node.value] == [True, False, True]


def test_a_number_may_come_from_a_variable(folder: Folder) -> None:
    """A variable is always text; the setting decides what it is read as."""
    config = folder.load("slurm: {interval: '${EVERY}'}", EVERY="90")

    assert config.slurm.interval == 90


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_text_survives_when_its_dollars_are_doubled(text: str) -> None:
    """There is a way to write everything."""
    node = Node(value=text.replace("${", "$${"), mark=read("x")[0].mark)  # type: ignore[union-attr]

    assert Substitution({}, Report()).of(node).value == text
