"""A real Slurm, an ordinary user, and real servers that receive what the daemon tells."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.live.cluster import Cluster, User
from tests.live.receivers import MailServer, WebServer


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The private cluster that deploy/test.sh has started. Without it the test fails."""
    folder = os.environ.get("NOTIFYD_TEST_SLURM_DIR")
    if not folder:
        pytest.fail("no Slurm to test with: run `sh deploy/test.sh`, or leave out -m system")
    return Cluster(Path(folder))


@pytest.fixture
def alice(cluster: Cluster, tmp_path: Path) -> Iterator[User]:
    """An ordinary user, whose jobs of earlier tests are gone when the next begins."""
    user = User("notifyd-alice", cluster)
    user.cancel_all()
    yield user
    user.end_daemons()
    user.cancel_all()
    user.remove_home()


@pytest.fixture
async def web() -> AsyncIterator[WebServer]:
    async with WebServer().serving() as server:
        yield server


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    async with MailServer() as server:
        yield server
