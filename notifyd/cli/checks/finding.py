"""What a check found: how it is, in plain words, and how to mend it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class State(enum.StrEnum):
    """How bad it is. Only FAILED makes `notifyd doctor` fail."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The end of one check. `mend` is empty when there is nothing to do."""

    name: str
    state: State
    text: str
    mend: str = ""


def ok(name: str, text: str) -> Finding:
    """Return that all is well."""
    return Finding(name=name, state=State.OK, text=text)


def warning(name: str, text: str, mend: str) -> Finding:
    """Return that it works, but not as well as it could."""
    return Finding(name=name, state=State.WARNING, text=text, mend=mend)


def failed(name: str, text: str, mend: str) -> Finding:
    """Return that something does not work."""
    return Finding(name=name, state=State.FAILED, text=text, mend=mend)
