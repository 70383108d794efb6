"""A control socket that is served."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from notifyd.control.server import serve
from tests.control.parts import Control, FakeActions


@pytest.fixture
async def control() -> AsyncIterator[Control]:
    folder = Path(tempfile.mkdtemp(prefix="n-", dir="/tmp"))
    made = Control(folder / "control.sock", FakeActions())
    async with serve(made.actions, made.path):
        yield made
    shutil.rmtree(folder)
