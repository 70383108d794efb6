"""Whatever is written, a configuration is settings or a ConfigError."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from notifyd.channels.registry import KINDS
from notifyd.config.load import load
from notifyd.config.problems import ConfigError
from notifyd.config.schema import Config

Yaml = object
keys = (
    "slurm channels templates type events to headers retry interval webhook_url webhook_url_file "
    "url host password_credential from enabled secret users port security job_failed ${HOME} ${ a:b"
)
words = st.sampled_from([*keys.split(), *KINDS])
scalars = words | st.text() | st.integers() | st.floats() | st.booleans() | st.none()
documents: st.SearchStrategy[Yaml] = st.recursive(
    scalars,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(words, below, max_size=5),
    max_leaves=12,
)
channels: st.SearchStrategy[Yaml] = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(KINDS))},
    optional={
        key: documents
        for settings in (kind.settings for kind in KINDS.values())
        for name, field in settings.model_fields.items()
        if (key := field.alias or name) != "type"
    },
)


def outcome(data: bytes) -> Config | ConfigError:
    """Load a file of these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.yaml")
        path.write_bytes(data)
        path.chmod(0o600)
        try:
            return load(path, {"HOME": "/nowhere"})
        except ConfigError as error:
            return error


def check(data: bytes) -> None:
    """Assert that the outcome is settings, or problems that can be printed."""
    found = outcome(data)
    if isinstance(found, ConfigError):
        assert found.problems
        assert all(str(problem).isprintable() for problem in found.problems)
    else:
        assert repr(found)


@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    """Even those that are no text."""
    check(data)


@given(documents)
def test_any_document(document: Yaml) -> None:
    """Even where every word is in the wrong place."""
    check(yaml.safe_dump(document, allow_unicode=True).encode("utf-8", "replace"))


@given(st.dictionaries(st.text(max_size=5), channels, max_size=3))
def test_any_channel(found: dict[str, Yaml]) -> None:
    """Whatever stands in the settings of a kind, no validator fails in an unforeseen way."""
    check(yaml.safe_dump({"channels": found}).encode("utf-8", "replace"))
