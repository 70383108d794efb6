"""The `slurm:` section of the configuration."""

from __future__ import annotations

import os
import pwd
from typing import Annotated

from pydantic import Field, StringConstraints

from notifyd.settings import Duration, Settings

UserName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?$")]


class SlurmSettings(Settings):
    """How and how often Slurm is asked."""

    interval: Duration = Field(default=30.0, ge=1, le=3600)
    """Seconds between two polls; each waits up to a tenth longer, so that daemons spread."""
    users: tuple[UserName, ...] = Field(default=("me",), min_length=1)
    """Whose jobs; `me` is the user the daemon runs as."""
    command_timeout: Duration = Field(default=50.0, gt=0, le=600)
    """Seconds until a Slurm command is killed. A fail-over may take a client 45 s."""
    squeue: str = "squeue"
    sacct: str = "sacct"
    scontrol: str = "scontrol"
    conf: str | None = None
    """Path of a slurm.conf, where it is not the site's default."""

    def user_names(self) -> tuple[str, ...]:
        """Return the names of the watched users, `me` by its own."""
        return tuple(sorted({_my_name() if name == "me" else name for name in self.users}))


def _my_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user of a directory service that does not answer
        return str(os.getuid())
