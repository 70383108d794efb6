"""Is the store sound? It is tried on a copy, and left as it is."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from notifyd.cli.checks.finding import Finding, State
from notifyd.cli.checks.store import FILE, check_damaged, in_use, judge, look_at, not_tried
from notifyd.clock import SystemClock
from notifyd.model import DeliveryState
from notifyd.outbox.ownership import Deed
from notifyd.outbox.records import Lease, Outcome
from notifyd.outbox.store import Outbox
from tests.cli.test_plain import CHANNEL, STATUS
from tests.cli.world import Receiver, World, webhook
from tests.fakes import a_delivery, owed

NOW = 1_000_100.0


async def _fill(folder: Path, host: str) -> None:
    outbox = Outbox(folder / FILE)
    await outbox.open()
    await outbox.add(owed(*(a_delivery(f"d{number}") for number in range(200))))
    (claim,) = await outbox.claim("team", Lease(owner="me", now=NOW, until=NOW + 60), 1)
    await outbox.settle([Outcome(claim=claim, state=DeliveryState.DEAD, at=NOW)])
    await outbox.close()
    if host:
        Deed(folder).renew(host, SystemClock().now(), "theirs")


def fill(folder: Path, host: str = "") -> Path:
    """Make a store with a dead letter, which a daemon of that host has used just now."""
    asyncio.run(_fill(folder, host))
    return folder / FILE


def found(findings: Iterable[Finding]) -> dict[str, tuple[State, str]]:
    """Return each state and text by name."""
    return {one.name: (one.state, f"{one.text} | {one.mend}") for one in findings}


def test_no_store_is_no_trouble(tmp_path: Path) -> None:
    """The first start makes it; looking does not."""
    assert found(look_at(tmp_path))["store"][0] is State.OK
    assert list(tmp_path.iterdir()) == []


def test_a_sound_store_is_left_as_it_is(tmp_path: Path) -> None:
    """Byte by byte, and nothing beside it; its dead letters are counted."""
    before = fill(tmp_path).read_bytes()

    assert found(look_at(tmp_path)) == {
        "store": (State.OK, "The store is sound (199 owed) | "),
        "dead-letters": (
            State.WARNING,
            "1 dead letter (team 1) | Start notifyd, then: notifyd dead list",
        ),
    }
    assert [one.name for one in tmp_path.iterdir()] == [FILE]
    assert (tmp_path / FILE).read_bytes() == before


def test_what_a_killed_daemon_left_is_looked_at_too(tmp_path: Path) -> None:
    """The last that it wrote lies in a file beside the store."""
    file = fill(tmp_path)
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("DELETE FROM deliveries WHERE state = 'pending'")
        connection.commit()
        findings = found(look_at(tmp_path))
    connection.close()

    assert findings["store"] == (State.OK, "The store is sound (0 owed) | ")


def test_a_damaged_store_fails_with_what_can_be_saved(tmp_path: Path) -> None:
    """Looking saves nothing yet: the next start does."""
    file = fill(tmp_path)
    content = bytearray(file.read_bytes())
    content[8192:20480] = b"\xff" * 12288
    file.write_bytes(content)
    state, text = found(look_at(tmp_path))["store"]

    assert state is State.FAILED
    assert "The store is damaged; " in text
    assert "Start notifyd: it saves them" in text
    assert [one.name for one in tmp_path.iterdir()] == [FILE]
    assert file.read_bytes() == content


def test_a_newer_store_fails_with_its_own_name(tmp_path: Path) -> None:
    """Not with that of the copy."""
    file = fill(tmp_path)
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    state, text = found(look_at(tmp_path))["store"]

    assert state is State.FAILED
    assert text.startswith(f"{file} was written by a newer notifyd")


def test_a_store_of_another_machine_is_left_alone(tmp_path: Path) -> None:
    """On a shared home the daemon may run elsewhere: there it can be asked."""
    fill(tmp_path, host="login2")

    state, text = found(look_at(tmp_path))["store"]
    assert state is State.WARNING
    assert "A daemon on login2 uses the store" in text


def test_who_writes_meanwhile_may_be_this_machines_own_daemon() -> None:
    """Nobody is blamed who is not known."""
    finding = in_use()

    assert "machine" not in finding.text
    assert "$XDG_RUNTIME_DIR" in (finding.mend or "")


def test_what_cannot_be_copied_is_named(tmp_path: Path) -> None:
    """And more room is no help."""
    fill(tmp_path)
    (tmp_path / f"{FILE}-wal").mkdir()
    state, text = found(look_at(tmp_path))["store"]

    assert state is State.WARNING
    assert f"could not be tried: {tmp_path / FILE}-wal: Is a directory" in text
    assert f"See that you can read {tmp_path}" in text
    assert "room" not in text


def test_a_full_disk_needs_room(tmp_path: Path) -> None:
    """Or another folder for the copy."""
    finding = not_tried(OSError(errno.ENOSPC, "No space left on device"), tmp_path)

    assert finding.text == "The store could not be tried: No space left on device"
    assert finding.mend == "Make room for a copy of it, or name another folder in $TMPDIR."


def test_what_was_put_aside_is_a_warning(tmp_path: Path) -> None:
    """With the command that removes all of it."""
    assert found(check_damaged(tmp_path)) == {}
    for end in ("damaged-1", "damaged-1-wal"):
        (tmp_path / f"{FILE}.{end}").touch()
    state, text = found(check_damaged(tmp_path))["store-damaged"]

    assert state is State.WARNING
    assert text.endswith(f"rm {tmp_path}/{FILE}.damaged-1 {tmp_path}/{FILE}.damaged-1-wal")


@pytest.mark.parametrize(
    ("change", "name", "state", "words"),
    [
        ({}, "store", State.OK, "works"),
        ({"store": {"trouble": "full", "dead": {}}}, "store", State.FAILED, "its store: full"),
        (
            {"store": {"trouble": None, "dead": {"team": 2, "mail": 1}}},
            "dead-letters",
            State.WARNING,
            "3 dead letters (team 2, mail 1) | notifyd dead list",
        ),
        (
            {"channels": [CHANNEL | {"refusal": "no such hook"}]},
            "refused:team",
            State.WARNING,
            "no such hook | After mending: notifyd reload",
        ),
    ],
)
def test_a_running_daemon_is_believed(
    change: dict[str, Any], name: str, state: State, words: str
) -> None:
    """What it says of its store, its dead letters and its channels."""
    findings = found(judge(STATUS | change))

    assert findings[name][0] is state
    assert words in findings[name][1]


async def test_doctor_looks_at_the_store(world: World, receiver: Receiver) -> None:
    """While a daemon runs, and after it."""
    receiver.status = 409
    async with world.daemon(webhook(receiver)):
        await world.run("send", "hello", "--channel", "team")
        await world.ended()
        running = await world.run("doctor", "--no-send")
    after = await world.run("doctor", "--no-send")

    assert "✔ The daemon's store works" in running.out
    assert "! 1 dead letter (team 1)\n    notifyd dead list\n" in running.out
    assert "✔ The store is sound (0 owed)" in after.out
    assert "! 1 dead letter (team 1)\n    Start notifyd, then: notifyd dead list\n" in after.out
