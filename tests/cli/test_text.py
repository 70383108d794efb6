"""Columns on a terminal."""

from __future__ import annotations

import pytest

from notifyd.cli import text
from notifyd.clock import SystemClock
from notifyd.terminal import columns


@pytest.mark.parametrize("word", ["plain", "e\u0301", "日本", "❤\ufe0f", "👩\u200d💻", "a\u20dd"])
def test_a_cell_is_as_wide_as_the_terminal_shows_it(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What joins or changes the letter before it takes no room."""
    text.table(("A", "B"), [(word, "x"), ("1234567890", "x")])

    _, line, _ = capsys.readouterr().out.splitlines()
    assert columns(line) == 13


def test_the_date_is_as_short_as_the_history_is_long() -> None:
    """It goes back for months, not for years; of today the time is enough."""
    now = SystemClock().now()

    assert len(text.clock(now)) == len("12:30:59")
    assert len(text.clock(now - 2 * 86400)) == len("11-21 12:30")


@pytest.mark.parametrize(("seconds", "words"), [(5, "5 s"), (93600, "1 d"), (7199, "1 h")])
def test_a_rough_length_of_time_has_one_unit(seconds: float, words: str) -> None:
    """Where there is room for no more."""
    assert text.roughly(seconds) == words
