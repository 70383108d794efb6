"""`GET /openapi.json` describes every route, with the types that the routes themselves use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from notifyd.control.openapi import document
from notifyd.control.routes import ROUTES, add_routes
from tests.control.parts import FakeActions

DOCUMENT: dict[str, Any] = json.loads(json.dumps(document(ROUTES)))
OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def schema_at(reference: str) -> dict[str, Any]:
    """Return what a reference in the document points at."""
    place: Any = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        place = place[name]
    return dict(place)


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_it_is_an_openapi_document() -> None:
    """With all that the standard wants at its top; each operation has a name of its own."""
    methods = [one for path in DOCUMENT["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in methods]

    assert DOCUMENT["openapi"] == "3.1.0"
    assert set(DOCUMENT["info"]) == {"title", "version", "description"}
    assert len(names) == len(set(names))


def test_every_route_is_in_it() -> None:
    """Whatever the server answers is described, and nothing else."""
    app = web.Application()
    add_routes(app, FakeActions())
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }

    assert served == {(one.values[1], one.values[0]) for one in OPERATIONS}


def test_every_reference_leads_somewhere() -> None:
    """And no model is there for nothing, but those of queries, which stand in parameters."""
    found = set(references(DOCUMENT))
    models = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}

    assert all(schema_at(one) for one in found)
    assert {one.rsplit("/", 1)[1] for one in models - found} == {"DeadQuery", "HistoryQuery"}


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_each_operation_is_described(path: str, method: str, operation: dict[str, Any]) -> None:
    """What it is for, its parameters, its body, its answer, and how it fails."""
    given = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
    good, bad = operation["responses"].values()

    assert operation["summary"].endswith(".")
    assert given == re.findall(r"{(\w+)}", path)
    assert all(one["schema"] and "required" in one for one in operation["parameters"])
    assert all(one["schema"] for one in good["content"].values())
    assert "application/problem+json" in schema_at(bad["$ref"])["content"]
    assert method in ("post", "put") or "requestBody" not in operation


@pytest.mark.parametrize(
    ("path", "required", "names"),
    [
        ("/v1/dead/retry", True, {"id", "all", "channel"}),
        ("/v1/dead/purge", True, {"id", "all", "channel"}),
        ("/v1/channels/{name}/mute", False, {"seconds"}),
        ("/v1/messages", True, {"text", "channel", "id"}),
    ],
)
def test_a_body_is_the_model_that_is_checked(path: str, required: bool, names: set[str]) -> None:
    """Unknown names are refused there, and so they are here."""
    body = DOCUMENT["paths"][path]["post"]["requestBody"]
    model = schema_at(body["content"]["application/json"]["schema"]["$ref"])

    assert body["required"] is required
    assert set(model["properties"]) == names
    assert model["additionalProperties"] is False


def test_an_answer_is_the_view_that_is_sent() -> None:
    """With all of its names, and those within."""
    answers = DOCUMENT["paths"]["/v1/status"]["get"]["responses"]["200"]
    status = schema_at(answers["content"]["application/json"]["schema"]["$ref"])
    record = schema_at("#/components/schemas/Record")

    assert {"store", "clusters", "channels"} <= set(status["required"])
    assert status["properties"]["store"] == {"$ref": "#/components/schemas/StoreView"}
    assert {"id", "rule", "told_in", "attempts"} <= set(record["required"])


def test_a_query_is_the_model_that_is_checked() -> None:
    """With its limits."""
    parameters = DOCUMENT["paths"]["/v1/history"]["get"]["parameters"]
    limit, channel, state = (one["name"] for one in parameters)

    assert (limit, channel, state) == ("limit", "channel", "state")
    assert parameters[0]["schema"]["maximum"] == 1000
