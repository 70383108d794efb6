"""A real store for workers to send from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from notifyd.outbox.store import Outbox


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    store = Outbox(tmp_path / "outbox.sqlite")
    await store.open()
    yield store
    await store.close()
