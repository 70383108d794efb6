"""Will the daemon still run tomorrow?"""

from __future__ import annotations

import pytest

from notifyd.cli.checks.finding import State
from notifyd.cli.checks.service import check_linger, check_service, look_at
from notifyd.cli.systemctl import Answer, UserManager
from tests.cli.world import World


@pytest.mark.parametrize(
    ("done", "text", "state", "mend"),
    [
        (True, "enabled", State.OK, ""),
        (False, "disabled", State.WARNING, "systemctl --user enable --now notifyd"),
        (False, "masked", State.WARNING, "systemctl --user unmask notifyd"),
        (False, "Failed to get unit file state", State.WARNING, "notifyd init --service"),
    ],
)
def test_a_service_is_judged_by_systemds_word(
    done: bool, text: str, state: State, mend: str
) -> None:
    """systemctl(1), is-enabled."""
    finding = check_service(Answer(done=done, text=text))

    assert finding.state is state
    assert mend in finding.mend


def test_linger_has_a_mend() -> None:
    """One command, which most sites let users run."""
    assert check_linger("alice", True).state is State.OK
    assert check_linger("alice", False).mend == "loginctl enable-linger alice"


def test_without_systemd_there_is_one_warning(world: World) -> None:
    """Linger means nothing there."""
    findings = look_at(UserManager(world.environ))

    assert [(one.name, one.state) for one in findings] == [("service", State.WARNING)]


def test_with_systemd_service_and_linger_are_looked_at(world: World) -> None:
    """Both, always."""
    world.has_systemd("echo enabled")
    findings = look_at(UserManager(world.environ))

    assert [one.name for one in findings] == ["service", "linger"]
    assert findings[0].state is State.OK
