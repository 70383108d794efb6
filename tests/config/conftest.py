"""Fixtures of the config room's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.samples import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Return an empty configuration folder."""
    return Folder(tmp_path)
