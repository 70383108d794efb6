"""What can be wrong with a configuration, and how it is told: all at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from notifyd.config.tree import Mark, Trail, spell

_SHORTEST_SECRET = 4
"""Blotting out anything shorter would only make a text unreadable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong: where it stands, and what to do about it."""

    file: str
    line: int | None = None
    """Counted from 1; None when the whole file is meant."""
    path: str = ""
    """`channels.ops-slack.webhook_url`; empty when the whole file is meant."""
    text: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (where, self.path, self.text) if part)


class ConfigError(Exception):
    """The configuration cannot be used. Holds every problem, by file and line."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(slots=True)
class Report:
    """The problems found so far, and the texts that none of them may show."""

    secrets: set[str] = field(default_factory=set)
    incomplete: bool = False
    """Whether a file could not be read, so that what is missing may stand there."""
    _problems: list[Problem] = field(default_factory=list)

    def add(self, mark: Mark, trail: Trail, text: str) -> None:
        """Note what is wrong with the value at a place."""
        file = str(mark.file.path)
        self._problems.append(Problem(file=file, line=mark.line, path=spell(trail), text=text))

    def add_file(self, path: Path, text: str, line: int | None = None) -> None:
        """Note what is wrong with a whole file, whose settings are then unknown."""
        self.incomplete = True
        self._problems.append(Problem(file=str(path), line=line, text=text))

    def problems(self) -> tuple[Problem, ...]:
        """Return all problems by file and line, with no secret or control character in them."""
        clean = {self._blotted(problem) for problem in self._problems}
        return tuple(sorted(clean, key=lambda one: (one.file, one.line or 0, one.path, one.text)))

    def _blotted(self, problem: Problem) -> Problem:
        path, text = problem.path, _one_line(problem.text)
        for secret in sorted(self.secrets, key=len, reverse=True):
            if len(secret) >= _SHORTEST_SECRET:
                path, text = path.replace(secret, "***"), text.replace(secret, "***")
        return Problem(file=problem.file, line=problem.line, path=path, text=text)


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that was probably meant."""
    close = difflib.get_close_matches(word[:64].lower(), known, n=1)
    return close[0] if close else None


def unknown(what: str, word: str, known: Iterable[str]) -> str:
    """Return that there is no such thing, and what was meant or what there is."""
    choices = sorted(known)
    close = closest(word, choices)
    if close:
        return f'unknown {what}; did you mean "{close}"?'
    return f"unknown {what}; there are: {', '.join(choices) or 'none'}"
