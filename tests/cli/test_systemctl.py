"""What the user manager says, and what its silence means."""

from __future__ import annotations

from pathlib import Path

from notifyd.cli.systemctl import UserManager, lingers
from tests.cli.world import World


def test_without_a_login_session_there_is_no_manager(world: World) -> None:
    """`su` and `sudo` give no XDG_RUNTIME_DIR; systemctl is not even called."""
    world.has_systemd()
    del world.changes["XDG_RUNTIME_DIR"]

    assert "XDG_RUNTIME_DIR is not set" in (UserManager(world.environ).trouble() or "")
    assert world.systemctl_calls == []


def test_a_manager_that_fails_is_quoted(world: World) -> None:
    """Its last line says why."""
    world.has_systemd("echo warning >&2; echo 'Failed to connect to bus' >&2; exit 1")

    assert UserManager(world.environ).trouble() == "Failed to connect to bus"


def test_a_failed_start_is_quoted_without_where_to_read_more(world: World) -> None:
    """systemctl's last line is not the reason."""
    world.has_systemd("printf 'Created symlink\\nJob failed.\\nSee \"journalctl\"\\n' >&2; exit 1")

    assert UserManager(world.environ).start().text == "Job failed."


def test_a_machine_without_systemctl_has_no_manager(world: World) -> None:
    """Not every Linux has systemd."""
    environ = world.environ | {"PATH": "/nowhere", "XDG_RUNTIME_DIR": "/run/x"}

    assert UserManager(environ).trouble() == ("systemctl cannot be run: No such file or directory")


def test_a_service_that_runs_is_started_anew(world: World) -> None:
    """`enable --now` would leave it with the old unit; no failed starts to forget is no fault."""
    world.has_systemd("case $* in *reset-failed*) exit 1;; esac")
    manager = UserManager(world.environ)

    assert manager.trouble() is None
    assert manager.reread().done
    assert manager.start().done
    assert world.systemctl_calls[1:] == [
        "--user --no-pager daemon-reload",
        "--user --no-pager reset-failed notifyd",
        "--user --no-pager enable notifyd",
        "--user --no-pager restart notifyd",
    ]


def test_a_manager_that_is_silent_is_not_waited_for(world: World) -> None:
    """It counts as none."""
    world.has_systemd("exec sleep 60")

    assert (
        UserManager(world.environ, quick=0.2).trouble() == "systemctl gave no answer within 0.2 s"
    )


def test_linger_is_a_file_that_logind_keeps(tmp_path: Path) -> None:
    """Named like the user."""
    assert not lingers("alice", tmp_path)

    (tmp_path / "alice").touch()

    assert lingers("alice", tmp_path)
