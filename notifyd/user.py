"""Who runs this, whatever the environment says."""

from __future__ import annotations

import os
import pwd


def user_name() -> str:
    """Return the user's name, or the number where no directory knows it."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user of a directory service that does not answer
        return str(os.getuid())
