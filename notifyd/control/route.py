"""One route: what is asked is checked, handed on, and answered as the types say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from aiohttp import web
from pydantic import TypeAdapter

from notifyd.control.actions import Actions
from notifyd.control.problems import Handler
from notifyd.settings import Settings

G = TypeVar("G", bound=Settings)


@dataclass(frozen=True, slots=True)
class Asked(Generic[G]):
    """What is asked, of whom. `part` is what stands for the `{name}` of the path."""

    actions: Actions
    part: str
    given: G


@dataclass(frozen=True)
class Route:
    """A path and the function that answers it. Everything else is read off its signature."""

    method: str
    path: str
    does: Callable[[Asked[Any]], Awaitable[object]]
    status: int = 200
    kind: str = "application/json"
    """What is answered; what is not JSON is a text as it stands."""

    @property
    def summary(self) -> str:
        """What it is for."""
        return (self.does.__doc__ or "").strip()

    @cached_property
    def given(self) -> type[Settings]:
        """The model of what comes with a request."""
        (model,) = get_args(get_type_hints(self.does)["asked"])
        return model  # type: ignore[no-any-return]

    @cached_property
    def answer(self) -> TypeAdapter[object]:
        """The type of what is answered."""
        return TypeAdapter(get_type_hints(self.does)["return"])

    @property
    def has_body(self) -> bool:
        """Whether what is given comes as a body; otherwise it is the query."""
        return self.method in ("POST", "PUT")

    def handler(self, actions: Actions) -> Handler:
        """Return what the web server calls."""

        async def handle(request: web.Request) -> web.Response:
            part = next(iter(request.match_info.values()), "")
            asked = Asked(actions, part, await self._read(request))
            answer = await self.does(asked)
            is_json = self.kind == "application/json"
            body = self.answer.dump_json(answer) if is_json else str(answer).encode()
            headers = {"content-type": self.kind}
            return web.Response(status=self.status, body=body, headers=headers)

        return handle

    async def _read(self, request: web.Request) -> Settings:
        if self.has_body:
            return self.given.model_validate_json(await request.read() or b"{}")
        return self.given.model_validate(dict(request.query))
