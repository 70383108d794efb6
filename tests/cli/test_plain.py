"""Whatever a daemon says, it does not steer the terminal (today's daemon cleans most of it)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from notifyd.cli import history, status
from notifyd.cli.context import Context

EVIL = "evil\x1b]0;x\x07"
CHANNEL = {
    **{"name": "team", "kind": "webhook", "state": "failing", "breaker": "closed"},
    **{"tokens": 1.0, "burst": 20, "backlog": 0, "muted": None, "last_error": EVIL},
}
SLURM = {
    **{"unreachable_since": None, "last_poll": None, "interval_seconds": 30.0},
    **{"cluster": "demo", "jobs": 0, "accounting_trouble": None},
}
STATUS = {
    **{"version": "1", "uptime_seconds": 1.0, "config": "/c.yaml", "config_loaded": 1.0},
    **{"config_trouble": None, "slurm": SLURM, "channels": [CHANNEL], "unconfigured_backlog": {}},
}
DELIVERY = {
    **{"created": 1.0, "channel": "team", "state": "dead", "title": EVIL, "subject": EVIL},
    **{"detail": EVIL, "attempts": [{"at": 1.0, "detail": EVIL}]},
}


@pytest.mark.parametrize(
    ("command", "times"),
    [(status.command, 1), (history.command, 3)],
)
def test_control_characters_are_not_printed(
    command: Any, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job name, an answer, an ID: anybody's text."""
    unattempted = DELIVERY | {"attempts": []}
    client = SimpleNamespace(
        status=lambda: STATUS, history=lambda limit, channel: [DELIVERY, unattempted]
    )
    monkeypatch.setattr(Context, "client", lambda context: client)
    # CliRunner strips colours, and with them a part of what is looked for.
    done = CliRunner().invoke(command, obj=Context.find(None, None, {}), color=True)

    assert done.exit_code == 0
    assert done.output.count("evil") >= times
    assert "\x07" not in done.output
    assert "\x1b]" not in done.output
