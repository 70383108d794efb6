"""What a settings class says of its fields: keys, secrets, lists and sections."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from notifyd.config.tree import Trail

SUFFIXES = ("_file", "_credential")
"""How a secret's key ends when the secret itself lies elsewhere."""


def alternatives(annotation: object) -> Iterator[object]:
    """Yield the types that a field takes, out of their unions and annotations."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        for one in get_args(annotation):
            yield from alternatives(one)
    elif origin is Annotated:
        yield from alternatives(get_args(annotation)[0])
    else:
        yield annotation


def keys(model: type[BaseModel]) -> dict[str, object]:
    """Return the keys of a section as people write them, each with its type."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def known_keys(model: type[BaseModel]) -> list[str]:
    """Return all keys that may be written in a section."""
    fields = keys(model)
    elsewhere = [key + end for key, kind in fields.items() if is_secret(kind) for end in SUFFIXES]
    return [*fields, *elsewhere]


def model_of(annotation: object) -> type[BaseModel] | None:
    """Return the settings class of a section, if the field is one."""
    for one in alternatives(annotation):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None


def item_of(annotation: object) -> object | None:
    """Return the type of a list's items, if the field takes a list."""
    return _argument(annotation, Sequence, 0)


def entry_of(annotation: object) -> object | None:
    """Return the type of the values, if the field takes keys of the user's choice."""
    return _argument(annotation, Mapping, 1)


def is_secret(annotation: object) -> bool:
    """Tell whether the field is a secret, or a list of them that takes a single one too."""
    kinds = list(alternatives(annotation))
    return SecretStr in kinds or SecretStr in alternatives(item_of(annotation))


def takes_null(annotation: object) -> bool:
    """Tell whether null is a value for the field, rather than nothing at all."""
    return type(None) in alternatives(annotation)


def takes_only_lists(annotation: object) -> bool:
    """Tell whether a single text can only be meant as a list of one."""
    kinds = [one for one in alternatives(annotation) if one is not type(None)]
    return all(item_of(one) is not None for one in kinds)


def annotation_at(model: type[BaseModel], trail: Trail) -> object | None:
    """Return the type that belongs at the end of a trail, if the model knows."""
    here: object | None = model
    for part in trail:
        section = model_of(here)
        if section is not None:
            here = keys(section).get(str(part))
        else:
            here = item_of(here) if isinstance(part, int) else entry_of(here)
    return here


def _argument(annotation: object, kind: type, position: int) -> object | None:
    """Return an argument of the alternative that is a generic of this kind."""
    for one in alternatives(annotation):
        origin = get_origin(one)
        if isinstance(origin, type) and issubclass(origin, kind):
            argument: object = get_args(one)[position]
            return argument
    return None
