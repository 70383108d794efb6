"""Why a job failed, and what to change: a table of hints, and which of them hold. Pure.

The built-in table is `hints.yaml`, the specific before the general; a site's own hints have
the same form and are tried first. Of several with one name only the first that holds is said,
and a line of output is explained only once.
"""

from __future__ import annotations

import functools
import importlib.resources
import math
import operator
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from string import Template
from typing import Annotated

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from notifyd.settings import Settings
from notifyd.slurm.states import END_EVENTS

MOST = 3
"""More hints than this help nobody."""
_STEMS = {
    "": ("cpus", "gpus", "nodes"),
    "_percent": ("cpu", "elapsed", "gpu", "memory"),
    "_bytes": ("gpu_memory", "memory_asked", "memory_used"),
    "_seconds": ("elapsed", "time_limit"),
}
FIGURES = frozenset(stem + unit for unit, stems in _STEMS.items() for stem in stems)
"""What a condition may measure: of the whole job; a percentage is of what it had.
Each is a placeholder too, without its unit: `$memory_used`, `$time_limit`."""
_FIGURE_OF = {name.removesuffix("_bytes").removesuffix("_seconds"): name for name in FIGURES}
_WORDS = {"match", "state", "reason", "exit_code", "signal", "memory_suggested", "time_suggested"}

_KILOBYTES, _LINES, _WIDTH = 16, 250, 500  # what of an output is searched
_LONGEST_MATCH = 200
_ESCAPES = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_RANK = re.compile(r"^(?:\[[a-z]{1,10}\d{1,6}\]:|\d{1,6}: )\s*")  # of torchrun; of srun --label

_SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_UNITS = {"": 1, "%": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_UNITS |= {letter: 1024**power for power, letter in enumerate("KMGT", start=1)}
_LIMIT = re.compile(r"\s*([<>]=?)\s*(\d{1,15}(?:\.\d{1,6})?)\s*([%smhdKMGT]?)\s*")
_ATOM = re.compile(r"\\.|\[\^?\]?[^\]]*\]", re.DOTALL)
_GROUP = re.compile(r"\(([^()]*)\)([*+]|\{\d*,\d*\})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A comparison such as `<50` or `>10m`."""

    sign: str
    number: float

    def holds(self, figure: float) -> bool:
        """Tell whether the figure keeps to it."""
        return bool(_SIGNS[self.sign](figure, self.number))


def _limit(value: object) -> Limit:
    found = _LIMIT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('must be a comparison in quotes, such as "<50", ">10m" or ">=2G"')
    return Limit(sign=found[1], number=float(found[2]) * _UNITS[found[3]])


def _expression(value: object) -> re.Pattern[str]:
    if not isinstance(value, str) or not 0 < len(value) <= 1000:
        raise ValueError("must be a regular expression of 1 to 1000 characters")
    try:
        compiled = re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    if _repeats_a_repeat(value):
        raise ValueError("repeats a repeat, as (a+)+ does: some outputs would take it for ever")
    return compiled


def _repeats_a_repeat(expression: str) -> bool:
    """Tell whether a group with a repeat in it is itself repeated."""
    plain = _ATOM.sub("x", expression)
    while group := _GROUP.search(plain):
        within = re.search(r"[*+]|\{\d*,\d*\}", group[1])
        if within and group[2]:
            return True
        repeat = "+" if within or group[2] else ""
        plain = f"{plain[: group.start()]}x{repeat}{plain[group.end() :]}"
    return False


def _one_of(known: Collection[str], what: str) -> AfterValidator:
    def check(word: str) -> str:
        if word not in known:
            raise ValueError(f"no {what}; there are {', '.join(sorted(known))}")
        return word

    return AfterValidator(check)


def _text(say: str) -> str:
    template, known = Template(say), {*_FIGURE_OF, *_WORDS}
    if not template.is_valid():
        raise ValueError("has a $ that begins no placeholder; write $$ for a plain one")
    if unknown := [name for name in template.get_identifiers() if name not in known]:
        raise ValueError(f"no placeholder ${unknown[0]}; there are {', '.join(sorted(known))}")
    return say


_listed = BeforeValidator(lambda value: (value,) if isinstance(value, str | int) else value)
State = Annotated[str, _one_of(END_EVENTS, "state in which a job ends")]
Figure = Annotated[str, _one_of(FIGURES, "figure")]
Number = Annotated[int, Field(ge=0, le=255)]


class Hint(Settings):
    """What to say of a job for which all the conditions hold that are given."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    state: Annotated[tuple[State, ...], _listed] = ()
    """Without it, `output` is searched only where the job failed: noise explains no success."""
    exit_code: Annotated[tuple[Number, ...], _listed] = ()
    signal: Annotated[tuple[Number, ...], _listed] = ()
    """Also as a shell reports it: as an exit code of 128 and more."""
    reason: Annotated[str, StringConstraints(min_length=1)] | None = None
    """Part of Slurm's own reason."""
    output: Annotated[re.Pattern[str], BeforeValidator(_expression)] | None = None
    """Searched line by line, from the last; `$match` is its first group, or all it found."""
    when: Mapping[Figure, Annotated[Limit, BeforeValidator(_limit)]] = {}
    say: Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_text)]

    @model_validator(mode="after")
    def _is_about_something(self) -> Hint:
        given = (self.state, self.exit_code, self.signal, self.reason, self.output, self.when)
        if not any(given):
            raise ValueError("has no condition: no state, exit_code, signal, reason, output, when")
        if self.output is None and "match" in Template(self.say).get_identifiers():
            raise ValueError("says $match, but has no `output` to find it in")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a job that ended; `figures` are by the names in FIGURES."""

    state: str
    exit_code: int | None = None
    signal: int | None = None
    reason: str | None = None
    output: str | None = None
    """The end of what it printed."""
    figures: Mapping[str, float] = field(default_factory=dict)


@functools.cache
def built_in() -> tuple[Hint, ...]:
    """Return the table that comes with notifyd."""
    text = importlib.resources.files(__package__).joinpath("hints.yaml").read_text("utf-8")
    return tuple(Hint.model_validate(entry) for entry in yaml.safe_load(text))


def hints_for(facts: Facts, extra: Sequence[Hint] = ()) -> tuple[str, ...]:
    """Return what explains the end, the most specific first; at most three texts."""
    lines, words = _lines(facts.output or ""), _words(facts)
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
        and (not hint.signal or _signal(facts) in hint.signal)
        and (hint.reason is None or _plain(hint.reason) in reason)
        and all(name in figures and limit.holds(figures[name]) for name, limit in hint.when.items())
    )


def _signal(facts: Facts) -> int | None:
    code = facts.exit_code or 0
    return facts.signal or (code - 128 if 128 < code <= 192 else None)


def _plain(reason: str) -> str:
    return re.sub(r"[ _]", "", reason).lower()  # versions differ in spelling


def _lines(output: str) -> list[str]:
    """Return the last lines without colours and ranks, so short that no search takes long."""
    tail = _ESCAPES.sub("", output[-_KILOBYTES * 1024 :]).splitlines()[-_LINES:]
    return [_RANK.sub("", line.strip()[:_WIDTH]) for line in tail]


def _last(expression: re.Pattern[str], lines: Sequence[str]) -> tuple[int | None, str]:
    for at in range(len(lines) - 1, -1, -1):
        if found := expression.search(lines[at]):
            return at, _one_line(next(filter(None, found.groups()), found[0]))
    return None, ""


def _one_line(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST_MATCH else line[: _LONGEST_MATCH - 1] + "…"


def _filled(say: str, words: Mapping[str, str]) -> str | None:
    try:
        return Template(say).substitute(words)
    except KeyError:  # it names what is not known of this job
        return None


def _words(facts: Facts) -> dict[str, str]:
    """Return what is known of the placeholders, written for people."""
    known = {"state": facts.state, "reason": facts.reason, "exit_code": facts.exit_code}
    known["signal"] = _signal(facts)
    words = {name: _one_line(str(value)) for name, value in known.items() if value is not None}
    figures = {name: value for name, value in facts.figures.items() if 0 <= value < 1e18}
    words |= {w: _written(n, figures[n]) for w, n in _FIGURE_OF.items() if n in figures}
    return words | _suggestions(figures, facts.state)


def _written(name: str, figure: float) -> str:
    if name.endswith("_bytes"):
        return _size(figure)
    if name.endswith("_seconds"):
        return _duration(figure)
    return f"{figure:.0f} %" if name.endswith("_percent") else f"{figure:.0f}"


def _size(count: float) -> str:
    """Return `640 MB` or `3.1 GB`; a kilobyte is 1024 bytes, as for Slurm."""
    power = min(int(math.log2(max(count, 1)) / 10), 4)
    number = f"{count / 1024**power:.1f}".removesuffix(".0")
    return f"{number} {('B', 'KB', 'MB', 'GB', 'TB')[power]}"


def _duration(seconds: float) -> str:
    """Return `45 s`, `12 min`, `3 h 20 min` or `2 d 4 h`."""
    parts = ((seconds // 86400, "d"), (seconds % 86400 // 3600, "h"), (seconds % 3600 // 60, "min"))
    shown = [f"{count:.0f} {unit}" for count, unit in parts if count]
    return " ".join(shown[:2]) or f"{seconds:.0f} s"


def _suggestions(figures: Mapping[str, float], state: str) -> dict[str, str]:
    """Return what to ask for: memory a node, as `--mem` takes it, and time, with some to spare."""
    words = {}
    used, asked = (figures.get(f"memory_{which}_bytes", 0) for which in ("used", "asked"))
    # Memory is only sampled: where the limit was hit, it counts, whatever was seen in use.
    hit = state == "OUT_OF_MEMORY" or 0 < asked <= used
    if wanted := 1.5 * max(used, asked) if hit else 1.25 * used:
        nodes = max(figures.get("nodes", 1), 1)
        size = _size(_rounded_up(wanted / nodes, 1024**3))
        words["memory_suggested"] = f"{size} a node" if nodes > 1 else size
    if elapsed := figures.get("elapsed_seconds"):
        step = 300 if elapsed < 3600 else 1800
        words["time_suggested"] = _duration(_rounded_up(1.5 * elapsed, step))
    return words


def _rounded_up(figure: float, step: int) -> int:
    return math.ceil(figure / step) * step
