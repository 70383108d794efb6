"""On a real terminal: questions, colours, and secrets that are not shown."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import click
import pytest

from tests.cli.world import Receiver, World, webhook, widest

_LIMIT = 20.0


class Terminal:
    """A command on a terminal of 80 columns, and somebody who types."""

    def __init__(self, world: World, *arguments: str) -> None:
        self._end, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
        self._process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", sys.executable, "-m", "notifyd", *arguments],
            stdin=other,
            stdout=other,
            stderr=other,
            cwd=world.folder,
            env=world.environ | {"TERM": "xterm"} | world.changes,
        )
        os.close(other)
        self.shown = ""
        self._seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._end)

    def answer(self, prompt: str, text: str) -> None:
        """Wait until the prompt is shown, and type."""
        for _ in self._reading():
            found = self.shown.find(prompt, self._seen)
            if found >= 0:
                self._seen = found + len(prompt)
                os.write(self._end, f"{text}\n".encode())
                return
        raise AssertionError(f"{prompt!r} is not asked for in {self.shown!r}")

    def end(self) -> int:
        """Read all that is still shown, and return the exit status."""
        for _ in self._reading():
            pass
        return self._process.wait(_LIMIT)

    def _reading(self) -> Iterator[None]:
        yield
        # At the end of the command Linux says EIO.
        with contextlib.suppress(OSError):
            while select.select([self._end], [], [], _LIMIT)[0]:
                self.shown += os.read(self._end, 4096).decode()
                yield


def test_a_webhook_takes_four_questions(world: World) -> None:
    """What is pasted is not shown; a mistake is explained and asked for again."""
    world.has_systemd()
    with Terminal(world, "init", "--no-test") as terminal:
        terminal.answer("Channel:", "slack")
        terminal.answer("Address:", "hooks.slack.com/s3cret")
        terminal.answer("Address:", "https://hooks.slack.com/services/T0/B0/s3cret")
        terminal.answer("Events [ends]:", "failures")
        terminal.answer("Service [Y/n]:", "n")
        code = terminal.end()

    assert code == 0
    assert "4. " in terminal.shown
    assert "5. " not in terminal.shown
    assert "Sorry, not a web address" in terminal.shown
    assert "s3cret" not in terminal.shown
    text = world.config.read_text()
    assert '"https://hooks.slack.com/services/T0/B0/s3cret"' in text
    assert "events: [job_failed, job_stuck]" in text


def test_mail_takes_four_questions(world: World) -> None:
    """The mail server instead of the events; Enter takes what is usual."""
    world.has_systemd()
    with Terminal(world, "init", "--no-test") as terminal:
        terminal.answer("Channel:", "email")
        terminal.answer("Address:", "me@example.org")
        terminal.answer("Server [localhost]:", "")
        terminal.answer("Service [Y/n]:", "n")
        code = terminal.end()

    assert code == 0
    assert "5. " not in terminal.shown
    assert 'host: "localhost"' in world.config.read_text()


@pytest.mark.parametrize(
    ("kind", "wrong", "address", "token"),
    [
        ("telegram", "me", "-100123", "110201543:AAHdqTcvs3cret"),
        ("matrix", "#abc:matrix.org", "https://matrix.org/!abc:matrix.org", "syt_s3cret"),
    ],
)
def test_a_bot_takes_four_questions(
    world: World, kind: str, wrong: str, address: str, token: str
) -> None:
    """Its token instead of the events, and that is not shown."""
    world.has_systemd()
    with Terminal(world, "init", "--no-test") as terminal:
        terminal.answer("Channel:", kind)
        terminal.answer("Address:", wrong)
        terminal.answer("Address:", address)
        terminal.answer("Token:", "two words")
        terminal.answer("Token:", token)
        terminal.answer("Service [Y/n]:", "n")
        code = terminal.end()

    assert code == 0
    assert "5. " not in terminal.shown
    assert "s3cret" not in terminal.shown
    assert widest(terminal.shown) <= 80
    assert f'"{token}" # a secret' in world.config.read_text()


def test_a_topic_takes_four_questions(world: World) -> None:
    """It is as good as a secret."""
    world.has_systemd()
    with Terminal(world, "init", "--no-test") as terminal:
        terminal.answer("Channel:", "ntfy")
        terminal.answer("Address:", "s3cret-jobs")
        terminal.answer("Events [ends]:", "all")
        terminal.answer("Service [Y/n]:", "n")
        code = terminal.end()

    assert (code, "5. " in terminal.shown) == (0, False)
    assert widest(terminal.shown) <= 80
    assert "s3cret" not in terminal.shown
    assert 'topic: "s3cret-jobs" # a secret' in world.config.read_text()


async def test_a_long_name_leaves_room_for_the_message(world: World, receiver: Receiver) -> None:
    """What was told, and what is owed, stands at the end of the line."""
    name = "the-physics-team-of-the-third-floor"
    async with world.daemon(webhook(receiver, name)):
        await world.run("send", "hello from the cluster", "--channel", name)
        await world.ended()
        for command, words in (("history", "hello from"), ("status", "OWED (FOR)")):
            with Terminal(world, command) as terminal:
                await asyncio.to_thread(terminal.end)
            assert words in terminal.shown
            assert widest(click.unstyle(terminal.shown)) <= 80


def test_what_an_option_says_is_not_asked(world: World) -> None:
    """One option given, one question less."""
    with Terminal(world, "init", "--channel", "console", "--no-service") as terminal:
        terminal.answer("1. What do you want to hear?", "")
        code = terminal.end()

    assert code == 0
    assert "2. " not in terminal.shown
    assert "notifyd can reach you here" in terminal.shown


def test_a_service_is_offered_only_where_it_can_be_had(world: World) -> None:
    """Elsewhere it is not asked for; what to do instead is said."""
    with Terminal(world, "init", "--channel", "console", "--no-test") as terminal:
        terminal.answer("Events [ends]:", "")
        code = terminal.end()

    assert code == 0
    assert "Service [Y/n]" not in terminal.shown
    assert "tmux new -d" in terminal.shown


def test_ctrl_c_leaves_everything_as_it_was(world: World) -> None:
    """Nothing is written before the last answer."""
    with Terminal(world, "init") as terminal:
        terminal.answer("Channel:", "console")
        terminal.answer("Events [ends]:", "\x03")
        code = terminal.end()

    assert code == 1
    assert not world.config.parent.exists()


@pytest.mark.parametrize(
    ("changes", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_want_them(
    world: World, changes: dict[str, str], coloured: bool
) -> None:
    """NO_COLOR (https://no-color.org) and TERM=dumb forbid them."""
    world.changes.update(changes)
    with Terminal(world, "doctor") as terminal:
        terminal.end()

    assert "Slurm answers" in terminal.shown
    assert ("\x1b[" in terminal.shown) is coloured
