"""The story of each collection so far, and what of it is to be told. Pure.

What happens to the jobs of a collection goes into its chapter instead of being told job by job.
A set of jobs is complete when all have ended and none has come for a while; what comes after
that is a new chapter under the same name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from notifyd.slurm.collections.membership import ARRAY
from notifyd.slurm.collections.settings import CollectionSettings
from notifyd.slurm.collections.tally import FAILURES, OK, OUTCOMES, UNKNOWN, tally
from notifyd.slurm.tracker.look import Transition

MOST_NAMED = 1000
"""Ids of one outcome that are kept; the others are only counted."""
KEPT = 86400.0
"""Seconds for which a chapter is kept after its end: a correction may come."""

_OPENINGS = frozenset({"job_submitted", "job_requeued"})
_ONCE = frozenset({"job_submitted", "job_started", "job_stuck"})
"""Of an array, the first of each is told, about the array."""


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
    """When something last happened in it."""
    open: int = 0
    """Members that have not ended."""
    ended: Mapping[str, int] = field(default_factory=dict)
    """Members that have, by outcome."""
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    told: frozenset[str] = frozenset()
    """What is told once, and has been."""
    share_told: int = 0
    progress_at: float = 0.0
    completed: float | None = None

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """What becomes of the chapters, and what is told."""

    chapters: dict[str, Chapter]
    settings: Mapping[str, CollectionSettings]
    now: float
    told: list[Transition | Tale] = field(default_factory=list)


def fold(
    chapters: Mapping[str, Chapter],
    transitions: Iterable[Transition],
    settings: Mapping[str, CollectionSettings],
    now: float,
) -> tuple[dict[str, Chapter], list[Transition | Tale]]:
    """Return the chapters after these transitions, and what is to be told, in order."""
    state = Fold(chapters=dict(chapters), settings=settings, now=now)
    for transition in transitions:
        if transition.collection is None:
            state.told.append(transition)
        else:
            _take_in(state, transition.collection, transition)
    for name in list(state.chapters):
        _by_the_clock(state, name)
    return state.chapters, state.told


def _take_in(state: Fold, name: str, transition: Transition) -> None:
    options = _options(state, name)
    before = _chapter(state, name, transition)
    after = _counted(before, transition)
    if options.tell_jobs:
        state.told.append(transition)
    elif after.array is not None and transition.type in _ONCE:
        once = f"{transition.type} {transition.mark}"
        if once not in after.told:
            state.told.append(_of_the_array(transition, after.array))
            after = dataclasses.replace(after, told=after.told | {once})
    if before.completed is not None and transition.corrects and not options.tell_jobs:
        state.told.append(transition)  # the story has been told: this is a correction of it
    state.chapters[name] = after
    if after.failed > before.failed and options.fail_at == "first":
        _tell_failure(state, name, transition.type)


def _options(state: Fold, name: str) -> CollectionSettings:
    return state.settings.get(name) or CollectionSettings.model_construct()


def _chapter(state: Fold, name: str, transition: Transition) -> Chapter:
    old = state.chapters.get(name)
    begins = transition.type in _OPENINGS and transition.cause is None
    if old is not None and not (old.completed is not None and begins):
        return old
    job = transition.job
    return Chapter(
        name=name,
        cluster=job.cluster,
        number=old.number + 1 if old else 1,
        array=name.removeprefix(ARRAY) if name.startswith(ARRAY) else None,
        user=job.user,
        job_name=job.name,
        opened=transition.at,
        latest=state.now,
        progress_at=state.now,
    )


def _counted(chapter: Chapter, transition: Transition) -> Chapter:
    """Count what happened to one member."""
    word = OUTCOMES.get(transition.type)
    if word is None:
        return _opened(chapter, transition)
    ended, named = dict(chapter.ended), dict(chapter.named)
    id = _id_of(transition)
    if transition.corrects and ended.get(UNKNOWN):
        ended[UNKNOWN] -= 1
        named[UNKNOWN] = tuple(one for one in named.get(UNKNOWN, ()) if one != id)
    still_open = chapter.open - (not transition.corrects)
    ended[word] = ended.get(word, 0) + 1
    if word != OK:
        named[word] = (*named.get(word, ()), id)[:MOST_NAMED]
    return dataclasses.replace(
        chapter,
        open=max(still_open, 0),
        ended=ended,
        named=named,
        latest=max(chapter.latest, transition.at),
    )


def _opened(chapter: Chapter, transition: Transition) -> Chapter:
    # A run that was put back is the same member, which has not ended.
    is_new = transition.type == "job_submitted"
    return dataclasses.replace(
        chapter,
        open=chapter.open + is_new,
        latest=max(chapter.latest, transition.at) if is_new else chapter.latest,
    )


def _id_of(transition: Transition) -> str:
    task = transition.job.array_task_id
    return transition.job.job_id if task is None else str(task)


def _of_the_array(transition: Transition, array: str) -> Transition:
    job = dataclasses.replace(transition.job, job_id=array, array_task_id=None)
    return dataclasses.replace(transition, job=job)


def _tell_failure(state: Fold, name: str, kind: str) -> None:
    chapter = state.chapters[name]
    if "failed" not in chapter.told:
        chapter = dataclasses.replace(chapter, told=chapter.told | {"failed"})
        state.chapters[name] = chapter
        state.told.append(
            Tale(type="collection_failed", chapter=chapter, at=state.now, stands_for=(kind,))
        )


def _by_the_clock(state: Fold, name: str) -> None:
    chapter, options = state.chapters[name], _options(state, name)
    if chapter.completed is not None:
        if state.now - chapter.completed >= KEPT:
            del state.chapters[name]
    elif _is_complete(chapter, options, state.now):
        _tell_end(state, chapter, options)
    else:
        _tell_progress(state, chapter, options)


def _is_complete(chapter: Chapter, options: CollectionSettings, now: float) -> bool:
    if chapter.open or not chapter.done:
        return False
    if chapter.array is not None or options.array is not None:
        return True
    if options.jobs:
        return chapter.done >= len(options.jobs) or now - chapter.latest >= options.settle
    return now - chapter.latest >= options.settle


def _tell_end(state: Fold, chapter: Chapter, options: CollectionSettings) -> None:
    chapter = dataclasses.replace(chapter, completed=state.now)
    state.chapters[chapter.name] = chapter
    failed_at_end = options.fail_at == "end" and chapter.failed
    kind = "collection_failed" if failed_at_end else "collection_completed"
    stands_for = tuple(sorted(_types(chapter.ended)))
    state.told.append(
        Tale(type=kind, chapter=chapter, at=chapter.latest, mark="end", stands_for=stands_for)
    )


def _types(ended: Mapping[str, int]) -> Iterator[str]:
    return (kind for kind, word in OUTCOMES.items() if ended.get(word))


def _tell_progress(state: Fold, chapter: Chapter, options: CollectionSettings) -> None:
    share = 100 * chapter.done // chapter.known if chapter.known else 0
    passed = max((one for one in options.progress if chapter.share_told < one <= share), default=0)
    every = options.progress_every
    timed = (
        every and state.now - chapter.progress_at >= every and chapter.latest > chapter.progress_at
    )
    if not passed and not timed:
        return
    chapter = dataclasses.replace(
        chapter, share_told=max(passed, chapter.share_told), progress_at=state.now
    )
    state.chapters[chapter.name] = chapter
    mark = str(passed) if passed else f"at {chapter.done}"
    state.told.append(Tale(type="collection_progress", chapter=chapter, at=state.now, mark=mark))


def _is_time(chapter: Chapter, every: float | None, now: float) -> bool:
    changed = chapter.latest > chapter.progress_at
    return every is not None and changed and now - chapter.progress_at >= every


def summary(chapter: Chapter) -> str:
    """Return how its jobs ended, in words."""
    return tally(chapter.ended, chapter.named) or "none has ended yet"


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
