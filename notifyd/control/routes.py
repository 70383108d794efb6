"""The routes of the control socket. `GET /openapi.json` describes them."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from notifyd.control import openapi
from notifyd.control.actions import Actions
from notifyd.control.bodies import (
    DeadBody,
    DeadQuery,
    HistoryQuery,
    MessageBody,
    MuteBody,
    Nothing,
)
from notifyd.control.metrics import CONTENT_TYPE, exposition
from notifyd.control.route import Asked, Route
from notifyd.control.views import (
    Collections,
    CollectionSet,
    DeadLetters,
    Delivered,
    Deliveries,
    Muted,
    Purged,
    Reloaded,
    Retried,
    StatusView,
    Stored,
)
from notifyd.outbox.records import Record
from notifyd.slurm.collections.settings import CollectionSettings


async def describe(asked: Asked[Nothing]) -> dict[str, Any]:
    """Describe this interface, as OpenAPI 3.1."""
    return openapi.document(ROUTES)


async def status(asked: Asked[Nothing]) -> StatusView:
    """Tell how the daemon, the watching, the store and each channel are."""
    return await asked.actions.status()


async def metrics(asked: Asked[Nothing]) -> str:
    """Tell the same in figures, as Prometheus reads them."""
    return exposition(await asked.actions.status())


async def history(asked: Asked[HistoryQuery]) -> Deliveries:
    """Return the last deliveries with their attempts, newest first."""
    query = asked.given
    records = await asked.actions.history(query.limit, query.channel, query.state)
    return Deliveries(tuple(records))


async def delivery(asked: Asked[Nothing]) -> Record:
    """Return one delivery, by its id or a beginning of it that no other has."""
    return await asked.actions.delivery(asked.part)


async def dead(asked: Asked[DeadQuery]) -> DeadLetters:
    """Return what was given up, newest first, and how much of it there is."""
    return await asked.actions.dead(asked.given.limit, asked.given.channel)


async def retry(asked: Asked[DeadBody]) -> Retried:
    """Owe dead letters again, for a day."""
    return await asked.actions.retry(asked.given.id, asked.given.channel)


async def purge(asked: Asked[DeadBody]) -> Purged:
    """Forget dead letters."""
    return Purged(await asked.actions.purge(asked.given.id, asked.given.channel))


async def reload(asked: Asked[Nothing]) -> Reloaded:
    """Read the configuration anew; a bad one changes nothing and is refused."""
    await asked.actions.reload()
    return Reloaded(True)


async def collections(asked: Asked[Nothing]) -> Collections:
    """Return the collections that are told of, and how far each is."""
    return Collections(tuple(await asked.actions.collections()))


async def set_collection(asked: Asked[CollectionSettings]) -> CollectionSet:
    """Tell a set of jobs as one story; the settings are those of the configuration."""
    given = asked.given.model_dump(mode="json", exclude_defaults=True)
    await asked.actions.change_collection(asked.part, given)
    return CollectionSet(True)


async def remove_collection(asked: Asked[Nothing]) -> CollectionSet:
    """Undo that, for jobs to come."""
    await asked.actions.change_collection(asked.part, None)
    return CollectionSet(False)


async def mute(asked: Asked[MuteBody]) -> Muted:
    """Switch a channel off, for a while or until it is unmuted."""
    await asked.actions.mute(asked.part, asked.given.seconds)
    return Muted(True)


async def unmute(asked: Asked[Nothing]) -> Muted:
    """Switch a channel on again."""
    await asked.actions.unmute(asked.part)
    return Muted(False)


async def test(asked: Asked[Nothing]) -> Delivered:
    """Send a test message at once, past the queue."""
    await asked.actions.test(asked.part)
    return Delivered(True)


async def send(asked: Asked[MessageBody]) -> Stored:
    """Owe a text to a channel: stored first, then told like any other message."""
    body = asked.given
    return Stored(await asked.actions.send(body.text, body.channel, body.id))


ROUTES = (
    Route("GET", "/openapi.json", describe),
    Route("GET", "/v1/status", status),
    Route("GET", "/metrics", metrics, kind=CONTENT_TYPE),
    Route("GET", "/v1/history", history),
    Route("GET", "/v1/deliveries/{id}", delivery),
    Route("GET", "/v1/dead", dead),
    Route("POST", "/v1/dead/retry", retry),
    Route("POST", "/v1/dead/purge", purge),
    Route("POST", "/v1/reload", reload),
    Route("GET", "/v1/collections", collections),
    Route("PUT", "/v1/collections/{name}", set_collection),
    Route("DELETE", "/v1/collections/{name}", remove_collection),
    Route("POST", "/v1/channels/{name}/mute", mute),
    Route("POST", "/v1/channels/{name}/unmute", unmute),
    Route("POST", "/v1/channels/{name}/test", test),
    Route("POST", "/v1/messages", send, status=202),
)


def add_routes(app: web.Application, actions: Actions) -> None:
    """Join each path to the function that answers it."""
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handler(actions))
