"""What a user's number is called."""

from __future__ import annotations

import pwd
from functools import partial

from notifyd.slurm.details.errands import Errands

_TIMEOUT = 2.0
"""Seconds: a directory service may hang, and the end of a job is told without a name, too."""


class Names:
    """Looks each number up once. What cannot be looked up stays a number."""

    def __init__(self) -> None:
        self._errands = Errands()
        self._known: dict[int, str] = {}

    async def of(self, uid: int) -> str:
        """Return the user's name, or `uid 1000`."""
        if uid not in self._known:
            try:
                entry = await self._errands.run(partial(pwd.getpwuid, uid), _TIMEOUT)
                self._known[uid] = entry.pw_name
            except (KeyError, OverflowError):
                self._known[uid] = f"uid {uid}"
            except (TimeoutError, OSError):
                return f"uid {uid}"
        return self._known[uid]
