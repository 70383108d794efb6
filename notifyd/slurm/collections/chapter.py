"""One collection's story so far, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from notifyd.slurm.collections.ids import IdSet
from notifyd.slurm.collections.tally import FAILURES, OPEN, tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One collection's story, from its first job to the end of its last."""

    name: str
    cluster: str
    number: int = 1
    """Tells apart the chapters of one name."""
    array: str | None = None
    """The array's id, if it is one array's own collection."""
    user: str | None = None
    job_name: str = ""
    opened: float
    latest: float
    """When a member last came or ended, by Slurm's own time."""
    members: Mapping[str, IdSet] = field(default_factory=dict)
    """Each member once, under what became of it, or as open."""
    told: frozenset[str] = frozenset()
    """What is told once, and has been."""
    share_told: int = 0
    progress_at: float = 0.0
    progress_done: int = 0
    ticks: int = 0
    """How often the progress was told for its time."""
    completed: float | None = None

    def knows(self, job_id: str) -> bool:
        """Tell whether a job is a member."""
        return any(job_id in ids for ids in self.members.values())

    @property
    def open(self) -> int:
        """Return how many have not ended."""
        return len(self.members.get(OPEN, IdSet()))

    @property
    def ended(self) -> Mapping[str, int]:
        """Return how many have, by outcome."""
        return {word: len(ids) for word, ids in self.members.items() if word != OPEN}

    @property
    def done(self) -> int:
        """Return how many have ended."""
        return sum(self.ended.values())

    @property
    def known(self) -> int:
        """Return how many members there are."""
        return self.open + self.done

    @property
    def failed(self) -> int:
        """Return how many failed."""
        return sum(count for word, count in self.ended.items() if word in FAILURES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tale:
    """Something to be told of a collection."""

    type: str
    chapter: Chapter
    at: float
    mark: str = ""
    stands_for: tuple[str, ...] = ()


def summary(chapter: Chapter) -> str:
    """Return how its jobs ended, in words."""
    return tally(chapter.members, chapter.array) or "none has ended yet"


def sizes(chapters: Iterable[Chapter]) -> dict[str, int]:
    """Return how many tasks the arrays have that are told as one story."""
    return {one.array: one.known for one in chapters if one.array is not None}


def dump(chapter: Chapter) -> str:
    """Return this as text for the store."""
    return _CHAPTERS.dump_json(chapter).decode()


def load(text: str) -> Chapter:
    """Return what `dump` wrote. Raises ValueError for anything else."""
    return _CHAPTERS.validate_json(text)


_CHAPTERS = TypeAdapter(Chapter)
