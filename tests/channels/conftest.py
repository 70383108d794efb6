"""Real parts for the channels: a transport, a clock turned by hand, a web service."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from notifyd.channels.registry import Tools
from notifyd.channels.transport import Transport
from tests.channels.parts import Sink, running_sink
from tests.fakes import FakeClock


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with running_sink() as sink:
        yield sink


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with Transport() as transport:
        yield transport


@pytest.fixture
def written() -> list[str]:
    return []


@pytest.fixture
def tools(transport: Transport, written: list[str]) -> Tools:
    return Tools(transport=transport, clock=FakeClock(1_614_265_330.0), write=written.append)
