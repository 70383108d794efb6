"""Login nodes with RHEL 8 have SQLite 3.26; nothing here may need a newer one than 3.24."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from notifyd.outbox import statements
from notifyd.outbox.statements import text_of

SQL = Path(statements.__file__).parent / "sql"
TEXTS = sorted(str(path.relative_to(SQL)) for path in SQL.rglob("*.sql"))
NEWER = {
    "3.25": r"\bOVER\b|\bWINDOW\b|\bRENAME COLUMN\b",
    "3.27": r"\bVACUUM INTO\b",
    "3.30": r"\bNULLS (FIRST|LAST)\b|\bFILTER\b",
    "3.31": r"\bGENERATED\b",
    "3.32": r"\biif *\(",
    "3.33": r"\bUPDATE (?!SET\b)[^;]*\bFROM\b",
    "3.35": r"\bRETURNING\b|\bMATERIALIZED\b|\bDROP COLUMN\b|\b(ceil|floor|sqrt|pow|log) *\(",
    "3.37": r"\bSTRICT\b|\bANY\b",
    "3.38": r"->|\b(unixepoch|format) *\(",
    "3.39": r"\b(RIGHT|FULL) (OUTER )?JOIN\b|\bIS (NOT )?DISTINCT\b",
}
INNERMOST = re.compile(r"\([^()]*\)")


def plain(text: str, flat: bool) -> str:
    """Return statements without comments and texts; flat ones without what is in brackets too."""
    text = re.sub(r"--[^\n]*|'[^']*'", " ", text)
    while flat and INNERMOST.search(text):
        text = INNERMOST.sub(" ", text)
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("file", TEXTS)
@pytest.mark.parametrize("version", NEWER)
def test_nothing_needs_a_newer_sqlite(file: str, version: str) -> None:
    """Also where the one that runs the tests would take it."""
    text = plain(text_of(file), flat=version == "3.33")

    assert not (found := re.search(NEWER[version], text, re.IGNORECASE)), found


@pytest.mark.parametrize(
    ("version", "text"),
    [
        ("3.33", "UPDATE a SET x = y FROM b"),
        ("3.35", "DELETE FROM a RETURNING x"),
        ("3.37", "CREATE TABLE a (b) STRICT"),
        ("3.38", "SELECT a ->> 'b' FROM c"),
    ],
)
def test_what_is_newer_is_seen(version: str, text: str) -> None:
    """A rule that finds nothing must be able to."""
    assert re.search(NEWER[version], plain(text, flat=False), re.IGNORECASE)
