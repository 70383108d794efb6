"""The unit that is installed starts this very notifyd, and finds Slurm."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from notifyd.cli.context import Context
from notifyd.cli.unit import Start, shipped_unit, start_of, this_program, unit_path, unit_text


def a_context(environ: dict[str, str], config: str | None = None) -> Context:
    return Context.find(config, None, {"HOME": "/home/alice", "PATH": "/nowhere", **environ})


def a_program(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def lines_of(start: Start) -> list[str]:
    """Return the shipped unit, made this installation's own."""
    shipped = shipped_unit()
    assert shipped is not None
    return unit_text(shipped.read_text("utf-8"), start).splitlines()


def test_the_shipped_unit_starts_the_real_program() -> None:
    """Start and reload name it by its absolute path."""
    lines = lines_of(start_of(a_context({}), ["/opt/n/bin/notifyd"]))

    assert "ExecStart=/opt/n/bin/notifyd run" in lines
    assert "ExecReload=/opt/n/bin/notifyd reload" in lines
    assert not [line for line in lines if line.startswith("Environment=")]


def test_a_strange_path_is_quoted_for_systemd() -> None:
    """Blanks, quotes, backslashes and specifiers (systemd.syntax(7), systemd.unit(5))."""
    lines = lines_of(start_of(a_context({}), ['/opt/a b/"100%"\\/notifyd']))

    assert 'ExecStart="/opt/a b/\\"100%%\\"\\\\/notifyd" run' in lines


def test_a_dollar_in_the_path_is_no_variable() -> None:
    """`:` switches variables off; systemd does not halve `$$` in the path of a program."""
    lines = lines_of(start_of(a_context({}), ["/opt/${HOME}/notifyd"]))

    assert 'ExecStart=":/opt/${HOME}/notifyd" run' in lines
    assert 'ExecReload=":/opt/${HOME}/notifyd" reload' in lines


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_finds_a_program_with_a_dollar_in_its_path(tmp_path: Path) -> None:
    """It looks for the program when it checks a unit."""
    folder = tmp_path / "a $x"
    folder.mkdir()
    start = start_of(a_context({}), [str(a_program(folder, "notifyd"))])
    unit = tmp_path / "notifyd.service"
    unit.write_text("\n".join(lines_of(start)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", str(unit)],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert "not executable" not in done.stderr


def test_other_places_are_handed_on() -> None:
    """Also to the reload, which is why they stand in the environment."""
    environ = {"NOTIFYD_STATE_DIR": "/scratch/my state"}
    start = start_of(a_context(environ, "/etc/n.yaml"), ["/bin/notifyd"])
    lines = lines_of(start)

    assert "Environment=NOTIFYD_CONFIG=/etc/n.yaml" in lines
    assert 'Environment="NOTIFYD_STATE_DIR=/scratch/my state"' in lines
    assert start.by_hand() == [
        *("/bin/notifyd", "run"),
        *("--config", "/etc/n.yaml", "--state-dir", "/scratch/my state"),
    ]


def test_base_folders_of_the_shell_are_handed_on() -> None:
    """With them the places are the usual ones, and so is the socket."""
    environ = {"XDG_STATE_HOME": "/scratch/state", "NOTIFYD_CONFIG": ""}
    start = start_of(a_context(environ), ["/bin/notifyd"])

    assert start.variables() == {"XDG_STATE_HOME": "/scratch/state"}
    assert start.by_hand() == ["/bin/notifyd", "run"]


def test_what_slurm_and_the_network_need_is_handed_on() -> None:
    """A service does not inherit the shell's environment."""
    environ = {
        "SLURM_CONF": "/opt/slurm/slurm.conf",
        "LD_LIBRARY_PATH": "/opt/slurm/lib",
        "https_proxy": "http://proxy:3128",
    }
    start = start_of(a_context(environ | {"X": "y"}), ["/bin/notifyd"])

    assert start.variables() == environ


def test_slurm_outside_the_usual_path_is_found(tmp_path: Path) -> None:
    """Many sites load it from a module; where it is in the usual place nothing is said."""
    a_program(tmp_path, "squeue")
    start = start_of(a_context({"PATH": f"/nowhere:{tmp_path}"}), ["/bin/notifyd"])

    assert start.variables() == {"PATH": f"{tmp_path}:/usr/local/bin:/usr/bin:/bin"}


def test_this_program_is_the_one_that_was_called(tmp_path: Path) -> None:
    """A link is kept: followed, a virtual environment's program is not in it any more."""
    real = a_program(tmp_path, "real")
    link = tmp_path / "notifyd"
    link.symlink_to(real)

    assert this_program(str(link)) == [str(link)]


def test_a_module_is_called_by_its_python() -> None:
    """`python -m notifyd` has no program of its own."""
    assert this_program("/opt/notifyd/__main__.py") == [sys.executable, "-m", "notifyd"]


def test_the_unit_lies_where_the_user_manager_looks_first() -> None:
    """systemd.unit(5): $XDG_CONFIG_HOME/systemd/user or ~/.config/systemd/user."""
    other = {"HOME": "/home/alice", "NOTIFYD_CONFIG": "/etc/n.yaml", "XDG_CONFIG_HOME": "/c"}

    assert str(unit_path({"HOME": "/home/alice"})) == (
        "/home/alice/.config/systemd/user/notifyd.service"
    )
    assert str(unit_path(other)) == "/c/systemd/user/notifyd.service"
