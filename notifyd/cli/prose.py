"""How commands write whole sentences: wrapped to the terminal, at most 80 columns wide."""

from __future__ import annotations

import shutil
import textwrap

import click

from notifyd.cli.text import plain

_WIDTH = 80


def say(
    text: str, indent: str = "", mark: str = "", error: bool = False, colour: str | None = None
) -> None:
    """Print a paragraph; a text of several lines is printed line by line.

    `mark`, no wider than the indent, stands in it before the first word.
    """
    width = min(shutil.get_terminal_size((_WIDTH, 24)).columns, _WIDTH)
    lines = "\n".join(_wrapped(plain(line), indent, width) for line in text.split("\n"))
    words = lines[len(click.unstyle(mark)) :]
    click.echo(mark + (click.style(words, fg=colour) if colour else words), err=error)


def command(text: str) -> None:
    """Print a command for the reader to copy: never wrapped."""
    click.echo(f"  {text}")


def _wrapped(line: str, indent: str, width: int) -> str:
    # Words stay whole: a path or an address that is cut in two cannot be copied.
    return textwrap.fill(
        line,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
