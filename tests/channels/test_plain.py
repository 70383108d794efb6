"""A message as lines of text: all of it where there is room, the facts in any case."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.channels.plain import plain_text
from notifyd.channels.text import Size, octets, units
from tests.channels.parts import delivery_of, texts


def test_title_body_and_facts_follow_each_other() -> None:
    """One blank line is between body and facts; what is empty leaves no trace."""
    assert plain_text(delivery_of("A", "b\nc", (("Job", "1"), ("State", "X"))), 100) == (
        "❌ A\nb\nc\n\nJob: 1\nState: X"
    )
    assert plain_text(delivery_of("A", "", (("Job", "1"),)), 100) == "❌ A\nJob: 1"
    assert plain_text(delivery_of("A", "", ()), 100) == "❌ A"


def test_a_long_body_leaves_the_facts_their_room() -> None:
    """The end of a long output is cut before what the job was."""
    text = plain_text(delivery_of("A", "line\n" * 1000, (("Job", "4711"),)), 400)

    assert text.endswith("more lines\n\nJob: 4711")


@given(texts, st.integers(0, 40), st.integers(200, 4096), st.sampled_from((units, octets)))
def test_every_limit_is_kept(text: str, facts: int, limit: int, size: Size) -> None:
    """Whatever is said, and however the service counts."""
    delivery = delivery_of(text * 9, text * 90, ((text, text * 9),) * facts)

    assert size(plain_text(delivery, limit, html.escape, size)) <= limit


@pytest.mark.parametrize("title", ["two\nlines", "\x1b[31mred"])
def test_nothing_steers(title: str) -> None:
    """A title stays on its line."""
    first, second = plain_text(delivery_of(title, "body", ()), 100).split("\n")

    assert first.isprintable()
    assert second == "body"
