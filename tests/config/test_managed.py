"""What commands set lands in a file of its own, whole, and beside what people wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifyd.config.load import load
from notifyd.config.managed import Managed, ManagedError, with_collection


def test_a_collection_that_was_set_is_in_the_configuration(tmp_path: Path) -> None:
    """The file is like any other of conf.d; what stands in the configuration stays."""
    config = tmp_path / "config.yaml"
    config.write_text("slurm:\n  collections:\n    mine: {name: a*}\n")
    managed = Managed(config)
    managed.write(with_collection(managed.text(), "paper", {"jobs": ["4711", "12"]}))
    managed.write(with_collection(managed.text(), "other", {"account": "physics"}))

    collections = load(config, {}).slurm.collections
    assert collections["paper"].jobs == ("4711", "12")
    assert set(collections) == {"mine", "paper", "other"}
    managed.write(with_collection(managed.text(), "paper", None))
    assert set(load(config, {}).slurm.collections) == {"mine", "other"}


def test_removing_what_is_not_there_is_no_trouble() -> None:
    """And leaves nothing behind that could not be read."""
    assert with_collection(None, "x", None).endswith("collections: {}\n")


@pytest.mark.parametrize("text", ["- a\n", "slurm: 3\n", "slurm: {collections: [a]}\n", "a: [\n"])
def test_a_file_that_somebody_else_wrote_is_not_overwritten(text: str) -> None:
    """It says so instead."""
    with pytest.raises(ManagedError, match="mend or remove"):
        with_collection(text, "x", {})


def test_the_file_is_private_and_whole(tmp_path: Path) -> None:
    """Nobody else reads it, and nothing half-written is left."""
    managed = Managed(tmp_path / "config.yaml")
    managed.write("x: 1\n")
    (path,) = (tmp_path / "conf.d").iterdir()
    assert path.name == "managed.yaml"
    assert path.stat().st_mode & 0o777 == 0o600
    managed.write(None)
    assert managed.text() is None
