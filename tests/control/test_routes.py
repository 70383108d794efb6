"""Each route hands on what is asked, and every error is a problem document (RFC 9457)."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from notifyd.client import Client, Refused
from notifyd.control.actions import ClusterView, CollectionView, NotAllowed, StatusView
from notifyd.control.server import serve
from notifyd.model import DeliveryState
from notifyd.outbox.records import Attempt, Record

CLUSTER = ClusterView(
    name="demo",
    jobs=3,
    last_poll=1_000_000.0,
    next_poll=1_000_030.0,
    unreachable_since=None,
    trouble=None,
    accounting=True,
    accounting_trouble=None,
)
STATUS = StatusView(
    version="1",
    pid=1,
    started=1_000_000.0,
    uptime_seconds=5.0,
    config="/config.yaml",
    config_loaded=1_000_000.0,
    config_trouble=None,
    clusters=(CLUSTER,),
    channels=(),
    unconfigured_backlog={"old": 2},
)
COLLECTION = CollectionView(
    name="sweep", cluster="demo", total=10, done=3, outcomes="2 ok · 1 failed (7)"
)
RECORD = Record(
    id="d1",
    channel="team",
    event_type="job_failed",
    subject="1",
    title="Job 1 failed",
    state=DeliveryState.DELIVERED,
    created=1.0,
    due=1.0,
    finished=2.0,
    detail=None,
    attempts=(Attempt(at=1.0, seconds=0.5, outcome="delivered", number=1),),
)


@dataclass(slots=True)
class FakeActions:
    """Notes what it is asked for; knows the channel `team`; raises `trouble` if there is one."""

    trouble: Exception | None = None
    muted: list[tuple[str, float | None]] = field(default_factory=list)
    unmuted: list[str] = field(default_factory=list)
    tested: list[str] = field(default_factory=list)
    sent: list[tuple[str, str, str | None]] = field(default_factory=list)
    looked_back: list[tuple[int, str | None]] = field(default_factory=list)
    collected: list[tuple[str, Mapping[str, object] | None]] = field(default_factory=list)
    reloads: int = 0

    async def status(self) -> StatusView:
        self._check()
        return STATUS

    async def history(self, limit: int, channel: str | None) -> list[Record]:
        self._check()
        self.looked_back.append((limit, channel))
        return [RECORD]

    async def reload(self) -> None:
        self._check()
        self.reloads += 1

    async def collections(self) -> list[CollectionView]:
        self._check()
        return [COLLECTION]

    async def change_collection(self, name: str, settings: Mapping[str, object] | None) -> None:
        self._check()
        self.collected.append((name, settings))

    async def mute(self, channel: str, seconds: float | None) -> None:
        self._check(channel)
        self.muted.append((channel, seconds))

    async def unmute(self, channel: str) -> None:
        self._check(channel)
        self.unmuted.append(channel)

    async def test(self, channel: str) -> None:
        self._check(channel)
        self.tested.append(channel)

    async def send(self, text: str, channel: str, id: str | None) -> str:
        self._check(channel)
        self.sent.append((text, channel, id))
        return "e1"

    def _check(self, channel: str = "team") -> None:
        if self.trouble is not None:
            raise self.trouble
        if channel != "team":
            raise NotAllowed(f"no channel `{channel}`; there are: team", status=404)


@dataclass(frozen=True, slots=True)
class Control:
    """A control socket that is served, and whom it asks."""

    path: Path
    actions: FakeActions

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, str, Any]:
        """Return status, content type and document of the answer."""
        connector = aiohttp.UnixConnector(str(self.path))
        limit = aiohttp.ClientTimeout(total=10)
        async with (
            aiohttp.ClientSession("http://localhost", connector=connector, timeout=limit) as web,
            web.request(method, path, data=body) as answer,
        ):
            return answer.status, answer.content_type, await answer.json(content_type=None)

    @property
    def client(self) -> Client:
        return Client(str(self.path), timeout=10)


@pytest.fixture
async def control() -> AsyncIterator[Control]:
    folder = Path(tempfile.mkdtemp(prefix="n-", dir="/tmp"))
    made = Control(folder / "control.sock", FakeActions())
    async with serve(made.actions, made.path):
        yield made
    shutil.rmtree(folder)


async def test_what_is_asked_is_handed_on(control: Control) -> None:
    """Each call of the client reaches its action, with what it was given."""
    client = control.client

    def use_everything() -> None:
        assert client.status()["clusters"][0]["jobs"] == 3
        (told,) = client.history(5, "team")
        assert (told["id"], told["attempts"][0]["outcome"]) == ("d1", "delivered")
        assert client.reload() == {"reloaded": True}
        assert client.collections()[0]["outcomes"] == "2 ok · 1 failed (7)"
        assert client.set_collection("a b", {"jobs": ["1"], "name": None}) == {"set": True}
        assert client.remove_collection("a b") == {"set": False}
        assert client.mute("team") == {"muted": True}
        assert client.unmute("team") == {"muted": False}
        assert client.test("team") == {"delivered": True}
        assert client.send("hello", "team", "7") == {"id": "e1"}

    await asyncio.to_thread(use_everything)
    actions = control.actions

    assert actions.looked_back == [(5, "team")]
    assert (actions.muted, actions.unmuted) == ([("team", None)], ["team"])
    assert (actions.tested, actions.reloads) == (["team"], 1)
    assert actions.sent == [("hello", "team", "7")]


async def test_an_unknown_channel_is_404(control: Control) -> None:
    """The title says which channels there are; a name can hold anything."""
    name = "../a b/%?"
    status, kind, problem = await control.ask("POST", "/v1/channels/x/mute")

    assert (status, kind) == (404, "application/problem+json")
    assert problem == {
        "type": "about:blank",
        "title": "no channel `x`; there are: team",
        "status": 404,
        "details": [],
    }
    for ask in (control.client.mute, control.client.unmute, control.client.test):
        with pytest.raises(Refused) as refused:
            await asyncio.to_thread(ask, name)
        assert refused.value.title == f"no channel `{name}`; there are: team"


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("POST", "/v1/channels/team/mute", b'{"seconds": -1}', "seconds: "),
        ("POST", "/v1/channels/team/mute", b'{"seconds": 1e999}', "seconds: "),
        ("POST", "/v1/channels/team/mute", b'{"minutes": 5}', "minutes: "),
        ("POST", "/v1/messages", b'{"text": "hi"}', "channel: "),
        ("POST", "/v1/messages", b'{"text": "", "channel": "team"}', "text: "),
        ("POST", "/v1/messages", b"", "JSON"),
        ("POST", "/v1/messages", b"\xff{", "JSON"),
        ("GET", "/v1/history?limit=0", b"", "limit: "),
        ("GET", "/v1/history?page=2", b"", "page: "),
    ],
)
async def test_a_bad_request_is_400_and_names_the_field(
    control: Control, method: str, path: str, body: bytes, named: str
) -> None:
    """Nothing is done, and the details say what is wrong where."""
    status, kind, problem = await control.ask(method, path, body)

    assert (status, kind) == (400, "application/problem+json")
    assert (problem["status"], problem["title"]) == (400, "the request is not valid")
    assert any(named in detail for detail in problem["details"])
    assert control.actions == FakeActions()


async def test_the_client_hands_the_details_on(control: Control) -> None:
    """Who uses it reads which field was wrong."""
    with pytest.raises(Refused) as refused:
        await asyncio.to_thread(control.client.mute, "team", -1)

    assert refused.value.title == "the request is not valid"
    assert any("seconds: " in detail for detail in refused.value.details)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/nothing", b"", 404),
        ("DELETE", "/v1/status", b"", 405),
        ("POST", "/v1/messages", b"x" * 70_000, 413),
    ],
)
async def test_what_no_route_takes_is_a_problem_document_too(
    control: Control, method: str, path: str, body: bytes, status: int
) -> None:
    """An unknown path, a wrong method, a body that is too large."""
    got, kind, problem = await control.ask(method, path, body)

    assert (got, kind) == (status, "application/problem+json")
    assert problem["status"] == status
    assert problem["title"]


async def test_a_refusal_keeps_its_status_and_reasons(control: Control) -> None:
    """What the daemon says no with is what the client gets."""
    control.actions.trouble = NotAllowed("not valid", ("line 1", "line 2"), status=422)
    status, kind, problem = await control.ask("POST", "/v1/reload")
    with pytest.raises(Refused) as refused:
        await asyncio.to_thread(control.client.reload)

    assert (status, kind) == (422, "application/problem+json")
    assert (problem["status"], problem["title"]) == (422, "not valid")
    assert problem["details"] == ["line 1", "line 2"]
    assert refused.value.details == ("line 1", "line 2")


async def test_a_bug_is_500_and_shows_nothing_of_itself(control: Control) -> None:
    """Its text may hold a secret: the log is the place for it. The next request is answered."""
    control.actions.trouble = ZeroDivisionError("CANARY")
    status, kind, problem = await control.ask("GET", "/v1/status")
    control.actions.trouble = None

    assert (status, kind) == (500, "application/problem+json")
    assert "bug in notifyd" in problem["title"]
    assert "CANARY" not in str(problem)
    assert "ZeroDivisionError" not in str(problem)
    assert (await control.ask("GET", "/v1/status"))[0] == 200
