"""The ids by which services find a message again."""

from __future__ import annotations

import re

from notifyd.channels.failures import PermanentFailure

NUMBER = re.compile(r"[0-9]{1,20}")
"""What Discord, Telegram and the desktop number messages with."""


def checked_ref(ref: str, form: re.Pattern[str] = NUMBER) -> str:
    """Return the id if it can be one of this service's.

    Raises PermanentFailure if not: the channel was of another kind when the message was sent.
    """
    if not form.fullmatch(ref):
        raise PermanentFailure("the message to change was not sent by a channel of this kind")
    return ref
