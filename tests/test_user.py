"""Whoever runs it has a name."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from notifyd.user import user_name

ASK = "import os; from notifyd.user import user_name; {before}; print(user_name())"


def test_the_environment_does_not_change_it() -> None:
    """It is what the system knows."""
    command = [sys.executable, "-c", ASK.format(before="pass")]
    environ = {**os.environ, "USER": "somebody", "LOGNAME": "somebody"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == user_name() != "somebody"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_who_is_in_no_directory_has_a_number() -> None:
    """As where a directory service does not answer."""
    command = [sys.executable, "-c", ASK.format(before="os.setuid(54321)")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "54321"
