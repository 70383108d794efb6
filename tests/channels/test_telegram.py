"""Telegram: within its limits, one delivery a chat, and nothing is markup or calls anybody."""

from __future__ import annotations

import html
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.registry import Tools
from notifyd.channels.telegram import Telegram, TelegramSettings, escape, payload
from notifyd.channels.text import units
from tests.channels.parts import TAKEN, Sink, delivery_of, texts
from tests.webserver import serving

OLD, NEW = -123, -1001234567890
TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


def _settings(**changes: Any) -> TelegramSettings:
    return TelegramSettings.model_validate({"token": TOKEN, "chat_id": 5} | changes)


def _telegram(tools: Tools, sink: Sink, **changes: Any) -> Telegram:
    settings = _settings(api_url=sink.url, **changes)
    return Telegram(settings, tools.transport, tools.clock)


def _refusal(status: int, description: str, **parameters: int) -> str:
    return json.dumps(
        {"ok": False, "error_code": status, "description": description, "parameters": parameters}
    )


def _refuses(sink: Sink, status: int, description: str, **parameters: int) -> None:
    sink.status, sink.text = status, _refusal(status, description, **parameters)


@dataclass(slots=True)
class MovedGroup(Sink):
    """A service that knows a group only by its new number."""

    async def answer(self, request: web.Request) -> web.Response:
        """Refuse the old number with the new one."""
        await Sink.answer(self, request)
        if self.said()["chat_id"] == str(NEW):
            return web.Response(text=TAKEN)
        words = "Bad Request: group chat was upgraded to a supergroup chat"
        return web.Response(status=400, text=_refusal(400, words, migrate_to_chat_id=NEW))


@pytest.fixture
async def moved_group() -> AsyncIterator[MovedGroup]:
    service = MovedGroup()
    async with serving(service.answer) as service.url:
        yield service


async def test_a_message_as_telegram_wants_it(tools: Tools, sink: Sink) -> None:
    """The title is bold, no link grows a picture, and the message's number comes back."""
    sink.text = '{"ok": true, "result": {"message_id": 365}}'
    receipt = await _telegram(tools, sink).send(delivery_of(title="a < b", facts=(("Job", "1"),)))
    (taken,) = sink.taken

    assert (taken.method, taken.path) == ("POST", f"/bot{TOKEN}/sendMessage")
    assert sink.said() == {
        "chat_id": "5",
        "text": "<b>❌ a &lt; b</b>\nIt ran for 3 h 20 min.\n\nJob: 1",
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }
    assert (receipt.ref, receipt.status) == ("365", 200)


async def test_the_plain_form_is_text_alone(tools: Tools, sink: Sink) -> None:
    """What Telegram cannot read as HTML is sent as text, which needs no escapes."""
    await _telegram(tools, sink).send(delivery_of(title="a < b", body="", facts=(), plain=True))

    assert sink.said()["text"] == "❌ a < b"
    assert "parse_mode" not in sink.said()


async def test_each_chat_is_owed_its_own(tools: Tools, sink: Sink) -> None:
    """The delivery says to which chat it goes."""
    telegram = _telegram(tools, sink, chat_id=[5, -100123])
    await telegram.send(delivery_of(target="-100123"))

    assert sink.said()["chat_id"] == "-100123"


@pytest.mark.parametrize(
    ("chat_id", "targets", "a_minute"),
    [
        (5, ("5",), 60),
        ("5", ("5",), 60),
        ([5, 6, 5], ("5", "6"), 60),
        (-100123, ("-100123",), 20),
        ([5, "-100123"], ("5", "-100123"), 20),
        ("@news", ("@news",), 20),
    ],
)
def test_groups_are_written_to_more_slowly(
    chat_id: object, targets: tuple[str, ...], a_minute: int
) -> None:
    """One chat takes one a second, a group 20 a minute."""
    settings = _settings(chat_id=chat_id)
    limit = settings.target_limit

    assert settings.targets == targets
    assert limit.max_requests / limit.window * 60 == a_minute


async def test_a_message_is_changed_where_it_is(tools: Tools, sink: Sink) -> None:
    """By its number, in its chat."""
    receipt = await _telegram(tools, sink).edit(delivery_of(), "365")

    assert sink.taken[0].path == f"/bot{TOKEN}/editMessageText"
    assert (sink.said()["message_id"], sink.said()["chat_id"]) == (365, "5")
    assert receipt.ref == "365"


async def test_a_message_that_says_it_already_is_left(tools: Tools, sink: Sink) -> None:
    """A change to the same is no failure."""
    _refuses(sink, 400, "Bad Request: message is not modified: specified new message content")

    assert (await _telegram(tools, sink).edit(delivery_of(), "365")).ref == "365"


@pytest.mark.parametrize(
    ("status", "description", "fault"),
    [
        (400, "Bad Request: can't parse entities: unsupported start tag", Fault.FORM),
        (400, "Bad Request: message is too long", Fault.FORM),
        (400, "Bad Request: chat not found", Fault.CHANNEL),
        (400, "Bad Request: message to edit not found", Fault.MESSAGE),
        (400, "Bad Request: message can't be edited", Fault.MESSAGE),
        (400, "Bad Request: not enough rights to send text messages to the chat", Fault.CHANNEL),
        (400, "Bad Request: need administrator rights in the channel chat", Fault.CHANNEL),
        (400, "Bad Request: TOPIC_CLOSED", Fault.CHANNEL),
        (401, "Unauthorized", Fault.CHANNEL),
        (403, "Forbidden: bot was blocked by the user", Fault.CHANNEL),
        (404, "Not Found", Fault.CHANNEL),
    ],
)
async def test_telegram_says_whose_fault_it_is(
    tools: Tools, sink: Sink, status: int, description: str, fault: Fault
) -> None:
    """The words count, and the reason names the chat."""
    _refuses(sink, status, description)
    with pytest.raises(PermanentFailure, match=rf"^chat 5: .*{description}") as failure:
        await _telegram(tools, sink).edit(delivery_of(), "365")

    assert failure.value.fault is fault


