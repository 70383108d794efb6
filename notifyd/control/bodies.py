"""What can come with a request: the query of a GET, the JSON body of everything else."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from notifyd.model import DeliveryState
from notifyd.settings import Settings


class Nothing(Settings):
    """No more than the path."""


class Query(Settings, use_attribute_docstrings=True):
    """Texts, as they stand in an address."""


class Body(Settings, use_attribute_docstrings=True, strict=True):
    """JSON, each value of its own type."""


class DeadQuery(Query):
    """`GET /v1/dead?limit=20&channel=mail`."""

    limit: int = Field(default=20, ge=1, le=1000)
    """At most so many, the newest."""
    channel: str | None = Field(default=None, max_length=100)
    """Only this channel's."""


class HistoryQuery(DeadQuery):
    """`GET /v1/history?limit=20&channel=mail&state=dead`."""

    state: DeliveryState | None = None
    """Only those that stand there."""


class DeadBody(Body):
    """Which dead letters: one by its `id`, or `all`, which may be those of one `channel`."""

    id: str | None = Field(default=None, min_length=1, max_length=100)
    """The delivery's id, or its beginning where no other begins so."""
    all: bool = False
    channel: str | None = Field(default=None, max_length=100)
    """With `all`: only this channel's."""

    @model_validator(mode="after")
    def _one_or_all(self) -> Self:
        if (self.id is not None) == self.all:
            raise ValueError("give either `id` or `all`")
        if self.channel is not None and not self.all:
            raise ValueError("`channel` goes with `all`")
        return self


class MuteBody(Body):
    """For how long; without it until it is unmuted."""

    seconds: float | None = Field(default=None, gt=0, le=366 * 86400)


class MessageBody(Body):
    """A text for one channel."""

    text: str = Field(min_length=1, max_length=20_000)
    channel: str = Field(max_length=100)
    id: str | None = Field(default=None, max_length=200)
    """The same `id` is told only once."""
