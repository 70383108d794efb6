"""Does the daemon run, and with the configuration that is there?"""

from __future__ import annotations

from typing import Any

import pytest

from notifyd.cli.checks.daemon import check_daemon, judge
from notifyd.cli.checks.finding import State
from notifyd.cli.context import Context
from tests.cli.world import World

STATUS: dict[str, Any] = {
    "config": "/c.yaml",
    "config_loaded": 100.0,
    "config_trouble": None,
    "pid": 7,
    "uptime_seconds": 61.0,
}


@pytest.mark.parametrize(
    ("change", "changed", "state", "mend"),
    [
        ({}, 99.0, State.OK, ""),
        ({}, 101.0, State.WARNING, "notifyd reload"),
        ({"config_trouble": "x"}, 99.0, State.WARNING, "notifyd reload"),
        ({"config": "/other.yaml"}, 99.0, State.WARNING, "--config"),
    ],
)
def test_a_daemon_is_judged_by_its_configuration(
    change: dict[str, Any], changed: float, state: State, mend: str
) -> None:
    """Older than the file, refused, or another one altogether."""
    finding = judge(STATUS | change, "/c.yaml", changed)

    assert finding.state is state
    assert mend in finding.mend


def test_no_daemon_is_a_warning(world: World) -> None:
    """With how to start it."""
    finding, status = check_daemon(Context.find(None, None, world.environ), 0.0)

    assert status is None
    assert finding.state is State.WARNING
    assert "notifyd run" in finding.mend


def test_a_socket_that_belongs_to_something_else_fails(world: World) -> None:
    """Here a plain folder in its place."""
    context = Context.find(None, None, world.environ)
    world.state.mkdir(parents=True)
    context.socket.symlink_to(context.socket)

    assert check_daemon(context, 0.0)[0].state is State.FAILED
