"""`notifyd history`: a line each, and why it went as it did."""

from __future__ import annotations

import pytest

from notifyd.cli.history import show
from notifyd.clock import SystemClock
from tests.cli.test_plain import ATTEMPT, DELIVERY

SENT = ATTEMPT | {"number": 2, "outcome": "delivered", "detail": None}
FAILED = ATTEMPT | {"outcome": "temporary", "detail": "no route to host"}
TOLD = DELIVERY | {"state": "delivered", "detail": None, "subject": "4711", "title": "Job 4711"}


def test_what_was_told_after_trouble_shows_its_tries(capsys: pytest.CaptureFixture[str]) -> None:
    """The delivery has ended well, and the reason why it was late is in them."""
    show([TOLD | {"attempts": [FAILED, SENT]}])

    *_, head, first, second = capsys.readouterr().out.splitlines()
    assert head == "01234567, 4711 on team, delivered:"
    assert first.endswith("  no route to host")
    assert second.endswith("  delivered")


def test_what_was_told_at_once_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to explain."""
    show([TOLD | {"attempts": [SENT]}])

    assert len(capsys.readouterr().out.splitlines()) == 2


def test_what_was_told_in_another_message_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    """At 80 columns, of yesterday and with a long name: whose message, and which job."""
    yesterday = SystemClock().now() - 86400
    one = TOLD | {"created": yesterday, "channel": "physics-team", "attempts": [SENT]}
    show([one | {"told_in": "fedcba9876543210"}])

    line = capsys.readouterr().out.splitlines()[1]
    assert line.endswith("  in fedcba98: Job 4711")
    assert len(line) <= 80
