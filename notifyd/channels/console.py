"""The terminal: what a new user sees first, and what a log file can keep."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TextIO

from notifyd.channels.base import Receipt
from notifyd.channels.failures import TemporaryFailure
from notifyd.channels.settings import Batch, ChannelSettings
from notifyd.channels.text import clamp, one_line, strip_controls
from notifyd.model import Delivery, Message, Severity
from notifyd.terminal import columns, takes_colour

WIDTH = 80
_INDENT = " " * 11
_MOST = 4000
"""Characters of a body, a title or a value; a terminal is no place for more."""

_MARKS = {
    Severity.INFO: ("•", "34"),
    Severity.SUCCESS: ("✔", "32"),
    Severity.WARNING: ("▲", "33"),
    Severity.ERROR: ("✘", "31"),
    Severity.CRITICAL: ("✘", "1;97;41"),
}
_DIM, _BOLD = "2", "1"
_SAID_BY_TITLE = frozenset({"Job", "Name"})
_LEFT_OUT = frozenset(
    {"State", "Exit code", "Signal", "Elapsed", "Started", "Ended", "Restarts", "Cluster"}
)
"""What title and time say already, in a place that scrolls by."""

Write = Callable[[str], object]


class ConsoleSettings(ChannelSettings):
    """Standard output of the daemon."""

    type: Literal["console"] = "console"
    batch: Batch | None = None
    colour: Literal["auto", "always", "never"] = "auto"
    """`auto`: on a terminal, unless NO_COLOR (https://no-color.org) or TERM=dumb forbid it."""


class Console:
    """Writes a few lines a delivery."""

    def __init__(self, write: Write, coloured: bool, within: float = 15.0) -> None:
        self._write = write
        self._coloured = coloured
        self._within = within
        # A terminal that is held with Ctrl-S, or a full pipe, holds this thread and no more.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="console")

    async def send(self, delivery: Delivery) -> Receipt:
        """Write the delivery, or raise TemporaryFailure if nobody takes it."""
        text = "\n".join(_lines(delivery, self._painted if self._coloured else _plain))
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._within):
                await loop.run_in_executor(self._thread, self._write, f"{text}\n")
        except TimeoutError:
            reason = f"standard output took no text within {self._within:g} s"
            raise TemporaryFailure(reason) from None
        except (OSError, ValueError) as error:
            reason = f"standard output takes no more text ({type(error).__name__})"
            raise TemporaryFailure(reason) from None
        return Receipt()

    @staticmethod
    def _painted(code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m"


def wants_colour(choice: str, stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether to write colours to this stream."""
    if choice != "auto":
        return choice == "always"
    return takes_colour(stream, environ)


def wrapped(text: str, width: int) -> Iterator[str]:
    """Yield lines of at most `width` columns, broken at blanks where there are any."""
    line, *words = text.split(" ")
    *full, line = _pieces(line, width)
    yield from full
    for word in words:
        joined = f"{line} {word}"
        if columns(joined) <= width:
            line = joined
        elif columns(word) <= width:
            yield line
            line = word
        else:
            *full, line = _pieces(joined, width)
            yield from full
    yield line


def _pieces(word: str, width: int) -> list[str]:
    """Break a text where the line is full, wherever that is."""
    pieces, used = [""], 0
    for character in word:
        step = columns(character)
        if used + step > width:
            pieces.append("")
            used = 0
        pieces[-1] += character
        used += step
    return pieces


def _plain(code: str, text: str) -> str:
    return text


def _lines(delivery: Delivery, paint: Callable[[str, str], str]) -> Iterator[str]:
    message = delivery.message
    mark, colour = _MARKS[delivery.event.severity]
    time = datetime.datetime.fromtimestamp(delivery.event.time, datetime.UTC).astimezone()
    room = WIDTH - len(_INDENT)
    first, *more = wrapped(clamp(one_line(message.title), _MOST), room)
    yield f"{paint(_DIM, f'{time:%H:%M:%S}')} {paint(colour, mark)} {paint(_BOLD, first)}"
    for line in more:
        yield _INDENT + paint(_BOLD, line)
    for paragraph in clamp(strip_controls(message.body), _MOST).splitlines():
        for line in wrapped(paragraph.rstrip(), room):
            yield (_INDENT + line).rstrip()
    for line in _in_a_row(_facts(message), room):
        yield _INDENT + paint(_DIM, line)


def _facts(message: Message) -> Iterator[str]:
    title = one_line(message.title)
    for label, value in message.facts:
        shown = clamp(one_line(value), _MOST)
        if label not in _LEFT_OUT and not (label in _SAID_BY_TITLE and shown in title):
            yield f"{one_line(label).lower()} {shown}"


def _in_a_row(items: Iterator[str], width: int) -> Iterator[str]:
    """Yield lines of items with dots between; an item is only broken if it fills a line."""
    line = ""
    for item in items:
        joined = f"{line} · {item}" if line else item
        if columns(joined) <= width:
            line = joined
            continue
        if line:
            yield line
        *full, line = wrapped(item, width)
        yield from full
    if line:
        yield line
