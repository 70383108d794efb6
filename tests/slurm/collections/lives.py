"""What happens to members of a collection, as the tracker tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from notifyd.slurm.collections.chapter import Chapter, Tale, dump, load
from notifyd.slurm.collections.chapters import fold
from notifyd.slurm.collections.settings import CollectionSettings
from notifyd.slurm.collections.tale import tale_event
from notifyd.slurm.tracker.look import Transition
from tests.fakes import a_job

START = 1_000_000.0
SET: Mapping[str, CollectionSettings] = {"sweep": CollectionSettings(name="*")}


def of_member(
    kind: str, job_id: str, after: float = 0.0, collection: str = "sweep", corrects: bool = False
) -> Transition:
    """Return the transition of a member, so many seconds after the start."""
    array, _, task = job_id.partition("_")
    job = a_job(
        job_id,
        array_job_id=array if task else None,
        array_task_id=int(task) if task else None,
    )
    return Transition(
        type=kind, job=job, at=START + after, collection=collection, corrects=corrects
    )


def of_task(kind: str, number: int, after: float = 0.0, corrects: bool = False) -> Transition:
    """Return the transition of a task of array 36, which is told as one story."""
    return of_member(kind, f"36_{number}", after, "array/36", corrects)


class Book:
    """Chapters over many looks; each look is stored and read again, as at a restart."""

    def __init__(
        self, settings: Mapping[str, CollectionSettings] | None = None, restarts: bool = True
    ) -> None:
        self.settings = settings or {}
        self.restarts = restarts
        self.chapters: dict[str, Chapter] = {}
        self.tales: list[Tale] = []

    def look(self, *transitions: Transition, after: float = 0.0) -> list[str]:
        """Take these in, and return the types of what is told."""
        self.chapters, told = fold(self.chapters, transitions, self.settings, START + after)
        if self.restarts:
            self.chapters = {name: load(dump(one)) for name, one in self.chapters.items()}
        self.tales += [one for one in told if isinstance(one, Tale)]
        return [one.type for one in told]

    def times(self, kind: str) -> int:
        """Return how often a collection's event was told."""
        return sum(tale.type == kind for tale in self.tales)

    def ids(self) -> Sequence[str]:
        """Return the ids of the events of all tales."""
        return [tale_event(tale).id for tale in self.tales]
