"""Installs and starts notifyd as a service of the user, and says how it went."""

from __future__ import annotations

import os
import shlex
import sys

from notifyd.cli.context import Context
from notifyd.cli.prose import command, say
from notifyd.cli.systemctl import UserManager, lingers
from notifyd.cli.unit import Start, shipped_unit, start_of, this_program, unit_path, unit_text
from notifyd.client import NotRunning, Refused
from notifyd.config.files import replace_file
from notifyd.user import user_name


def set_up_service(context: Context) -> bool:
    """Install and start the service. Return False when it should have worked and did not."""
    start = start_of(context, this_program(sys.argv[0]))
    manager = UserManager(context.environ)
    trouble = manager.trouble()
    if trouble:
        _show_other_ways(trouble, start)
        return True
    fault = _in_the_way(context, manager) or _install(context, start) or _start(manager)
    if fault:
        say(f"The service does not run: {fault}")
        return False
    say("The service runs, and starts again by itself.")
    _show_linger()
    return True


def show_start(context: Context) -> None:
    """Say how to start the daemon by hand."""
    say("Start it in a terminal (Ctrl-C stops it), or in tmux so that it stays:")
    _show_commands(start_of(context, this_program(sys.argv[0])))


def _in_the_way(context: Context, manager: UserManager) -> str | None:
    """Return what to do about a daemon that somebody started by hand, or None."""
    try:
        pid = context.client().status()["pid"]
    except (NotRunning, Refused):
        return None
    if manager.active():
        return None
    return f"notifyd runs already, by hand (process {pid}). Stop it, then: notifyd init --service"


def _install(context: Context, start: Start) -> str | None:
    shipped, target = shipped_unit(), unit_path(context.environ)
    if shipped is None:
        return "notifyd.service did not come with this installation; install notifyd anew"
    try:
        replace_file(target, unit_text(shipped.read_text("utf-8"), start))
    except OSError as error:
        return f"{error.filename or target} cannot be written: {error.strerror}"
    say(f"Written: {target}")
    return None


def _start(manager: UserManager) -> str | None:
    reread = manager.reread()
    if not reread.done:
        return f"systemd did not take the unit: {reread.text}"
    started = manager.start()
    if not started.done:
        return f"{started.text}\nIts log: journalctl --user -u notifyd -n 20"
    return None


def _show_linger() -> None:
    user = user_name()
    if lingers(user):
        say("It goes on after you log out (linger is on).")
        return
    say("It ends with your last session. To have it go on after you log out:")
    command(f"loginctl enable-linger {user}")


def _show_other_ways(trouble: str, start: Start) -> None:
    say(f"No service was installed: systemd cannot be reached here ({trouble.rstrip('.')}).")
    say("Start notifyd yourself, in tmux so that it stays when you log out:")
    _show_commands(start)


def _show_commands(start: Start) -> None:
    line = shlex.join(start.by_hand())
    command(f"tmux new -d -s notifyd {shlex.quote(line)}")
    say("or without tmux:")
    command(f"nohup {line} > {shlex.quote(os.path.expanduser('~/notifyd.log'))} 2>&1 &")
