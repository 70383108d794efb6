"""Whatever a daemon says, it does not steer the terminal (today's daemon cleans most of it)."""

from __future__ import annotations

import pytest

from notifyd.cli import history, status

EVIL = "evil\x1b]0;x\x07"
CHANNEL = {
    **{"name": "team", "kind": "webhook", "state": "failing", "breaker": "closed"},
    **{"tokens": 1.0, "burst": 20, "backlog": 0, "muted": None, "last_error": EVIL},
}
CLUSTER = {
    **{"unreachable_since": None, "last_poll": None, "next_poll": None},
    **{"name": "demo", "jobs": 0, "accounting": True, "accounting_trouble": None},
}
STATUS = {
    **{"version": "1", "uptime_seconds": 1.0, "config": "/c.yaml", "config_loaded": 1.0},
    **{"config_trouble": None, "clusters": [CLUSTER], "channels": [CHANNEL]},
    **{"unconfigured_backlog": {}},
}
DELIVERY = {
    **{"created": 1.0, "channel": "team", "state": "dead", "title": EVIL, "subject": EVIL},
    **{"detail": EVIL, "attempts": [{"at": 1.0, "detail": EVIL}]},
}


def test_status_prints_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """A service's answer is anybody's text."""
    status.show(STATUS, now=2.0)

    assert_harmless(capsys.readouterr().out, times=1)


def test_history_prints_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """A job name, an answer, an id, with and without a try."""
    history.show([DELIVERY, DELIVERY | {"attempts": []}])

    assert_harmless(capsys.readouterr().out, times=6)


def assert_harmless(printed: str, times: int) -> None:
    assert printed.count("evil") == times
    assert all(letter.isprintable() or letter == "\n" for letter in printed)
