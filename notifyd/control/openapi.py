"""Describes the routes as an OpenAPI 3.1 document, from the very types that they use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from notifyd import __version__
from notifyd.control.problems import CONTENT_TYPE, Problem
from notifyd.control.route import Route
from notifyd.settings import Settings

Json = dict[str, Any]

_PLACE = "#/components/schemas/{model}"
_TEXT: Json = {"type": "string"}
_PART = re.compile(r"{(\w+)}")
_ABOUT = (
    "HTTP and JSON over the daemon's UNIX socket, which answers its owner and root alone: "
    "`curl --unix-socket PATH http://localhost/v1/status`. Times are Unix seconds."
)


def document(routes: Sequence[Route]) -> Json:
    """Return the document of these routes."""
    schemas, definitions = _schemas(routes)
    paths: dict[str, Json] = {}
    for route in routes:
        operation = _operation(route, schemas, definitions)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "notifyd", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "http://localhost"}],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "responses": {"Problem": _content("It was not done.", _ref("Problem"), CONTENT_TYPE)},
        },
    }


def _schemas(routes: Sequence[Route]) -> tuple[dict[object, Json], Json]:
    """Return the schema of each type that is given or answered, and of what these refer to."""
    types: list[tuple[Any, Any, TypeAdapter[Any]]] = [
        (Problem, "serialization", TypeAdapter(Problem))
    ]
    for route in routes:
        types.append((route, "serialization", route.answer))
        if route.given.model_fields:
            types.append((route.given, "validation", TypeAdapter(route.given)))
    found, rest = TypeAdapter.json_schemas(types, ref_template=_PLACE)
    return {key: schema for (key, _), schema in found.items()}, rest["$defs"]


def _operation(route: Route, schemas: Mapping[object, Json], definitions: Json) -> Json:
    operation: Json = {
        "operationId": route.does.__name__,
        "summary": route.summary,
        "parameters": [_parameter("path", name, _TEXT) for name in _PART.findall(route.path)],
        "responses": {
            str(route.status): _content("Done.", schemas[route], route.kind),
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }
    if route.given.model_fields and route.has_body:
        operation["requestBody"] = {
            "required": not _may_be_left_out(route.given),
            "content": {"application/json": {"schema": schemas[route.given]}},
        }
    elif route.given.model_fields:
        query = definitions[route.given.__name__]["properties"]
        operation["parameters"] += [_parameter("query", *one) for one in query.items()]
    return operation


def _parameter(place: str, name: str, schema: Json) -> Json:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _may_be_left_out(model: type[Settings]) -> bool:
    try:
        model()
    except ValidationError:
        return False
    return True


def _content(description: str, schema: Json, kind: str = "application/json") -> Json:
    return {"description": description, "content": {kind: {"schema": schema}}}


def _ref(model: str) -> Json:
    return {"$ref": _PLACE.format(model=model)}
