"""Where things lie."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from notifyd.paths import config_path, expand_home, socket_path, state_dir

HOME = {"HOME": "/home/ada"}


@pytest.mark.parametrize(
    ("option", "environ", "expected"),
    [
        (None, {}, "/home/ada/.config/notifyd/config.yaml"),
        (None, {"XDG_CONFIG_HOME": "/cfg"}, "/cfg/notifyd/config.yaml"),
        (None, {"XDG_CONFIG_HOME": "cfg"}, "/home/ada/.config/notifyd/config.yaml"),
        (None, {"XDG_CONFIG_HOME": "/cfg", "NOTIFYD_CONFIG": "/n.yaml"}, "/n.yaml"),
        ("~/o.yaml", {"NOTIFYD_CONFIG": "/n.yaml"}, "/home/ada/o.yaml"),
        ("", {"NOTIFYD_CONFIG": ""}, "/home/ada/.config/notifyd/config.yaml"),
    ],
)
def test_the_nearest_word_names_the_configuration(
    option: str | None, environ: dict[str, str], expected: str
) -> None:
    """The option, then the variable, then the XDG folder; a relative one of those is ignored."""
    assert config_path(option, HOME | environ) == Path(expected)


@pytest.mark.parametrize(
    ("option", "environ", "expected"),
    [
        (None, {}, "/home/ada/.local/state/notifyd"),
        (None, {"XDG_STATE_HOME": "/st"}, "/st/notifyd"),
        (None, {"NOTIFYD_STATE_DIR": "/n"}, "/n"),
        ("/o/../p", {"NOTIFYD_STATE_DIR": "/n"}, "/p"),
    ],
)
def test_the_nearest_word_names_the_state_folder(
    option: str | None, environ: dict[str, str], expected: str
) -> None:
    """The option, then the variable, then the XDG folder."""
    assert state_dir(option, HOME | environ) == Path(expected)


def test_the_socket_of_the_default_folder_lies_in_the_runtime_folder() -> None:
    """Even when that folder is named: it is the same daemon's."""
    environ = HOME | {"XDG_RUNTIME_DIR": "/run/user/7"}
    named = state_dir("/home/ada/.local/state/notifyd/", environ)

    expected = Path("/run/user/7/notifyd/control.sock")
    assert socket_path(state_dir(None, environ), environ) == expected
    assert socket_path(named, environ) == expected


def test_the_socket_of_another_folder_lies_in_it() -> None:
    """So a second daemon does not meet the first."""
    environ = HOME | {"XDG_RUNTIME_DIR": "/run/user/7", "NOTIFYD_STATE_DIR": "/demo"}

    assert socket_path(state_dir(None, environ), environ) == Path("/demo/control.sock")
    assert socket_path(state_dir("/other", environ), environ) == Path("/other/control.sock")


@pytest.mark.parametrize("runtime", ["", "relative"])
def test_without_a_runtime_folder_the_socket_lies_with_the_state(runtime: str) -> None:
    """Cron and batch jobs have none."""
    environ = HOME | {"XDG_RUNTIME_DIR": runtime}
    state = state_dir(None, environ)

    assert socket_path(state, environ) == state / "control.sock"


def test_an_unknown_user_has_no_home() -> None:
    """The path is left as it is, for an error that names it."""
    assert expand_home("~nobody-of-that-name/x", HOME) == Path("~nobody-of-that-name/x")


def test_asking_costs_a_command_nothing() -> None:
    """Neither pydantic nor YAML is imported for it."""
    code = "import sys, notifyd.paths, notifyd.config; print({'pydantic', 'yaml'} & {*sys.modules})"

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert (run.stdout, run.stderr) == ("set()\n", "")
