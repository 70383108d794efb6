"""Worlds and receivers for the commands' tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.cli.world import Receiver, World


@pytest.fixture
def world() -> Iterator[World]:
    """A machine with a Slurm without jobs, and without systemd."""
    # Not tmp_path: the name of a socket may have 107 bytes (unix(7)).
    folder = Path(tempfile.mkdtemp(prefix="n-", dir="/tmp"))
    made = World(folder)
    made.has_slurm()
    yield made
    shutil.rmtree(folder)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A web service on this machine."""
    async with Receiver().serving() as serving:
        yield serving
