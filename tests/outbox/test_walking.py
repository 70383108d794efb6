"""Where to go on behind what cannot be read."""

from __future__ import annotations

from itertools import count, pairwise, takewhile

import pytest

from notifyd.outbox.walking import Key, beyond, further


def places(key: Key, up: bool) -> list[Key]:
    """Return all the places at which reading on is tried."""
    tried = (beyond(key, failures, up) for failures in count())
    return [place for place in takewhile(lambda place: place is not None, tried) if place]


def test_a_number_goes_on_by_one_and_then_faster() -> None:
    """A few thousand tries lead over any gap, and none of them far into what lies behind it."""
    steps = [int(place[0]) for place in places((100,), up=True)]

    assert steps[:6] == [100, 100, 101, 102, 103, 104]
    assert len(steps) < 3000
    assert all(there - here <= 2 + (there - 100) / 50 for here, there in pairwise(steps))


def test_backwards_a_number_ends_at_nothing() -> None:
    """No row comes before it."""
    assert places((3,), up=False) == [(3,), (3,), (2,), (1,), (0,)]


def test_a_text_loses_its_end() -> None:
    """Forwards behind all that begin so, backwards before them; the first part comes last."""
    top = chr(0x10FFFF)

    assert places(("a", "xy"), up=True) == [
        *[("a", "xy"), ("a", "xy"), ("a", f"x{top}"), ("a", top)],
        *[(top,)],
    ]
    assert places(("a", "xy"), up=False) == [
        *[("a", "xy"), ("a", "xy"), ("a", "x"), ("a", "")],
        *[("",)],
    ]


@pytest.mark.parametrize(
    ("found", "came"), [((7,), (7,)), ((3,), (5,)), (("7",), (5,)), ((None,), (5,)), ((), (5,))]
)
def test_a_damaged_row_leads_nobody_in_circles(found: tuple[object, ...], came: Key) -> None:
    """Only what is further on, and what can be a key, moves the place."""
    assert further((5,), found, up=True) == came
