"""The story of each collection so far, and what of it is to be told. Pure.

What happens to the jobs of a collection goes into its chapter instead of being told job by job.
Each member is in the chapter once, under what became of it: one that is put back is the same
member. What happens after a chapter is complete is a new chapter under the same name.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from notifyd.slurm.collections.chapter import Chapter, Tale
from notifyd.slurm.collections.ids import IdSet
from notifyd.slurm.collections.membership import ARRAY
from notifyd.slurm.collections.settings import CollectionSettings
from notifyd.slurm.collections.tally import FAILURES, OPEN, OUTCOMES, outcome_of, types_of
from notifyd.slurm.tracker.look import Transition

KEPT = 86400.0
"""Seconds for which a chapter is kept after its end: a correction may come."""

_ONCE = frozenset({"job_submitted", "job_started", "job_stuck"})
"""Of an array, the first of each is told, about the array."""
_TIMELY = frozenset({"job_submitted", "job_requeued", *OUTCOMES})


def fold(
    chapters: Mapping[str, Chapter],
    transitions: Iterable[Transition],
    settings: Mapping[str, CollectionSettings],
    now: float,
) -> tuple[dict[str, Chapter], list[Transition | Tale]]:
    """Return the chapters after these transitions, and what is to be told, in order."""
    walk = _Walk(chapters=chapters, settings=settings, now=now)
    for transition in transitions:
        walk.take(transition)
    return walk.finish()


@dataclass(slots=True)
class _Page:
    """A chapter while a look is taken in: whoever moved, and to which word."""

    chapter: Chapter
    options: CollectionSettings
    moves: dict[str, str] = field(default_factory=dict)

    def knows(self, job_id: str) -> bool:
        return job_id in self.moves or self.chapter.knows(job_id)

    def note(self, **changes: object) -> None:
        self.chapter = dataclasses.replace(self.chapter, **changes)  # type: ignore[arg-type]

    def once(self, what: str) -> bool:
        """Tell whether this is told for the first time, and note that it is."""
        if what in self.chapter.told:
            return False
        self.note(told=self.chapter.told | {what})
        return True

    def settle(self) -> None:
        """Put everybody who moved under what became of them."""
        if not self.moves:
            return
        words: defaultdict[str, list[str]] = defaultdict(list)
        for job_id, word in self.moves.items():
            words[word].append(job_id)
        moved = IdSet.of(self.moves)
        members = {word: ids - moved for word, ids in self.chapter.members.items()}
        for word, ids in words.items():
            members[word] = members.get(word, IdSet()) | IdSet.of(ids)
        self.note(members={word: ids for word, ids in members.items() if ids.chunks})


@dataclass(slots=True, kw_only=True)
class _Walk:
    chapters: Mapping[str, Chapter]
    settings: Mapping[str, CollectionSettings]
    now: float
    pages: dict[str, _Page] = field(default_factory=dict)
    told: list[Transition | Tale] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, chapter in self.chapters.items():
            self.pages[name] = _Page(chapter, self._options(name))

    def _options(self, name: str) -> CollectionSettings:
        return self.settings.get(name) or CollectionSettings.model_construct()

    def take(self, transition: Transition) -> None:
        """Take in what happened to one job."""
        name = transition.collection
        if name is None:
            self.told.append(transition)
        elif not self._corrected(name, transition):
            self._count(self._page(name, transition), transition)

    def _corrected(self, name: str, transition: Transition) -> bool:
        """A correction of what has been told as a whole is told by itself, and opens nothing."""
        page, job_id = self.pages.get(name), transition.job.job_id
        known = page is not None and page.knows(job_id)
        if not transition.corrects or (page and known and page.chapter.completed is None):
            return False
        if page and known:
            page.moves[job_id] = _word(transition)
        self.told.append(transition)
        return True

    def _page(self, name: str, transition: Transition) -> _Page:
        page = self.pages.get(name)
        if page is None:
            page = _Page(_first_chapter(name, transition, self.now), self._options(name))
        elif page.chapter.completed is not None:
            page.settle()
            page = _Page(_next_chapter(page, transition, self.now), page.options)
        self.pages[name] = page
        return page

    def _count(self, page: _Page, transition: Transition) -> None:
        word = _word(transition)
        page.moves[transition.job.job_id] = word
        if transition.type in _TIMELY and transition.at > page.chapter.latest:
            page.note(latest=transition.at)
        array = page.chapter.array
        if page.options.tell_jobs:
            self.told.append(transition)
        elif array is None and transition.type == "job_stuck":
            self.told.append(transition)  # without its user, the collection never ends
        elif array is not None and transition.type in _ONCE and page.once(_once(transition)):
            self.told.append(_of_the_array(transition, array))
        if word in FAILURES and page.options.fail_at == "first" and page.once("failed"):
            self._tell(page, "collection_failed", self.now)

    def _tell(self, page: _Page, kind: str, at: float, mark: str = "") -> None:
        self.told.append(Tale(type=kind, chapter=page.chapter, at=at, mark=mark))

    def finish(self) -> tuple[dict[str, Chapter], list[Transition | Tale]]:
        """Return how it stands at the end of the look; only then all members are known."""
        for page in self.pages.values():
            page.settle()
            if page.chapter.completed is None:
                self._by_the_clock(page)
        chapters = {
            name: page.chapter for name, page in self.pages.items() if not self._is_old(page)
        }
        told = [
            one if isinstance(one, Transition) else self._whole(one)
            for one in self.told
            if isinstance(one, Transition) or not self._is_said_twice(one)
        ]
        return chapters, told

    def _is_said_twice(self, tale: Tale) -> bool:
        """A first failure is no news of its own when the end is told in the same breath."""
        completed = self.pages[tale.chapter.name].chapter.completed
        return tale.type == "collection_failed" and tale.mark == "" and completed == self.now

    def _is_old(self, page: _Page) -> bool:
        completed = page.chapter.completed
        return completed is not None and self.now - completed >= KEPT

    def _whole(self, tale: Tale) -> Tale:
        """Let a tale speak of all that the look has shown."""
        chapter = self.pages[tale.chapter.name].chapter
        if tale.type == "collection_progress":
            return dataclasses.replace(tale, chapter=chapter)
        words = chapter.ended.keys() if tale.mark else chapter.ended.keys() & FAILURES
        kinds = types_of(words)
        if tale.mark and chapter.failed:
            kinds = ("collection_failed", *kinds)
        return dataclasses.replace(tale, chapter=chapter, stands_for=kinds)

    def _by_the_clock(self, page: _Page) -> None:
        if _is_complete(page, self.now):
            page.note(completed=self.now)
            failed = page.options.fail_at == "end" and page.chapter.failed
            kind = "collection_failed" if failed else "collection_completed"
            # After a replay there may be more members: that is another end.
            self._tell(page, kind, page.chapter.latest, mark=f"end of {page.chapter.known}")
        elif OPEN in page.chapter.members:
            self._tell_progress(page)

    def _tell_progress(self, page: _Page) -> None:
        chapter, every = page.chapter, page.options.progress_every
        done, known = chapter.done, chapter.known
        shares = (one for one in page.options.progress if chapter.share_told < one)
        passed = max((one for one in shares if 100 * done >= one * known), default=0)
        changed = done != chapter.progress_done
        if not passed and not (every and changed and self.now - chapter.progress_at >= every):
            return
        page.note(
            share_told=max(passed, chapter.share_told),
            progress_at=self.now,
            progress_done=done,
            ticks=chapter.ticks + (not passed),
        )
        mark = str(passed) if passed else f"tick {page.chapter.ticks}"
        self._tell(page, "collection_progress", self.now, mark)


def _first_chapter(name: str, transition: Transition, now: float) -> Chapter:
    job = transition.job
    return Chapter(
        name=name,
        cluster=job.cluster,
        array=name.removeprefix(ARRAY) if name.startswith(ARRAY) else None,
        user=job.user,
        job_name=job.name,
        opened=transition.at,
        latest=transition.at,
        progress_at=now,
    )


def _next_chapter(page: _Page, transition: Transition, now: float) -> Chapter:
    old = page.chapter
    new = _first_chapter(old.name, transition, now)
    if old.array is None:
        return dataclasses.replace(new, number=old.number + 1)
    # An array stays what it is: a task that is put back is one of all, whose shares are told.
    return dataclasses.replace(
        new,
        number=old.number + 1,
        members=old.members,
        told=old.told - {"failed"},
        share_told=100,
        progress_done=old.done,
    )


def _word(transition: Transition) -> str:
    ran = transition.job.start_time is not None
    return outcome_of(transition.type, ran) or OPEN


def _once(transition: Transition) -> str:
    return f"{transition.type} {transition.mark}"


def _of_the_array(transition: Transition, array: str) -> Transition:
    job = dataclasses.replace(transition.job, job_id=array, array_task_id=None)
    return dataclasses.replace(transition, job=job)


def _is_complete(page: _Page, now: float) -> bool:
    chapter, options = page.chapter, page.options
    if OPEN in chapter.members or not chapter.members:
        return False
    bounded = chapter.array is not None or options.array is not None
    all_there = bool(options.jobs) and chapter.known >= len(options.jobs)
    return bounded or all_there or now - chapter.latest >= options.settle
