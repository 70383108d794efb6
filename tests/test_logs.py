"""Standard error and standard output: for people on a terminal, for programs elsewhere."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import select
import subprocess
import sys
import threading

import pytest

from notifyd.channels.console import Console
from notifyd.channels.failures import TemporaryFailure
from tests.channels.parts import delivery_of

CANARY = "c4n4ry"
SCRIPT = """
import logging, os, structlog
from notifyd.logs import set_up_logs

def fail():
    secret = os.environ["SECRET"]
    raise ZeroDivisionError("it is\\nbroken")

set_up_logs(os.environ, os.environ.get("LEVEL", "info"))
log = structlog.get_logger("test").bind(channel="team")
log.info("began", job="4711")
log.debug("a_detail")
try:
    fail()
except ZeroDivisionError:
    log.exception("it_broke")
    logging.getLogger("library").exception("two\\nlines")
logging.getLogger("library").info("chatter")
"""
COMMAND = (sys.executable, "-c", SCRIPT)


def environ(**changes: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"TERM": "xterm", "LC_ALL": "C.UTF-8", "SECRET": CANARY} | changes


def on_a_terminal(**changes: str) -> str:
    """Return what the script shows on a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(COMMAND, stderr=theirs, env=environ(**changes)) as process:
        os.close(theirs)
        shown = _all_of(ours)
    os.close(ours)
    assert process.returncode == 0
    return shown.decode()


def _all_of(terminal: int) -> bytes:
    shown = b""
    while select.select([terminal], [], [], 20)[0]:
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # EIO: nobody writes to it any more
            return shown
    raise AssertionError(f"it does not end; so far it said {shown!r}")


def elsewhere(**changes: str) -> str:
    """Return what the script writes into a pipe."""
    done = subprocess.run(
        COMMAND, check=True, stderr=subprocess.PIPE, text=True, timeout=20, env=environ(**changes)
    )
    return done.stderr


def test_a_terminal_shows_no_secret_that_a_variable_holds() -> None:
    """A traceback names the place, not what the variables there hold: webhook addresses."""
    shown = on_a_terminal()

    assert shown.count("ZeroDivisionError") == 2, "ours, and the library's"
    assert "in fail" in shown
    assert CANARY not in shown


def test_a_terminal_shows_colours_unless_they_are_unwanted() -> None:
    """NO_COLOR, where it is not empty (https://no-color.org)."""
    assert "\x1b[" in on_a_terminal()
    assert "\x1b[" in on_a_terminal(NO_COLOR="")
    plain = on_a_terminal(NO_COLOR="1")

    assert "\x1b" not in plain
    assert "began" in plain
    assert "4711" in plain


def test_elsewhere_each_line_is_json() -> None:
    """Also where an exception, or a library's message, has lines of its own."""
    written = elsewhere()
    began, ours, theirs = (json.loads(line) for line in written.splitlines())

    assert (began["event"], began["level"]) == ("began", "info")
    assert (began["job"], began["channel"]) == ("4711", "team")
    assert began["timestamp"].endswith("Z")
    assert (ours["event"], theirs["event"]) == ("it_broke", "two\nlines")
    assert all("ZeroDivisionError: it is\nbroken" in one["exception"] for one in (ours, theirs))
    assert CANARY not in written


def test_the_level_decides_what_is_written() -> None:
    """`debug` shows more, `warning` less; a library's chatter never shows."""

    def events(level: str) -> list[str]:
        return [json.loads(line)["event"] for line in elsewhere(LEVEL=level).splitlines()]

    assert events("debug") == ["began", "a_detail", "it_broke", "two\nlines"]
    assert events("warning") == ["it_broke", "two\nlines"]


async def test_a_terminal_that_is_held_stops_nothing_but_its_channel() -> None:
    """Ctrl-S, or a pipe that nobody empties: the message fails in time, the loop goes on."""
    loop = asyncio.get_running_loop()
    begun, let_go = asyncio.Event(), threading.Event()
    written: list[str] = []

    def write(text: str) -> None:
        loop.call_soon_threadsafe(begun.set)
        let_go.wait(20)
        written.append(text)

    console = Console(write, coloured=False, within=0.3)
    try:
        async with asyncio.timeout(10):
            sending = asyncio.create_task(console.send(delivery_of(title="first")))
            await begun.wait()
            assert not sending.done(), "the loop runs while the write hangs"
            with pytest.raises(TemporaryFailure, match=r"took no text within 0\.3 s"):
                await sending
            with pytest.raises(TemporaryFailure, match=r"took no text within 0\.3 s"):
                await console.send(delivery_of(title="second"))
    finally:
        let_go.set()
    await console.send(delivery_of(title="third"))

    assert [text.split()[2] for text in written] == ["first", "third"], "none is written too late"
