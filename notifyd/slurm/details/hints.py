"""Why a job failed, and what to change: a table of hints, and which of them hold. Pure.

The built-in table is `hints.yaml`, the specific before the general; a site's own hints have
the same form and are tried first. Of several with one name only the first that holds is said,
and a line of output is explained only once.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
from collections.abc import Mapping, Sequence
from string import Template

import yaml

from notifyd.slurm.details.hint import Hint
from notifyd.slurm.details.words import LONGEST, Facts, signal_of, words_of
from notifyd.units import shortened

MOST = 3
"""More hints than this help nobody."""

_KILOBYTES, _LINES, _WIDTH = 16, 250, 500  # what of an output is searched
_ESCAPES = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_RANK = re.compile(r"^(?:\[[a-z]{1,10}\d{1,6}\]:|\d{1,6}: )\s*")  # of torchrun; of srun --label


@functools.cache
def built_in() -> tuple[Hint, ...]:
    """Return the table that comes with notifyd."""
    text = importlib.resources.files(__package__).joinpath("hints.yaml").read_text("utf-8")
    return tuple(Hint.model_validate(entry) for entry in yaml.safe_load(text))


def hints_for(facts: Facts, extra: Sequence[Hint] = ()) -> tuple[str, ...]:
    """Return what explains the end, the most specific first; at most three texts."""
    lines, words = _lines(facts.output or ""), words_of(facts)
    said: dict[str, str] = {}
    explained: set[int | None] = {None}
    for hint in (*extra, *built_in()):
        if hint.name in said or not _holds(hint, facts):
            continue
        at, match = _last(hint.output, lines) if hint.output else (None, "")
        if hint.output and at in explained:
            continue
        text = _filled(hint.say, {**words, "match": match})
        if text is not None:
            said[hint.name] = text
            explained.add(at)
        if len(said) == MOST:
            break
    return tuple(said.values())


def _holds(hint: Hint, facts: Facts) -> bool:
    """Tell whether all but the output is as the hint wants it."""
    failed = ("FAILED", "TIMEOUT", "DEADLINE", "OUT_OF_MEMORY")
    states = hint.state or (failed if hint.output else (facts.state,))
    figures, reason = facts.figures, _plain(facts.reason or "")
    return (
        facts.state in states
        and (not hint.exit_code or facts.exit_code in hint.exit_code)
        and (not hint.signal or signal_of(facts) in hint.signal)
        and (hint.reason is None or _plain(hint.reason) in reason)
        and all(name in figures and limit.holds(figures[name]) for name, limit in hint.when.items())
    )


def _plain(reason: str) -> str:
    return re.sub(r"[ _]", "", reason).lower()  # versions differ in spelling


def _lines(output: str) -> list[str]:
    """Return the last lines without colours and ranks, so short that no search takes long."""
    tail = _ESCAPES.sub("", output[-_KILOBYTES * 1024 :]).splitlines()[-_LINES:]
    return [_RANK.sub("", line.strip()[:_WIDTH]) for line in tail]


def _last(expression: re.Pattern[str], lines: Sequence[str]) -> tuple[int | None, str]:
    for at in range(len(lines) - 1, -1, -1):
        if found := expression.search(lines[at]):
            return at, shortened(next(filter(None, found.groups()), found[0]), LONGEST)
    return None, ""


def _filled(say: str, words: Mapping[str, str]) -> str | None:
    try:
        return Template(say).substitute(words)
    except KeyError:  # it names what is not known of this job
        return None
