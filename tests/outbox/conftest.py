"""A real store in a folder of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from notifyd.outbox.protocols import Store
from notifyd.outbox.store import Outbox
from tests.outbox.parts import Reopen

pytest.register_assert_rewrite("tests.outbox.contract")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.sqlite"


@pytest.fixture
async def outbox(path: Path) -> AsyncIterator[Outbox]:
    store = Outbox(path)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def store(outbox: Outbox) -> Store:
    return outbox


@pytest.fixture
async def reopen(outbox: Outbox) -> AsyncIterator[Reopen]:
    async with AsyncExitStack() as stack:

        async def next_daemon() -> Store:
            await outbox.close()
            store = Outbox(outbox.path)
            await store.open()
            stack.push_async_callback(store.close)
            return store

        yield next_daemon
