"""Whatever a daemon says, it does not steer the terminal (today's daemon cleans most of it)."""

from __future__ import annotations

from typing import Any

import pytest

from notifyd.cli import dead, delivery, history, status

EVIL = "evil\x1b]0;x\x07\u202e"
CHANNEL: dict[str, Any] = {
    **{"name": "team", "kind": "webhook", "state": "failing", "breaker": "closed"},
    **{"tokens": 1.0, "burst": 20, "backlog": 0, "dead": 0, "muted": None, "last_error": EVIL},
    **{"refusal": None, "down_since": None, "next_probe": None, "paused_until": None},
}
CLUSTER = {
    **{"unreachable_since": None, "last_poll": None, "next_poll": None},
    **{"name": "demo", "jobs": 0, "accounting": True, "accounting_trouble": None},
}
STATUS = {
    **{"version": "1", "uptime_seconds": 1.0, "config": "/c.yaml", "config_loaded": 1.0},
    **{"config_trouble": None, "clusters": [CLUSTER], "channels": [CHANNEL]},
    **{"unconfigured_backlog": {}, "store": {"trouble": None, "dead": {}}},
}
ATTEMPT = {
    **{"number": 1, "at": 1.0, "seconds": 0.5, "outcome": "permanent", "status": 409},
    **{"detail": EVIL},
}
DELIVERY: dict[str, Any] = {
    **{"id": "0123456789abcdef", "channel": "team", "target": EVIL, "event_type": "job_failed"},
    **{"subject": EVIL, "rule": EVIL, "title": EVIL, "body": f"{EVIL}\n{EVIL}", "state": "dead"},
    **{"created": 1.0, "due": 1.0, "expires": 9.0, "finished": 2.0, "detail": EVIL, "ref": EVIL},
    **{"told_in": None, "tells": 2, "attempts": [ATTEMPT], "others": [{"id": "1", "title": EVIL}]},
    "told": {"title": EVIL, "body": EVIL, "facts": []},
}


@pytest.mark.parametrize(
    ("change", "times"),
    [
        ({}, 1),
        ({"config_trouble": EVIL, "store": {"trouble": EVIL, "dead": {EVIL: 1}}}, 4),
        ({"clusters": [CLUSTER | {"unreachable_since": 1.0, "trouble": EVIL}]}, 2),
        ({"channels": [CHANNEL | {"refusal": EVIL, "muted": EVIL}]}, 2),
    ],
)
def test_status_prints_no_control_characters(
    change: dict[str, Any], times: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A service's answer is anybody's text."""
    status.show(STATUS | change, now=2.0)

    assert_harmless(capsys.readouterr().out, times)


def test_history_prints_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """A job name, an answer, an id, with and without a try."""
    history.show([DELIVERY, DELIVERY | {"attempts": []}])

    assert_harmless(capsys.readouterr().out, times=6)


def test_dead_letters_print_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """In the list, and one alone with all that is known of it."""
    dead.show_list({"counts": {"team": 1}, "deliveries": [DELIVERY]}, None)
    assert_harmless(capsys.readouterr().out, times=2)

    delivery.show(DELIVERY)
    assert_harmless(capsys.readouterr().out, times=12)


def assert_harmless(printed: str, times: int) -> None:
    assert printed.count("evil") == times
    assert all(letter.isprintable() or letter == "\n" for letter in printed)
