"""What holds for all tests."""

from __future__ import annotations

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# Speed is measured by benchmarks: on a busy machine a deadline fails what is right.
settings.register_profile("notifyd", deadline=None)
settings.load_profile("notifyd")

_LIVE = "tests/live/"


class Lanes(LoadScopeScheduling):  # type: ignore[misc]
    """Where tests run side by side, all that share the one Slurm follow one another.

    Of the others each file stays together. xdist's own groups are lost under pytest 9.2:
    https://github.com/pytest-dev/pytest-xdist/issues/1386
    """

    def _split_scope(self, nodeid: str) -> str:
        return _LIVE if nodeid.startswith(_LIVE) else nodeid.split("::", 1)[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Lanes:
    return Lanes(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long and mostly waits comes first."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LIVE))
