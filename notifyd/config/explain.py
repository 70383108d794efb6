"""Pydantic's errors in plain words, each at its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from notifyd.config import fields
from notifyd.config.prepare import advice
from notifyd.config.problems import Report, closest, unknown
from notifyd.config.tree import BROKEN, Node, Trail

SECTION = "must be a section, with `key: value` on each line"

_WORDS: Mapping[str, str] = {
    "int": "must be a whole number",
    "float": "must be a number",
    "finite": "must be a number",
    "bool": "must be true or false",
    "string_type": "must be a text; put it in quotes",
    "literal": "must be {expected}",
    "enum": "must be {expected}",
    "greater_than": "must be more than {gt:g}{unit}",
    "greater_than_equal": "must be at least {ge:g}{unit}",
    "less_than": "must be less than {lt:g}{unit}",
    "less_than_equal": "must be at most {le:g}{unit}",
    "too_short": "must have at least one entry",
    "string_pattern": "has characters that do not belong there, or is empty",
    "tuple": "must be a list",
    "list": "must be a list",
    "model": SECTION,
    "dict": SECTION,
    "mapping": SECTION,
}
"""By the kind of error, or how it begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    """An error that has found its place in the tree."""

    kind: str
    node: Node
    trail: Trail
    """From the section down."""
    details: ErrorDetails


def explain(
    error: ValidationError, section: Node, trail: Trail, model: type[BaseModel], report: Report
) -> None:
    """Report everything that keeps a section from being its settings class."""
    details = error.errors(include_url=False, include_input=False)
    faults = [_located(one, section) for one in details]
    meant: set[Trail] = set()
    for fault in sorted(faults, key=lambda one: one.kind != "extra_forbidden"):
        # What is wrong with its value is said already, but not that nobody asked for it.
        broken = fault.node.value is BROKEN and fault.kind != "extra_forbidden"
        if broken or fault.trail in meant:
            continue
        meant.add(fault.trail)
        if fault.kind == "missing" and report.incomplete:
            continue
        if fault.kind == "extra_forbidden":
            meant.update(_meant(fault, model))
        report.add(fault.node.mark, trail + fault.trail, _text(fault, model))


def _located(details: ErrorDetails, section: Node) -> _Fault:
    """Return the error with its way through the tree.

    Pydantic also names the members of a union on the way, which stand in no file.
    """
    node = section
    trail: Trail = ()
    for part in details["loc"]:
        child = node.child(part)
        if child is not None:
            node, trail = child, (*trail, part)
    if details["type"] == "missing":
        trail = (*trail, details["loc"][-1])
    return _Fault(kind=details["type"], node=node, trail=trail, details=details)


def _text(fault: _Fault, model: type[BaseModel]) -> str:
    if fault.kind == "missing":
        secret = fields.is_secret(fields.annotation_at(model, fault.trail))
        return f"required; {advice(fault.trail)}" if secret else "required"
    if fault.kind == "extra_forbidden":
        return _unknown_key(fault, model)
    if fault.kind == "value_error":
        return fault.details["msg"].removeprefix("Value error, ")
    begins = [kind for kind in _WORDS if fault.kind.startswith(kind)]
    if not begins:
        return fault.details["msg"].replace("Input should be", "must be")
    return _WORDS[max(begins, key=len)].format(**fault.details.get("ctx", {}), unit=_unit(fault))


def _unit(fault: _Fault) -> str:
    """Return the unit of a bound: a number given as text with a letter is a duration."""
    value = fault.node.value
    return " seconds" if isinstance(value, str) and value.strip()[-1:].isalpha() else ""


def _unknown_key(fault: _Fault, model: type[BaseModel]) -> str:
    key = str(fault.trail[-1])
    name, colon, _ = key.partition(":")
    if colon:
        return f'unknown key; write "{name}: …" with a space after the colon'
    return unknown("key", key, _known(fault, model))


def _meant(fault: _Fault, model: type[BaseModel]) -> set[Trail]:
    """Return the key that a misspelt one stands for, which is then not missing."""
    key = closest(str(fault.trail[-1]).partition(":")[0], _known(fault, model))
    stems = {key, *(key.removesuffix(end) for end in fields.SUFFIXES)} if key else set()
    return {(*fault.trail[:-1], stem) for stem in stems}


def _known(fault: _Fault, model: type[BaseModel]) -> list[str]:
    section = fields.model_of(fields.annotation_at(model, fault.trail[:-1]))
    return fields.known_keys(section) if section else []
