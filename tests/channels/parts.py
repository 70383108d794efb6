"""A web service that answers as it is told, and deliveries that mean harm."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from hypothesis import strategies as st

from notifyd.model import Delivery, Event, Message, Scalar, Severity
from tests.webserver import serving

HOSTILE = (
    "a|b",
    "two\nlines",
    "unit\x1fseparator",
    "🎉 party",
    "<!channel> <@U1> @everyone",
    "{{7*7}}",
    "x" * 300,
    "\x1b[31mred\x1b]8;;http://evil.example\x07",
    "\u202eegap\u2066",
    "[click](https://evil.example) ```code``` ||spoiler||",
    "<b>bold</b> & <script>alert(1)</script>",
    "=?utf-8?q?x=0ABcc:_evil@example.org?=",
    "=?utf-8?b?eApCY2M6IGV2aWxAZXhhbXBsZS5vcmc=?=",
    "Bcc: evil@example.org\r\nBcc: evil@example.org\x0b\x0c\x85\u2028\u2029",
    "half a pair \ud83d",
    "\x00nul",
)
"""What a job may be called."""

ANSWERS: dict[str, Any] = {
    "ok": True,
    "id": "17",
    "event_id": "$event",
    "sequence_id": "d" * 32,
    "channel": "C1",
    "ts": "1.2",
    "result": {"message_id": 17},
}
TAKEN = json.dumps(ANSWERS)
"""What every service says of a message that it has taken, in one."""

texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(), max_size=400),
    st.text("*_~`|<>#[]()@:\\-+1. \n&;=?!cha\x1b\u202e", max_size=80),
)


def delivery_of(
    title: str = "Job 4711 (train) failed: exit code 1",
    body: str = "It ran for 3 h 20 min.",
    facts: tuple[tuple[str, str], ...] = (("Job", "4711"), ("State", "FAILED")),
    severity: Severity = Severity.ERROR,
    data: Mapping[str, Scalar] | None = None,
    subject: str = "4711",
    plain: bool = False,
    target: str = "",
) -> Delivery:
    """Return a delivery that says this."""
    event = Event(
        id="event-1",
        type="job_failed",
        severity=severity,
        time=1_795_262_400.25,
        source="/slurm/c1",
        subject=subject,
        group="c1/4711",
        data={"job_id": "4711", "account": None, "exit_code": 1} if data is None else data,
    )
    message = Message(title=title, body=body, facts=facts)
    return Delivery(
        id="d" * 32, channel="team", event=event, message=message, plain=plain, target=target
    )


def hostile_delivery(text: str, plain: bool = False) -> Delivery:
    """Return a delivery that holds the text wherever a user's text can get."""
    return delivery_of(
        title=text,
        body=text,
        facts=((text, text),),
        data={"job_name": text},
        subject=text,
        plain=plain,
    )


@dataclass(slots=True)
class Taken:
    """One request as the service got it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Sink:
    """A web service on this machine."""

    url: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = TAKEN
    echoes: bool = False
    """Whether the answer repeats all that was asked, secrets included."""
    taken: list[Taken] = field(default_factory=list)

    def said(self) -> dict[str, Any]:
        """Return the JSON of the last request."""
        content: dict[str, Any] = json.loads(self.taken[-1].body)
        return content

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.taken.append(Taken(request.method, request.path_qs, request.headers, body))
        text = f"{self.url} {request.path_qs} {dict(request.headers)}" if self.echoes else self.text
        return web.Response(status=self.status, headers=self.headers, text=text)


@asynccontextmanager
async def running_sink() -> AsyncIterator[Sink]:
    """Run a sink on a free port."""
    sink = Sink()
    async with serving(sink.answer) as sink.url:
        yield sink
