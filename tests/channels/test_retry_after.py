"""The pause that a service asks for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from notifyd.channels.retry_after import LONGEST, wanted_pause

NOW = 1_795_262_400.0  # 2026-11-21 12:00:00 UTC


@pytest.mark.parametrize(
    ("headers", "text", "pause"),
    [
        ({}, "", None),
        ({"Retry-After": "30"}, "", 30.0),
        ({"retry-after": "1.5"}, "", 1.5),
        ({"Retry-After": "Sat, 21 Nov 2026 12:01:00 GMT"}, "", 60.0),
        ({"Retry-After": "Sat, 21 Nov 2026 11:00:00 -0000"}, "", 0.0),
        ({"X-RateLimit-Reset-After": "2.5"}, "", 2.5),
        ({}, '{"retry_after": 0.35}', 0.35),
        ({}, '{"parameters": {"retry_after": 17}}', 17.0),
        ({}, '{"retry_after_ms": 2500}', 2.5),
        ({"Retry-After": "1"}, '{"retry_after": 2.5}', 2.5),
        ({"Retry-After": "3"}, '{"retry_after": 2.5}', 3.0),
        ({"Retry-After": "99999999"}, "", LONGEST),
        ({"Retry-After": "-1"}, "", None),
        ({"Retry-After": "nan"}, "", None),
        ({"Retry-After": "soon"}, "", None),
        ({}, '{"retry_after": true}', None),
        ({}, '{"retry_after": [1]}', None),
        ({}, '{"parameters": 5}', None),
        ({}, "[1]", None),
        ({}, "[" * 2000, None),
        ({}, '{"retry_after": ' + "9" * 400 + "}", None),
    ],
)
def test_the_longest_wish_wins(headers: dict[str, str], text: str, pause: float | None) -> None:
    """Every usual place is read; what is no number of seconds is no wish."""
    assert wanted_pause(CIMultiDict(headers), text, NOW) == pause


@given(st.text(), st.recursive(st.none() | st.floats() | st.text(), st.lists), st.text())
def test_no_answer_breaks_it(header: str, wish: object, text: str) -> None:
    """Whatever a service sends, the pause is None or between nothing and a day."""
    for body in (text, json.dumps({"retry_after": wish, "parameters": {"retry_after": wish}})):
        pause = wanted_pause(CIMultiDict({"Retry-After": header}), body, NOW)
        assert pause is None or 0 <= pause <= LONGEST
