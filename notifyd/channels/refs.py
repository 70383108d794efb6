"""The ids by which services find a message again."""

from __future__ import annotations

import re

from notifyd.channels.failures import PermanentFailure
from notifyd.model import derived_id

NUMBER = re.compile(r"[0-9]{1,20}")
"""What Discord and Telegram number messages with."""


def checked_ref(ref: str, form: re.Pattern[str] = NUMBER) -> str:
    """Return the id if it can be one of this service's.

    Raises PermanentFailure if not: the channel was of another kind when the message was sent.
    """
    if not form.fullmatch(ref):
        raise PermanentFailure("the message to change was not sent by a channel of this kind")
    return ref


def placed(id: str, place: str) -> str:
    """Return an id that knows where its message is: `place` is what the settings call it."""
    return f"{id}@{_mark(place)}"


def placed_here(ref: str, place: str, form: re.Pattern[str]) -> str:
    """Return the id that was `placed`. Raises as `checked_ref` does, or if it is elsewhere.

    Else a message would be changed where nobody looks any more, and what is wrong there be
    taken for the fault of a sound channel.
    """
    id, _, mark = ref.rpartition("@")
    if checked_ref(id, form) and mark != _mark(place):
        raise PermanentFailure("the message to change is not where this channel writes to now")
    return id


def _mark(place: str) -> str:
    return derived_id(place)[:8]
