"""Matrix: within its limits, once however often it is sent, and nothing is markup."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.matrix import Matrix, MatrixSettings, payload, replacement
from notifyd.channels.refs import placed
from notifyd.channels.registry import Tools
from tests.channels.parts import Sink, delivery_of, texts

TOKEN = "syt_hunter2"
ROOM = "/_matrix/client/v3/rooms/!abc:example.org/send/m.room.message/"


def _matrix(tools: Tools, sink: Sink, **changes: Any) -> Matrix:
    values = {"homeserver": sink.url, "room_id": "!abc:example.org", "access_token": TOKEN}
    return Matrix(MatrixSettings.model_validate(values | changes), tools.transport, tools.clock)


async def test_a_message_as_matrix_wants_it(tools: Tools, sink: Sink) -> None:
    """Text for all, a page for most, nobody mentioned, and the event's id in return."""
    sink.text = '{"event_id": "$abc:example.org"}'
    receipt = await _matrix(tools, sink).send(delivery_of(title="a < b", facts=(("Job", "1"),)))
    (taken,) = sink.taken

    assert (taken.method, unquote(taken.path)) == ("PUT", ROOM + "d" * 32)
    assert taken.headers["Authorization"] == f"Bearer {TOKEN}"
    assert sink.said() == {
        "msgtype": "m.text",
        "body": "❌ a < b\nIt ran for 3 h 20 min.\n\nJob: 1",
        "m.mentions": {},
        "format": "org.matrix.custom.html",
        "formatted_body": "<strong>❌ a &lt; b</strong><br>It ran for 3 h 20 min.<br><br>Job: 1",
    }
    assert receipt.ref == placed("$abc:example.org", "!abc:example.org")
    assert receipt.status == 200


async def test_a_retry_is_the_same_transaction(tools: Tools, sink: Sink) -> None:
    """The server takes it once, however often it is sent."""
    for _ in range(2):
        await _matrix(tools, sink).send(delivery_of())

    assert sink.taken[0].path == sink.taken[1].path


async def test_the_plain_form_has_no_page(tools: Tools, sink: Sink) -> None:
    """The text stays."""
    await _matrix(tools, sink).send(delivery_of(plain=True))

    assert set(sink.said()) == {"msgtype", "body", "m.mentions"}


async def test_a_message_is_replaced(tools: Tools, sink: Sink) -> None:
    """A transaction of its own; the id stays that of the first event, which all changes name."""
    sink.text = '{"event_id": "$other"}'
    ref = placed("$abc", "!abc:example.org")
    receipt = await _matrix(tools, sink).edit(delivery_of(), ref)

    assert unquote(sink.taken[0].path) == ROOM + "d" * 32 + ".edit"
    assert sink.said()["m.relates_to"] == {"rel_type": "m.replace", "event_id": "$abc"}
    assert sink.said()["m.new_content"] == payload(delivery_of())
    assert sink.said()["body"].startswith("* ❌ Job 4711")
    assert receipt.ref == ref


async def test_a_wish_for_a_pause_is_heard(tools: Tools, sink: Sink) -> None:
    """It is told in milliseconds."""
    sink.status = 429
    sink.text = '{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}'
    with pytest.raises(TemporaryFailure, match="M_LIMIT_EXCEEDED") as failure:
        await _matrix(tools, sink).send(delivery_of())

    assert failure.value.retry_after == 2.5


@pytest.mark.parametrize(
    ("status", "code", "fault"),
    [
        (401, "M_UNKNOWN_TOKEN", Fault.CHANNEL),
        (403, "M_FORBIDDEN", Fault.CHANNEL),
        (400, "M_BAD_JSON", Fault.FORM),
        (413, "M_TOO_LARGE", Fault.FORM),
    ],
)
async def test_the_status_tells_whose_fault_it_is(
    tools: Tools, sink: Sink, status: int, code: str, fault: Fault
) -> None:
    """The server's own code is shown."""
    sink.status, sink.text = status, json.dumps({"errcode": code, "error": "no"})
    with pytest.raises(PermanentFailure, match=code) as failure:
        await _matrix(tools, sink).send(delivery_of())

    assert failure.value.fault is fault


@pytest.mark.parametrize("text", ['{"event_id": 5}', f'{{"event_id": "{TOKEN}"}}'])
async def test_what_is_no_id_is_not_kept(tools: Tools, sink: Sink, text: str) -> None:
    """The message has arrived all the same, and no secret gets into the history."""
    sink.text = text

    assert (await _matrix(tools, sink).send(delivery_of())).ref is None


@given(texts, st.integers(0, 40))
def test_the_limit_is_kept(text: str, facts: int) -> None:
    """Even a change, which says everything twice, is below 65,536 bytes, envelope and all."""
    content = payload(delivery_of(text * 9, text * 200, ((text, text * 9),) * facts))
    event = replacement(content, "$" + "e" * 254)

    assert len(json.dumps(event, ensure_ascii=False).encode()) < 60_000


@pytest.mark.parametrize("line", ["", "x", "\u20ac", "&", '"'])
def test_no_kind_of_line_breaks_the_limit(line: str) -> None:
    """Short lines have the most of what is added."""
    event = replacement(payload(delivery_of(body=f"{line}\n" * 9000)), "$e")

    assert len(json.dumps(event, ensure_ascii=False).encode()) < 60_000


@given(texts)
def test_no_text_is_markup(text: str) -> None:
    """The page around a text is the page around any other, but for its lines."""
    page = payload(delivery_of(text, text, ((text, text),)))["formatted_body"]

    assert set(re.findall(r"<[^>]*>", page)) <= {"<strong>", "</strong>", "<br>"}
    assert page.count("<strong>") == page.count("</strong>") == 1


@pytest.mark.parametrize("room_id", ["#hpc:example.org", "!a b:example.org", "", "!"])
def test_a_room_has_its_own_id(tools: Tools, sink: Sink, room_id: str) -> None:
    """A #name has to be looked up first, and may come to mean another room."""
    with pytest.raises(ValidationError, match="room_id"):
        _matrix(tools, sink, room_id=room_id)


def test_the_usual_limit_is_kept(tools: Tools, sink: Sink) -> None:
    """Synapse takes ten at once from an account, and then one in five seconds."""
    values = {"homeserver": sink.url, "room_id": "!abc:example.org", "access_token": TOKEN}
    limit = MatrixSettings.model_validate(values).rate_limit

    assert limit.burst <= 10
    assert limit.max_requests / limit.window <= 0.2
