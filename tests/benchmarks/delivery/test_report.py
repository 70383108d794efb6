"""What a table of the bench says."""

from __future__ import annotations

import math

import pytest

from tests.benchmarks.delivery.report import (
    Round,
    aligned,
    percentile,
    ratio,
    spread,
    summary,
)


def round_of(rate: float, *, lost: int = 0, twice: int = 0, others: float = 0.0) -> Round:
    """Return a round of 1,001 messages at that rate."""
    return Round(
        messages=1001,
        seconds=1000 / rate,
        cpu=0.05,
        counted=1000,
        peak=50 << 20,
        others=others,
        lost=lost,
        twice=twice,
    )


def test_the_first_message_only_starts_the_watch() -> None:
    """1,001 arrivals are a thousand steps."""
    assert round_of(500.0).rate == pytest.approx(500.0)


def test_cpu_is_told_by_the_message() -> None:
    """Only the messages that came while it was read share it."""
    assert round_of(500.0).cpu_each == pytest.approx(50.0)


def test_where_nothing_came_there_is_no_rate() -> None:
    """A contestant that fails is no reason to lose the others' figures."""
    nothing = Round(messages=0, seconds=0.0, cpu=0.1, counted=0, peak=0, others=0.0, lost=9)

    assert (nothing.rate, nothing.cpu_each) == (0.0, 0.0)
    assert ratio([nothing], [nothing]) == 0.0
    assert spread([0.0]) == 0.0


def test_a_ratio_compares_rounds_that_ran_side_by_side() -> None:
    """A machine that is slow for a while is slow for both."""
    ours = [round_of(100.0), round_of(10.0), round_of(400.0)]
    theirs = [round_of(50.0), round_of(5.0), round_of(100.0)]

    assert ratio(ours, theirs) == pytest.approx(2.0)


def test_the_spread_is_a_share_of_the_median() -> None:
    """So that it can be compared between slow and quick ones."""
    assert spread([90.0, 100.0, 130.0]) == pytest.approx(0.4)


def test_a_percentile_is_a_value_that_was_seen() -> None:
    """Nothing is made up between two of them."""
    values = [float(number) for number in range(100, 0, -1)]

    assert percentile(values, 0.5) == 51.0
    assert percentile(values, 0.99) == 100.0
    assert percentile([7.0], 0.99) == 7.0
    assert math.isnan(percentile([], 0.99))


def test_a_row_tells_best_median_and_what_went_wrong() -> None:
    """Losses of all rounds add up; the load is told with its worst."""
    rounds = [round_of(100.0, lost=1), round_of(300.0, twice=2, others=0.5), round_of(200.0)]
    heads, row = summary({"it": rounds}, {})

    told = dict(zip(heads, row, strict=True))
    assert (told["best/s"], told["median/s"], told["spread"]) == ("300", "200", "100%")
    assert (told["lost"], told["twice"]) == ("1", "2")
    assert told["other load"] == "0.00 to 0.50"


def test_a_peer_that_is_not_there_has_no_column() -> None:
    """Its ratios are left out; the rest of the table stands."""
    heads, _ = summary({"it": [round_of(100.0)]}, {"x it": "it", "x gone": "gone"})

    assert "x it" in heads
    assert "x gone" not in heads


def test_columns_stand_below_each_other() -> None:
    """Names on the left, figures on the right."""
    assert aligned([["", "n"], ["short", "1"], ["the longest", "1,000"]]) == (
        "                 n\nshort            1\nthe longest  1,000"
    )
