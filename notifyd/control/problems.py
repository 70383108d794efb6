"""Errors as problem documents (RFC 9457)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web
from pydantic import ValidationError

from notifyd.control.actions import NotAllowed
from notifyd.outbox.errors import OutboxError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why it was not done. `title` is for people; `details` are the single reasons, if any."""

    type: str
    title: str
    status: int
    details: tuple[str, ...]


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a problem document; a bug is logged and shown as one."""
    try:
        return await handler(request)
    except NotAllowed as refusal:
        return _problem(refusal.status, refusal.title, refusal.details)
    except ValidationError as error:
        return _problem(400, "the request is not valid", _reasons(error))
    except OutboxError as error:
        return _problem(503, f"the store is in trouble: {error}")
    except web.HTTPException as error:
        return _problem(error.status, error.reason)
    except Exception:
        structlog.get_logger("control").exception("control_bug", path=request.path)
        return _problem(500, "a bug in notifyd; its log says more")


def _reasons(error: ValidationError) -> tuple[str, ...]:
    """Return each fault with its field; what is about no single field has none."""
    faults = ((".".join(map(str, fault["loc"])), _words(fault["msg"])) for fault in error.errors())
    return tuple(f"{field}: {text}" if field else text for field, text in faults)


def _words(message: str) -> str:
    return message.removeprefix("Value error, ")


def _problem(status: int, title: str, details: tuple[str, ...] = ()) -> web.Response:
    problem = Problem(type="about:blank", title=title, status=status, details=details)
    text = json.dumps(dataclasses.asdict(problem))
    return web.Response(status=status, text=text, content_type=CONTENT_TYPE)
