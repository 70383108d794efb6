"""The recorded text of a queue, and the same multiplied: more jobs of the same looks."""

from __future__ import annotations

import re
from pathlib import Path

from notifyd.slurm.tables.queue import Marks

MARKS = Marks(text="mTEXT0123456789ab", record="mRECORD0123456789")


def multiplied(path: Path, jobs: int) -> str:
    """Return a table of that many jobs, each with an id of its own."""
    text = path.read_text("utf-8", "replace")
    end = MARKS.record + "\n"
    rows = text.split(end)[:-1]
    rest = [re.split("\x1f", row, maxsplit=1)[1] for row in rows]
    return "".join(f"{n + 1}\x1f{rest[n % len(rest)]}{end}" for n in range(jobs))


def changed(text: str, count: int, before: str = "PENDING", after: str = "CANCELLED") -> str:
    """Return the table with the state of its first jobs changed."""
    return text.replace(f"\x1f{before}\x1f", f"\x1f{after}\x1f", count)
