"""The pause that a service asks for."""

from __future__ import annotations

import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from notifyd.channels.retry_after import LONGEST, SHORTEST, wanted_pause

NOW = 1_795_262_400.0  # 2026-11-21 12:00:00 UTC


@pytest.mark.parametrize(
    ("headers", "body", "pause"),
    [
        ({}, None, None),
        ({"Retry-After": "30"}, None, 30.0),
        ({"retry-after": "1.5"}, None, 1.5),
        ({"Retry-After": "Sat, 21 Nov 2026 12:01:00 GMT"}, None, 60.0),
        ({"Retry-After": "Sat, 21 Nov 2026 11:00:00 -0000"}, None, SHORTEST),
        ({"Retry-After": "0"}, None, SHORTEST),
        ({"X-RateLimit-Reset-After": "2.5"}, None, 2.5),
        ({}, {"retry_after": 0.35}, SHORTEST),
        ({}, {"parameters": {"retry_after": 17}}, 17.0),
        ({}, {"retry_after_ms": 2500}, 2.5),
        ({"Retry-After": "1"}, {"retry_after": 2.5}, 2.5),
        ({"Retry-After": "3"}, {"retry_after": 2.5}, 3.0),
        ({"Retry-After": "99999999"}, None, LONGEST),
        ({"Retry-After": "-1"}, None, None),
        ({"Retry-After": "nan"}, None, None),
        ({"Retry-After": "soon"}, None, None),
        ({}, {"retry_after": True}, None),
        ({}, {"retry_after": [1]}, None),
        ({}, {"parameters": 5}, None),
        ({}, [1], None),
        ({}, {"retry_after": 10**400}, None),
    ],
)
def test_the_longest_wish_wins(headers: dict[str, str], body: object, pause: float | None) -> None:
    """Every usual place is read; what is no number of seconds is no wish."""
    assert wanted_pause(CIMultiDict(headers), body, NOW) == pause


def test_of_a_header_that_comes_twice_the_longest_wins() -> None:
    """A proxy may add its own to the service's."""
    headers = CIMultiDict([("Retry-After", "1"), ("Retry-After", "60"), ("Retry-After", "2")])

    assert wanted_pause(headers, None, NOW) == 60.0


@pytest.mark.parametrize("ahead", [-3600.0, 0.0, 3600.0])
def test_a_date_is_measured_by_the_clock_that_it_is_from(ahead: float) -> None:
    """A clock of ours that is fast or slow changes no pause, where the service shows its own."""
    headers = {
        "Date": "Sat, 21 Nov 2026 12:00:00 GMT",
        "Retry-After": "Sat, 21 Nov 2026 12:01:00 GMT",
    }

    assert wanted_pause(CIMultiDict(headers), None, NOW + ahead) == 60.0


@given(
    st.dictionaries(
        st.sampled_from(("header", "date", "bucket", "body", "telegram", "matrix")),
        st.integers(0, 2 * int(LONGEST)),
        min_size=1,
    )
)
def test_of_all_forms_at_once_the_longest_wins(wishes: dict[str, int]) -> None:
    """Whichever places a service uses, and however many of them: the longest, but a day at most."""
    headers: CIMultiDict[str] = CIMultiDict()
    for name, place in (("header", "Retry-After"), ("bucket", "X-RateLimit-Reset-After")):
        if name in wishes:
            headers[place] = str(wishes[name])
    if "date" in wishes and "header" not in wishes:
        headers["Retry-After"] = email.utils.formatdate(NOW + wishes["date"], usegmt=True)
    body = {
        "retry_after": wishes.get("body"),
        "parameters": {"retry_after": wishes.get("telegram")},
        "retry_after_ms": wishes["matrix"] * 1000 if "matrix" in wishes else None,
    }
    said = [wish for name, wish in wishes.items() if name != "date" or "header" not in wishes]

    assert wanted_pause(headers, body, NOW) == pytest.approx(min(max(*said, SHORTEST), LONGEST))


@given(st.text(), st.recursive(st.none() | st.floats() | st.text(), st.lists))
def test_no_answer_breaks_it(header: str, wish: object) -> None:
    """Whatever a service sends, the pause is None or between a second and a day."""
    for body in (wish, {"retry_after": wish, "parameters": {"retry_after": wish}}):
        pause = wanted_pause(CIMultiDict({"Retry-After": header}), body, NOW)
        assert pause is None or SHORTEST <= pause <= LONGEST
