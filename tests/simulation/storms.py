"""What the network and the disk do by themselves, drawn from a seed: calm, with storms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from notifyd.model import Delivery
from tests.simulation.disk import Mishap
from tests.simulation.receiver import Fate

SOFT = (
    Fate.FAILS,
    Fate.BUSY,
    Fate.BUSY_TARGET,
    Fate.REFUSED,
    Fate.RESET,
    Fate.RESET_LATE,
    Fate.HANGS,
    Fate.HANGS_LATE,
)
HARD = (Fate.BAD_MESSAGE, Fate.BAD_FORM, Fate.CLOSED, Fate.BUG)


@dataclass(frozen=True, slots=True)
class Storm:
    """A span in which most goes wrong, and mostly in one way."""

    begin: float
    end: float
    chance: float


def storms(random: Random, end: float, most: int) -> Sequence[Storm]:
    """Return some spans before the end, from a second to a third of the time."""
    begins = [random.uniform(0, end) for _ in range(random.randint(0, most))]
    lengths = [random.choice((1, 30, 120, end / 3)) * random.random() for _ in begins]
    return [
        Storm(begin, min(begin + length, end), random.choice((0.3, 0.9, 1.0)))
        for begin, length in zip(begins, lengths, strict=True)
    ]


def network(
    random: Random, time: Callable[[], float], end: float, hard: Sequence[Fate] = HARD
) -> Callable[[Delivery], Fate]:
    """Return what becomes of each request; `hard` is for the worst of them."""
    spans, kinds = storms(random, end, 3), random.sample(SOFT, 3)
    calm, bad = random.choice((0.0, 0.05, 0.2)), random.choice((0.0, 0.0, 0.03))

    def fate(delivery: Delivery) -> Fate:
        storm = _now(spans, time())
        if storm is not None and random.random() < storm.chance:
            return random.choice(kinds)
        if random.random() < bad:
            return random.choice(hard)
        return random.choice(SOFT) if random.random() < calm else Fate.TAKEN

    return fate


def disk(random: Random, time: Callable[[], float], end: float) -> Callable[[], Mishap]:
    """Return what becomes of each operation of the store."""
    spans = storms(random, end, 2)

    def mishap() -> Mishap:
        storm = _now(spans, time())
        if storm is None or random.random() >= storm.chance:
            return Mishap.NONE
        return Mishap.FAILS

    return mishap


def _now(spans: Sequence[Storm], time: float) -> Storm | None:
    return next((storm for storm in spans if storm.begin <= time < storm.end), None)
