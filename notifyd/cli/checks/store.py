"""Is the store sound, and does all that it owes find its way?"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from notifyd.cli import text
from notifyd.cli.checks.finding import Finding, failed, ok, warning
from notifyd.client import Json
from notifyd.clock import SystemClock
from notifyd.outbox.errors import OutboxError
from notifyd.outbox.ownership import Deed
from notifyd.outbox.store import Outbox

FILE = "outbox.sqlite"


def judge(status: Json) -> Iterator[Finding]:
    """Yield what a running daemon says of its store."""
    store = status["store"]
    if store["trouble"]:
        mend = "Make room there, or see to that file system; notifyd goes on by itself."
        yield failed("store", f"The daemon cannot use its store: {store['trouble']}", mend)
    else:
        yield ok("store", "The daemon's store works")
    yield from check_dead(store["dead"], "notifyd dead list")
    for channel in status["channels"]:
        if channel["refusal"]:
            name = channel["name"]
            words = f"Channel {name} takes nothing until it is mended: {channel['refusal']}"
            yield warning(f"refused:{name}", words, "After mending: notifyd reload")


def look_at(folder: Path) -> Iterator[Finding]:
    """Yield what the next daemon would find. Nothing is changed: it is tried on a copy."""
    file = folder / FILE
    if not file.exists():
        yield ok("store", "The store will be made at the first start")
    elif not os.access(file, os.R_OK | os.W_OK):
        yield failed("store", f"{file} cannot be read and written", f"chmod u+rw {file}")
    else:
        yield from _rehearse(file)


def check_damaged(folder: Path) -> Iterator[Finding]:
    """Yield a warning when damaged stores were put aside."""
    aside = sorted(folder.glob(f"{FILE}.damaged-*"))
    if aside:
        kept = " ".join(map(str, aside))
        mend = (
            f"Keep it for whoever looks into the cause. When nobody needs it any more:\nrm {kept}"
        )
        words = f"The store was damaged once, and what could be read was saved; kept: {aside[0]}"
        yield warning("store-damaged", words, mend)


def check_dead(counts: Mapping[str, int], mend: str) -> Iterator[Finding]:
    """Yield a warning when something was given up."""
    if counts:
        each = ", ".join(f"{name} {number}" for name, number in counts.items())
        words = f"{text.count(sum(counts.values()), 'dead letter')} ({each})"
        yield warning("dead-letters", words, mend)


def _rehearse(file: Path) -> Iterator[Finding]:
    try:
        owner = Deed(file.parent).other_owner(socket.gethostname(), SystemClock().now())
        if owner is not None:
            yield in_use(owner.host)
            return
        with tempfile.TemporaryDirectory(prefix="notifyd-") as folder:
            copy = Path(folder) / FILE
            before = _stamps(file)
            for one, _ in before:
                shutil.copyfile(one, copy.with_name(one.name))
            if _stamps(file) != before:
                yield in_use()
                return
            yield from asyncio.run(_opened(copy, file))
    except OSError as error:
        yield not_tried(error, file.parent)


async def _opened(copy: Path, file: Path) -> list[Finding]:
    outbox = Outbox(copy)
    try:
        recovered = await outbox.open(thorough=True)
        owed = sum(one.pending for one in (await outbox.backlog()).values())
        dead = await outbox.dead_counts()
    except OutboxError as error:
        words = str(error).replace(str(copy), str(file))
        return [failed("store", words, "Mend what it says, or move it away to start anew.")]
    finally:
        await outbox.close()
    if recovered is not None:
        words = f"The store is damaged; {recovered.rows} of its deliveries can be saved"
        mend = "Start notifyd: it saves them, and keeps the damaged file beside the new one."
        return [failed("store", words, mend)]
    sound = ok("store", f"The store is sound ({owed} owed)")
    return [sound, *check_dead(dead, "Start notifyd, then: notifyd dead list")]


def in_use(host: str | None = None) -> Finding:
    """Return that a daemon uses the store; without a host it may be any machine, this one too."""
    if host is not None:
        words = f"A daemon on {host} uses the store: it was left alone"
        return warning("store", words, "Run `notifyd doctor` there.")
    mend = (
        "If it is a daemon of yours that answers elsewhere, run `notifyd doctor` on its\n"
        "machine, with its $XDG_RUNTIME_DIR. Otherwise try again."
    )
    return warning("store", "The store was written to just now: it was left alone", mend)


def not_tried(error: OSError, folder: Path) -> Finding:
    """Return why the store could not be tried on a copy."""
    mend = f"See that you can read {folder}, and write into $TMPDIR."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        mend = "Make room for a copy of it, or name another folder in $TMPDIR."
    where = f"{error.filename}: " if error.filename else ""
    return warning("store", f"The store could not be tried: {where}{error.strerror}", mend)


def _stamps(file: Path) -> list[tuple[Path, tuple[int, int]]]:
    """Return the files of the store, and what changes when somebody writes to them."""
    files = (one for one in (file, file.with_name(f"{file.name}-wal")) if one.exists())
    return [(one, (status.st_size, status.st_mtime_ns)) for one in files for status in [one.stat()]]
