"""However much there is, every statement finds its rows by an index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from notifyd.outbox.database import open_database
from notifyd.outbox.statements import FILES, load_statements, text_of

STATEMENTS = load_statements()
WALKS = {
    "history": "SCAN deliveries",  # backwards, until it has so many
    "dead_letters": "SCAN deliveries USING INDEX dead",
    "find_dead": "SCAN deliveries USING COVERING INDEX dead",
    "dead_counts": "SCAN deliveries USING COVERING INDEX dead",
    "backlog": "SCAN deliveries USING COVERING INDEX lanes",
}
"""Those that are asked for all that an index has, or for the last of all."""
HANDED_IN = re.compile(r"\(subquery|json_each|outcomes|CONSTANT ROW")
"""What is walked because it is what the statement is for: the values that came with it."""
SORTED = {"folded_types", "dead_counts"}
"""Those that sort: only what they return."""


def plan(name: str) -> list[str]:
    """Return how SQLite finds the rows of a statement."""
    connection, _ = open_database(Path(":memory:"))
    values = dict.fromkeys(re.findall(r":(\w+)", STATEMENTS[name]), 1)
    rows = connection.execute(f"EXPLAIN QUERY PLAN {STATEMENTS[name]}", values).fetchall()
    connection.close()
    return [row["detail"] for row in rows]


@pytest.mark.parametrize("name", STATEMENTS)
def test_rows_are_found_by_an_index(name: str) -> None:
    """Nothing reads a whole table but what is asked for all of it."""
    walks = [line for line in plan(name) if line.startswith("SCAN") and not HANDED_IN.search(line)]

    assert walks == ([WALKS[name]] if name in WALKS else [])


@pytest.mark.parametrize("name", STATEMENTS)
def test_nothing_is_sorted_to_find_the_first(name: str) -> None:
    """An index has the order in which rows are asked for."""
    assert any("TEMP B-TREE" in line for line in plan(name)) == (name in SORTED)


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("ready", "ready (channel=?)"),
        ("next_due", "due (channel=?)"),
        ("hasten", "due (channel=? AND due>?)"),
        ("expired", "expiring (channel=? AND expires<?)"),
        ("release_expired", "leases (channel=? AND leased_until<?)"),
        ("next_heads", "lanes (channel=? AND lane=?)"),
        ("pull_forward", "lanes (channel=? AND lane=? AND seq>? AND seq<?)"),
        ("fold_by_group", "lanes (channel=? AND lane=? AND seq<?)"),
        ("alike", "alike (channel=? AND fingerprint=? AND created>?)"),
        ("purge", "finished (finished<?)"),
    ],
)
def test_the_hot_path_uses_its_own_index(name: str, index: str) -> None:
    """The one that was made for it, whatever SQLite's planner thinks of the others."""
    assert any(line.endswith(f"INDEX {index}") for line in plan(name)), plan(name)


def test_every_statement_has_a_name_of_its_own() -> None:
    """And ends."""
    named = sum(text_of(file).count("-- name: ") for file in FILES)
    assert len(STATEMENTS) == named > 40
    assert all(text.endswith(";") for text in STATEMENTS.values())
