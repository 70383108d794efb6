"""Columns on a terminal."""

from __future__ import annotations

import pytest

from notifyd.cli import text
from notifyd.terminal import columns


@pytest.mark.parametrize("word", ["plain", "e\u0301", "日本", "❤\ufe0f", "👩\u200d💻", "a\u20dd"])
def test_a_cell_is_as_wide_as_the_terminal_shows_it(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What joins or changes the letter before it takes no room."""
    text.table(("A", "B"), [(word, "x"), ("1234567890", "x")])

    _, line, _ = capsys.readouterr().out.splitlines()
    assert columns(line) == 13
