"""How the watching of a cluster goes, for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Times are Unix seconds."""

    cluster: str | None = None
    last_poll: float | None = None
    next_poll: float | None = None
    unreachable_since: float | None = None
    trouble: str | None = None
    jobs: int = 0
    """Runs that have not ended, as far as is known."""
    accounting: bool = True
    """False where the cluster keeps no accounting: only `squeue` is there to ask."""
    accounting_trouble: str | None = None
