"""The terminal: readable, 80 columns, and steered by nobody but us."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.channels.console import WIDTH, Console, wants_colour, wrapped
from notifyd.channels.failures import TemporaryFailure
from notifyd.model import Delivery, Severity
from notifyd.terminal import columns
from tests.channels.parts import delivery_of, hostile_delivery, texts

OUR_COLOURS = re.compile(r"\x1b\[(1|2|3[1-4]|1;97;41|0)m")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def _printed(delivery: Delivery, coloured: bool = False) -> str:
    written: list[str] = []
    await Console(written.append, coloured).send(delivery)
    (text,) = written
    return text


async def test_title_body_and_facts() -> None:
    """One write: time, mark and title; below it body and facts without what is said above."""
    text = await _printed(
        delivery_of(
            body="It ran.\n\n  indented", facts=(("Job", "4711"), ("State", "X"), ("CPUs", "4"))
        )
    )
    first, *rest = text.splitlines()

    assert re.fullmatch(r"\d\d:\d\d:\d\d ✘ Job 4711 \(train\) failed: exit code 1", first)
    assert rest == [" " * 11 + "It ran.", "", " " * 13 + "indented", " " * 11 + "cpus 4"]
    assert text.endswith("\n")


@pytest.mark.parametrize("severity", Severity)
async def test_colours_are_dressing_only(severity: Severity) -> None:
    """With the colours taken away, the text is the same as without."""
    delivery = delivery_of(severity=severity)
    coloured = await _printed(delivery, coloured=True)

    assert coloured != await _printed(delivery)
    assert OUR_COLOURS.sub("", coloured) == await _printed(delivery)


@given(texts)
async def test_no_text_steers_the_terminal(text: str) -> None:
    """Whatever a job is called: no escape but ours, no line of its own, no line too wide."""
    printed = OUR_COLOURS.sub("", await _printed(hostile_delivery(text), coloured=True))
    first, *rest = printed.removesuffix("\n").split("\n")

    assert all(line.isprintable() for line in map(_visible, [first, *rest]))
    assert "\x1b" not in printed
    assert all(columns(line) <= WIDTH for line in [first, *rest])
    assert all(line == "" or line.startswith(" " * 11) for line in rest)


def _visible(line: str) -> str:
    """Leave out what has no glyph but steers nothing: joiners, odd blanks, unassigned signs."""
    return "".join(c for c in line if c < "\xa0")


@given(texts.filter(lambda text: "\n" not in text), st.integers(2, 40))
def test_wrapping_loses_nothing(text: str, width: int) -> None:
    """Only blanks at the breaks go; a wide sign counts twice."""
    lines = list(wrapped(text, width))

    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(columns(line) <= width for line in lines)


@pytest.mark.parametrize(
    ("choice", "environ", "tty", "coloured"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"TERM": "dumb"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {}, True, False),
    ],
)
def test_when_there_are_colours(
    choice: str, environ: dict[str, str], tty: bool, coloured: bool
) -> None:
    """Colours are for terminals, unless the user says otherwise."""
    stream = Terminal() if tty else io.StringIO()

    assert wants_colour(choice, stream, environ) is coloured


async def test_a_closed_output_is_temporary() -> None:
    """A terminal that went away fails the delivery, not the daemon."""
    stream = io.StringIO()
    stream.close()
    with pytest.raises(TemporaryFailure, match="standard output"):
        await Console(stream.write, False).send(delivery_of())