@pytest.mark.parametrize(
    ("status", "description", "fault"),
    [
        (403, "Forbidden: bot was blocked by the user", Fault.MESSAGE),
        (400, "Bad Request: chat not found", Fault.MESSAGE),
        (400, "Bad Request: not enough rights to send text messages to the chat", Fault.MESSAGE),
        (400, "Bad Request: can't parse entities", Fault.FORM),
        (401, "Unauthorized", Fault.CHANNEL),
        (404, "Not Found", Fault.CHANNEL),
        (410, "Gone", Fault.CHANNEL),
        (307, "", Fault.CHANNEL),
        (403, "", Fault.CHANNEL),
    ],
)
async def test_one_chat_that_is_gone_stops_no_other(
    tools: Tools, sink: Sink, status: int, description: str, fault: Fault
) -> None:
    """Of several, only what was for that chat is lost; a bot that is refused stops for all.

    A 404 is a bot that Telegram does not know, a 403 without its words is not Telegram's.
    """
    telegram = _telegram(tools, sink, chat_id=[5, 6])
    _refuses(sink, status, description)
    with pytest.raises(PermanentFailure) as failure:
        await telegram.send(delivery_of())

    assert failure.value.fault is fault


async def test_a_group_that_moved_is_followed(tools: Tools, moved_group: MovedGroup) -> None:
    """Telegram says where to, and the message is sent there at once."""
    receipt = await _telegram(tools, moved_group, chat_id=OLD).send(delivery_of())

    assert [json.loads(one.body)["chat_id"] for one in moved_group.taken] == [str(OLD), str(NEW)]
    assert receipt.ref == "17"


async def test_a_message_in_a_group_that_moved_is_told_anew(
    tools: Tools, moved_group: MovedGroup
) -> None:
    """In the new group its number is that of another message."""
    with pytest.raises(PermanentFailure, match="has moved") as failure:
        await _telegram(tools, moved_group, chat_id=OLD).edit(delivery_of(), "17")

    assert failure.value.fault is Fault.MESSAGE
    assert len(moved_group.taken) == 1


async def test_a_move_without_an_end_is_given_up(tools: Tools, sink: Sink) -> None:
    """The new group is tried once; if it has moved too, the reason says where to."""
    words = "Bad Request: group chat was upgraded to a supergroup chat"
    _refuses(sink, 400, words, migrate_to_chat_id=NEW)
    with pytest.raises(PermanentFailure, match=str(NEW)) as failure:
        await _telegram(tools, sink, chat_id=OLD).send(delivery_of())

    assert failure.value.fault is Fault.CHANNEL
    assert len(sink.taken) == 2


async def test_only_the_chat_that_had_too_many_rests(tools: Tools, sink: Sink) -> None:
    """The pause is in the body."""
    _refuses(sink, 429, "Too Many Requests: retry after 35", retry_after=35)
    with pytest.raises(TemporaryFailure) as failure:
        await _telegram(tools, sink, chat_id=[5, 6]).send(delivery_of(target="6"))

    assert (failure.value.retry_after, failure.value.only_target) == (35.0, True)


async def test_the_token_alone_is_not_shown_either(tools: Tools, sink: Sink) -> None:
    """In the address it stands behind `bot`; an answer may name it without."""
    _refuses(sink, 401, f"no bot has {TOKEN}")
    with pytest.raises(PermanentFailure) as failure:
        await _telegram(tools, sink).send(delivery_of())

    assert TOKEN not in failure.value.reason


@given(texts, st.integers(0, 40), st.booleans())
def test_the_limit_is_kept(text: str, facts: int, plain: bool) -> None:
    """4096 units, and a cut falls into no tag: there is one, and it is whole."""
    delivery = delivery_of(text, text * 90, ((text, text * 9),) * facts, plain=plain)
    said = payload(delivery)["text"]

    assert 1 <= units(said) <= 4096
    if not plain:
        assert re.findall(r"<[^>]*>", said) == ["<b>", "</b>"]


@given(st.text() | texts)
def test_no_text_is_markup(text: str) -> None:
    """No sign that Telegram obeys is left, and people read what was written."""
    escaped = escape(text)

    assert not {"<", ">"} & set(escaped)
    assert html.unescape(escaped).replace("@\u2060", "@") == html.unescape(html.escape(text))


def test_no_name_calls_anybody() -> None:
    """Telegram looks for @names by itself: they are parted without a sight of it."""
    assert "@alice" not in payload(delivery_of(body="@alice"))["text"]
    assert "@alice" not in payload(delivery_of(body="@alice", plain=True))["text"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "hunter2"},
        {"token": f"{TOKEN}/../hunter2"},
        {"chat_id": []},
        {"chat_id": "alice"},
        {"chat_id": True},
        {"chat_id": 1.5},
        {"api_url": "https://hunter2@host"},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    """What cannot work is found when the configuration is read, and no token is repeated."""
    with pytest.raises(ValidationError) as error:
        _settings(**wrong)

    assert "hunter2" not in str(error.value)
