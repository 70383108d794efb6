"""What holds for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# Speed is measured by benchmarks: on a busy machine a deadline fails what is right.
settings.register_profile("notifyd", deadline=None)
settings.load_profile("notifyd")

_LIVE = Path(__file__).parent / "live"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run side by side, all that share the one Slurm follow one another.

    They come first, for they take long and mostly wait; of the others each file stays together.
    """
    items.sort(key=lambda item: item.path.parent != _LIVE)
    for item in items:
        lane = _LIVE if item.path.parent == _LIVE else item.path
        item.add_marker(pytest.mark.xdist_group(str(lane)))
