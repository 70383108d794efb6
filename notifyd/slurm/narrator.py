"""Makes events of transitions: collections as one story, ends with their figures, much as one.

What it has told of the collections moves on only when the poller says that it is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from notifyd.clock import Clock
from notifyd.model import Event, Job
from notifyd.slurm.client import Site
from notifyd.slurm.collections.chapter import Chapter, Tale, dump, load, sizes
from notifyd.slurm.collections.chapters import fold
from notifyd.slurm.collections.membership import Membership, array_sizes
from notifyd.slurm.collections.tale import tale_event
from notifyd.slurm.details.gatherer import Data, Gatherer
from notifyd.slurm.digest import Folding, fold_late
from notifyd.slurm.inquiry import MOST_DETAILS, Inquiry
from notifyd.slurm.settings import SlurmSettings
from notifyd.slurm.states import END_EVENTS
from notifyd.slurm.story import to_event
from notifyd.slurm.tables.accounting import Entry
from notifyd.slurm.tables.queue import RunKey, key_of
from notifyd.slurm.tracker.look import Look, Transition

_ENDS = frozenset(END_EVENTS.values())
_CHAPTER = "collection "


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """The events of one look, and what is to be stored once they are owed."""

    events: Sequence[Event]
    chapters: Mapping[str, Chapter] = field(default_factory=dict)
    changes: Mapping[str, str | None] = field(default_factory=dict)


class Narrator:
    """One cluster's teller. It asks accounting for figures, and reads output, if it is to."""

    def __init__(
        self, settings: SlurmSettings, inquiry: Inquiry, gatherer: Gatherer, clock: Clock
    ) -> None:
        self._settings = settings
        self._inquiry = inquiry
        self._gatherer = gatherer
        self._clock = clock
        self._stored: Mapping[str, Chapter] = {}
        self.chapters: Mapping[str, Chapter] = {}

    def remember(self, stored: Mapping[str, str]) -> None:
        """Take up what an earlier daemon has stored of the collections."""
        self._stored = self.chapters = {
            name.removeprefix(_CHAPTER): load(text)
            for name, text in stored.items()
            if name.startswith(_CHAPTER)
        }

    def collection_of(self, look: Look) -> Callable[[Job], str | None]:
        """Return what names the collection of a job that this look shows."""
        return self.membership([*look.jobs, *look.records]).collection_of

    def membership(self, jobs: Iterable[Job] = ()) -> Membership:
        """Return what tells the collection of a job, when these are in sight."""
        return Membership(
            collections=self._settings.collections,
            array_task_events=self._settings.array_task_events,
            sizes=array_sizes(jobs, sizes(self.chapters.values())),
            many_users=len(self._settings.user_names()) != 1,
        )

    def know(self, transitions: Sequence[Transition], now: float) -> None:
        """Count what was there before anybody watched it. Nothing is told of it."""
        # Only what they belong to: of all others, what is due is still to be told.
        names = {transition.collection for transition in transitions}
        concerned = {name: one for name, one in self.chapters.items() if name in names}
        counted, _ = fold(concerned, transitions, self._settings.collections, now)
        self.chapters = {**self.chapters, **counted}

    async def tell(
        self, site: Site, transitions: Sequence[Transition], entries: Sequence[Entry]
    ) -> Telling:
        """Return what is to be told of these transitions, in order."""
        now = self._clock.now()
        chapters, tales = fold(self.chapters, transitions, self._settings.collections, now)
        ends = [one for one in tales if isinstance(one, Transition) and one.type in _ENDS]
        found = await self._more(site, [one.job for one in ends], entries)
        events = [
            tale_event(one)
            if isinstance(one, Tale)
            else to_event(one, found.get(key_of(one.job)) if one.type in _ENDS else None)
            for one in tales
        ]
        folding = Folding(most=self._settings.digest_after, now=now)
        changes = self._changes(chapters)
        return Telling(events=fold_late(events, folding), chapters=chapters, changes=changes)

    async def _more(
        self, site: Site, ended: Sequence[Job], entries: Sequence[Entry]
    ) -> dict[RunKey, Data]:
        if not ended or len(ended) > MOST_DETAILS:
            return {}  # nobody reads so many one by one
        asked = ended if self._settings.details else ()
        known = await self._inquiry.details(site, asked, entries)
        return await self._gatherer.gather(ended, known)

    def stored(self, telling: Telling) -> None:
        """Move on: what was told is owed now, and is not told again."""
        self._stored = self.chapters = telling.chapters

    def _changes(self, chapters: Mapping[str, Chapter]) -> dict[str, str | None]:
        old = self._stored
        changes: dict[str, str | None] = {
            _CHAPTER + name: dump(one) for name, one in chapters.items() if one != old.get(name)
        }
        return changes | {_CHAPTER + name: None for name in old if name not in chapters}
