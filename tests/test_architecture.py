"""The house rules: imports run one way, and what is done in one place is done only there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter import cli

PACKAGE = Path(__file__).parent.parent / "notifyd"
SOURCES = {
    str(path.relative_to(PACKAGE)): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")
}

ONLY_HERE = {
    "time is told and waited for": (
        r"\btime\.(time|monotonic|sleep|perf_counter)\(|asyncio\.sleep\(|datetime\.now\(",
        {"clock.py", "cli/status.py"},
    ),
    "there is SQL": (
        r"\bimport sqlite3\b|\bINSERT INTO\b",
        {"outbox/"},
    ),
    "connections are opened": (
        r"aiohttp\.(ClientSession|TCPConnector)|\b(import|from) (aiosmtplib|dbus_fast|smtplib)\b",
        {"channels/transport/"},
    ),
    "processes are started": (
        r"create_subprocess_|\bsubprocess\.(run|Popen|check_)",
        # Slurm's only in the first; the others start systemctl, and a reader of one's own output.
        {"slurm/client.py", "cli/systemctl.py", "slurm/details/tail.py"},
    ),
    "tasks are born": (r"create_task\(|ensure_future\(", {"daemon.py", "delivery/worker.py"}),
}


def test_imports_run_one_way() -> None:
    """The layers in pyproject.toml hold, without a cycle and without an exception."""
    assert cli.lint_imports(config_filename=str(PACKAGE.parent / "pyproject.toml")) == 0


@pytest.mark.parametrize("what", ONLY_HERE)
def test_only_here(what: str) -> None:
    """What belongs into one room is done in no other."""
    pattern, allowed = ONLY_HERE[what]
    found = {name for name, source in SOURCES.items() if re.search(pattern, source)}

    outside = {name for name in found if not name.startswith(tuple(allowed))}
    assert not outside, f"{what} outside {sorted(allowed)}"
    assert found, f"the pattern for where {what} matches nothing any more"


def test_the_client_imports_the_standard_library_alone() -> None:
    """A training script pays nothing for the Python client."""
    assert set(_imported("client.py")) <= {
        "__future__",
        "http",
        "json",
        "socket",
        "typing",
        "urllib",
    }


def test_the_status_command_starts_quickly() -> None:
    """What `notifyd status` imports is click and the standard library."""
    for name in ("cli/main.py", "cli/context.py", "cli/status.py", "cli/text.py", "paths.py"):
        heavy = {"pydantic", "aiohttp", "rich", "jinja2", "yaml", "structlog"}
        assert not heavy & set(_imported(name)), name


def _imported(name: str) -> Iterator[str]:
    """Yield the top-level packages that a module imports when it is loaded."""
    for node in ast.parse(SOURCES[name]).body:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]
