"""A home for each test, and the figures of all of them at the end of the run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.daemon import Home, a_home
from tests.faults.table import Table

_TABLE = pytest.StashKey[Table]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TABLE] = Table()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, whether the rules held or not."""
    table = terminalreporter.config.stash.get(_TABLE, Table())
    if table.rows:
        terminalreporter.section("faults")
        for line in table.lines():
            terminalreporter.write_line(line)


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Table:
    return request.config.stash[_TABLE]


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    async with a_home(tmp_path / "home") as home:
        yield home
