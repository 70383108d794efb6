"""What happened in a run, line by line, and which rules it has broken."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from tests.simulation.loop import VirtualClock


@dataclass(slots=True)
class Trace:
    """Kept by everything that takes part; two runs are the same if their hashes are."""

    clock: VirtualClock
    lines: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Write down what happens now."""
        self.lines.append(f"{self.clock.monotonic():.6f} {text}")

    def breaks(self, rule: str) -> None:
        """Write down that a rule is broken."""
        self.broken.append(f"{rule} (at {self.clock.monotonic():.3f} s)")
        self.note(f"BROKEN {rule}")

    @property
    def hash(self) -> str:
        """Return what stands for all that has happened."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()
