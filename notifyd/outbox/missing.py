"""Which channels are owed something, and configured no more; and since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from notifyd.outbox.protocols import History, Notes

_NOTE = "missing_channels"
_SINCE: TypeAdapter[dict[str, float]] = TypeAdapter(dict[str, float])


class Memory(History, Notes, Protocol):
    """Where it is read, and remembered over a restart."""


async def missed_since(
    memory: Memory, channels: Iterable[str], before: float, now: float
) -> list[str]:
    """Note which channels are missing beside these; return who has been since before that time.

    Who is back, or is owed nothing any more, is missed from the beginning the next time.
    """
    here = frozenset(channels)
    known = _read(await memory.note(_NOTE))
    owing = await memory.backlog()
    # A clock that was ahead for a while must not keep anybody waiting for years.
    missing = {name: min(known.get(name, now), now) for name in owing if name not in here}
    if missing != known:
        await memory.write_note(_NOTE, _SINCE.dump_json(missing).decode())
    return [name for name, since in missing.items() if since <= before]


def _read(note: str | None) -> Mapping[str, float]:
    try:
        return _SINCE.validate_json(note or "{}")
    except ValidationError:  # a bad disk; they are counted anew
        return {}
