"""The SQLite file keeps what every store has to keep."""

from __future__ import annotations

from tests.outbox.contract.archive import ArchiveContract
from tests.outbox.contract.folding import FoldContract
from tests.outbox.contract.leases import LeaseContract
from tests.outbox.contract.notebook import NotebookContract
from tests.outbox.contract.queue import QueueContract


class TestQueue(QueueContract):
    """In, out, and in which order."""


class TestLeases(LeaseContract):
    """Who has it, and what becomes of it."""


class TestFolding(FoldContract):
    """Several in one message."""


class TestArchive(ArchiveContract):
    """What became of it."""


class TestNotebook(NotebookContract):
    """What is remembered besides."""
