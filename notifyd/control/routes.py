"""The routes of the control socket. Errors are RFC 9457 problem documents."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from pydantic import Field, ValidationError

from notifyd.control.actions import Actions, NotAllowed
from notifyd.settings import Settings
from notifyd.slurm.collections.settings import CollectionSettings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class MuteBody(Settings):
    """`seconds` missing or null: until it is unmuted."""

    seconds: float | None = Field(default=None, gt=0, le=366 * 86400)


class MessageBody(Settings):
    """A text for one channel; the same `id` is told only once."""

    text: str = Field(min_length=1, max_length=20_000)
    channel: str = Field(max_length=100)
    id: str | None = Field(default=None, max_length=200)


class HistoryQuery(Settings):
    """`GET /v1/history?limit=20&channel=mail`."""

    limit: int = Field(default=20, ge=1, le=1000)
    channel: str | None = Field(default=None, max_length=100)


def add_routes(app: web.Application, actions: Actions) -> None:
    """Join each path to the function that answers it."""
    routes = _Routes(actions)
    app.router.add_get("/v1/status", routes.status)
    app.router.add_get("/v1/history", routes.history)
    app.router.add_post("/v1/reload", routes.reload)
    app.router.add_get("/v1/collections", routes.collections)
    app.router.add_put("/v1/collections/{name}", routes.set_collection)
    app.router.add_delete("/v1/collections/{name}", routes.remove_collection)
    app.router.add_post("/v1/channels/{name}/mute", routes.mute)
    app.router.add_post("/v1/channels/{name}/unmute", routes.unmute)
    app.router.add_post("/v1/channels/{name}/test", routes.test)
    app.router.add_post("/v1/messages", routes.send)


class _Routes:
    def __init__(self, actions: Actions) -> None:
        self._actions = actions

    async def status(self, request: web.Request) -> web.Response:
        return web.json_response(dataclasses.asdict(await self._actions.status()))

    async def history(self, request: web.Request) -> web.Response:
        query = HistoryQuery.model_validate(dict(request.query))
        records = await self._actions.history(query.limit, query.channel)
        return web.json_response({"deliveries": [dataclasses.asdict(one) for one in records]})

    async def reload(self, request: web.Request) -> web.Response:
        await self._actions.reload()
        return web.json_response({"reloaded": True})

    async def collections(self, request: web.Request) -> web.Response:
        views = await self._actions.collections()
        return web.json_response({"collections": [dataclasses.asdict(one) for one in views]})

    async def set_collection(self, request: web.Request) -> web.Response:
        body = CollectionSettings.model_validate_json(await request.read())
        given = body.model_dump(mode="json", exclude_defaults=True)
        await self._actions.change_collection(request.match_info["name"], given)
        return web.json_response({"set": True})

    async def remove_collection(self, request: web.Request) -> web.Response:
        await self._actions.change_collection(request.match_info["name"], None)
        return web.json_response({"set": False})

    async def mute(self, request: web.Request) -> web.Response:
        body = MuteBody.model_validate_json(await request.read() or b"{}")
        await self._actions.mute(request.match_info["name"], body.seconds)
        return web.json_response({"muted": True})

    async def unmute(self, request: web.Request) -> web.Response:
        await self._actions.unmute(request.match_info["name"])
        return web.json_response({"muted": False})

    async def test(self, request: web.Request) -> web.Response:
        await self._actions.test(request.match_info["name"])
        return web.json_response({"delivered": True})

    async def send(self, request: web.Request) -> web.Response:
        body = MessageBody.model_validate_json(await request.read())
        delivery = await self._actions.send(body.text, body.channel, body.id)
        return web.json_response({"id": delivery}, status=202)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a problem document; a bug is logged and shown as one."""
    try:
        return await handler(request)
    except NotAllowed as refusal:
        return _problem(refusal.status, refusal.title, refusal.details)
    except ValidationError as error:
        return _problem(400, "the request is not valid", _reasons(error))
    except web.HTTPException as error:
        return _problem(error.status, error.reason)
    except Exception:
        structlog.get_logger("control").exception("control_bug", path=request.path)
        return _problem(500, "a bug in notifyd; its log says more")


def _reasons(error: ValidationError) -> tuple[str, ...]:
    """Return each fault with its field; what is no JSON at all has none."""
    faults = ((".".join(map(str, fault["loc"])), fault["msg"]) for fault in error.errors())
    return tuple(f"{field}: {text}" if field else text for field, text in faults)


def _problem(status: int, title: str, details: tuple[str, ...] = ()) -> web.Response:
    body = {"type": "about:blank", "title": title, "status": status, "details": details}
    return web.Response(
        status=status, text=json.dumps(body), content_type="application/problem+json"
    )
