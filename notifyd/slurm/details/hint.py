"""The form of a hint: under which conditions what is said."""

from __future__ import annotations

import operator
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from string import Template
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from notifyd.settings import Settings
from notifyd.slurm.details.words import FIGURES, PLACEHOLDERS
from notifyd.slurm.states import END_EVENTS

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
        raise ValueError("repeats a repeat or a choice, as (a+)+ does: it could take for ever")
    return compiled


def _repeats_a_repeat(expression: str) -> bool:
    """Tell whether a group that can match in several ways is itself repeated."""
    plain = _ATOM.sub("x", expression)
    while group := _GROUP.search(plain):
        content = re.sub(r"^\?(?::|P<\w+>|<?[=!])", "", group[1])
        within = re.search(r"[*+?|]|\{\d*,\d*\}", content)
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
    template, known = Template(say), PLACEHOLDERS
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
