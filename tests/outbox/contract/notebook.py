"""Notes and watches last over a restart."""

from __future__ import annotations

from notifyd.outbox.protocols import Store
from tests.outbox.parts import Reopen


class NotebookContract:
    """What is remembered besides what is owed."""

    async def test_a_note_lasts(self, store: Store, reopen: Reopen) -> None:
        """The last text under a name counts."""
        assert await store.note("mutes") is None
        await store.write_note("mutes", "one")
        await store.write_note("mutes", "two\0🙂")
        store = await reopen()

        assert await store.note("mutes") == "two\0🙂"

    async def test_a_watch_is_known_by_its_changes(self, store: Store, reopen: Reopen) -> None:
        """None forgets a text; watches do not see each other."""
        await store.save_watch("demo", {"job 1": "runs", "job 2": "waits"})
        await store.save_watch("demo", {"job 1": "ended", "job 2": None, "job 3": None})
        await store.save_watch("other", {})
        store = await reopen()

        assert await store.load_watch("demo") == {"job 1": "ended"}
        assert await store.load_watch("other") == {}
