"""Each route hands on what is asked, and every error is a problem document (RFC 9457)."""

from __future__ import annotations

import asyncio

import pytest

from notifyd.client import Refused
from notifyd.control.actions import NotAllowed
from notifyd.model import DeliveryState
from notifyd.outbox.errors import OutboxError
from tests.control.parts import Control, FakeActions


async def test_what_is_asked_is_handed_on(control: Control) -> None:
    """Each call of the client reaches its action, with what it was given."""
    client = control.client

    def use_everything() -> None:
        assert client.status()["clusters"][0]["jobs"] == 3
        (told,) = client.history(5, "team", "dead")
        assert (told["id"], told["attempts"][0]["outcome"]) == ("d1", "delivered")
        assert client.delivery("d/1")["rule"] == "channel"
        assert client.dead(7, "team")["counts"] == {"team": 1}
        assert client.dead()["deliveries"][0]["id"] == "d1"
        assert client.retry("d1") == {"retried": 2, "left": {"old": 1}}
        assert client.retry_all("team")["left"] == {"old": 1}
        assert client.purge("d1") == client.purge_all() == {"purged": 3}
        assert client.openapi()["openapi"] == "3.1.0"
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

    state = DeliveryState.DEAD
    assert actions.looked_back == [(5, "team", state), ("d/1",), (7, "team"), (20, None)]
    assert actions.retried == [("d1", None), (None, "team")]
    assert actions.purged == [("d1", None), (None, None)]
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
        ("POST", "/v1/messages", b"", "text: "),
        ("POST", "/v1/messages", b'{"text": 5, "channel": "team"}', "text: "),
        ("POST", "/v1/channels/team/unmute", b'{"seconds": 5}', "seconds: "),
        ("POST", "/v1/dead/retry", b"", "give either `id` or `all`"),
        ("POST", "/v1/dead/retry", b'{"id": "d1", "all": true}', "give either `id` or `all`"),
        ("POST", "/v1/dead/retry", b'{"all": 1}', "all: "),
        ("POST", "/v1/dead/purge", b"{}", "give either `id` or `all`"),
        ("POST", "/v1/dead/purge", b'{"id": ""}', "id: "),
        ("POST", "/v1/dead/purge", b'{"id": "d1", "channel": "team"}', "goes with `all`"),
        ("GET", "/v1/dead?limit=x", b"", "limit: "),
        ("GET", "/v1/history?state=gone", b"", "state: "),
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


async def test_a_store_in_trouble_is_503_with_the_reason(control: Control) -> None:
    """It is no bug, and passes: whoever asks can try again."""
    control.actions.trouble = OutboxError("/s/outbox.sqlite: database or disk is full")
    status, kind, problem = await control.ask("GET", "/v1/dead")

    assert (status, kind) == (503, "application/problem+json")
    assert problem["title"] == (
        "the store is in trouble: /s/outbox.sqlite: database or disk is full"
    )


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
