"""Telegram, by a bot: https://core.telegram.org/bots/api#sendmessage"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import structlog
from pydantic import AfterValidator, BeforeValidator, Field

from notifyd.channels.addresses import ServerAddress
from notifyd.channels.base import Receipt
from notifyd.channels.failures import Fault, PermanentFailure
from notifyd.channels.plain import below_title, plain_text, title_of
from notifyd.channels.refs import checked_ref
from notifyd.channels.response import Response, accept, by_status, expect
from notifyd.channels.settings import EditableSettings, RateLimit
from notifyd.channels.text import clamp, units
from notifyd.channels.transport import Transport
from notifyd.clock import Clock
from notifyd.model import Delivery
from notifyd.settings import Secret

# core.telegram.org/bots/api#sendmessage: 4096 characters, which are UTF-16 units.
_TEXT = 4096
_TITLE = 250
_TAGS = len("<b></b>\n")

# core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this: 30 messages a second
# in all, one a second to the same chat, 20 a minute to the same group.
_TO_ALL = RateLimit(max_requests=25, window=1.0, burst=25)
_TO_A_CHAT = RateLimit(max_requests=1, window=1.0, burst=3)
_TO_A_GROUP = RateLimit(max_requests=20, window=60.0, burst=1)

_TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{10,100}")
_CHAT = re.compile(r"-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31}")

_GONE = ("message to edit not found", "message can't be edited")
_NOT_TO_THIS_CHAT = (
    *("chat not found", "group chat was upgraded", "group chat was deactivated"),
    *("not enough rights", "need administrator rights", "have no rights to send"),
    *("CHAT_WRITE_FORBIDDEN", "CHAT_RESTRICTED", "TOPIC_CLOSED", "TOPIC_DELETED"),
    "message thread not found",
)
"""In the `description` of a 400: the bot, or everybody, may not write there."""


def _bot_token(token: Secret) -> Secret:
    if not _TOKEN.fullmatch(token.get_secret_value()):
        raise ValueError("not the token of a bot: it has to look like 110201543:AAHdqTcvCH1v")
    return token


def _several(value: object) -> object:
    ids = value if isinstance(value, list | tuple) else (value,)
    return tuple(str(id) if type(id) is int else id for id in ids)


def _checked_chats(ids: tuple[str, ...]) -> tuple[str, ...]:
    for id in ids:
        if not _CHAT.fullmatch(id):
            raise ValueError(
                "a chat is a number, below zero for a group, or the @name of a channel"
            )
    return tuple(dict.fromkeys(ids))


Chats = Annotated[tuple[str, ...], BeforeValidator(_several), AfterValidator(_checked_chats)]


class TelegramSettings(EditableSettings):
    """A bot, and the chats that it writes to."""

    type: Literal["telegram"] = "telegram"
    rate_limit: RateLimit = _TO_ALL
    """For all chats together; each has a limit of its own besides."""
    token: Annotated[Secret, AfterValidator(_bot_token)]
    """What @BotFather gave for the bot."""
    chat_id: Annotated[Chats, Field(min_length=1)]
    """One or several. A person has to write to the bot first, a group to take it in."""
    api_url: ServerAddress = "https://api.telegram.org"
    """Another one is for a Bot API server of one's own, and for proxies."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The chats: each is owed a delivery of its own."""
        return self.chat_id

    @property
    def target_limit(self) -> RateLimit:
        """How fast one chat may be written to: that of a group, if there is one among them."""
        return _TO_A_CHAT if all(id.isdecimal() for id in self.chat_id) else _TO_A_GROUP


class Telegram:
    """Writes to chats as a bot, and changes what it wrote."""

    def __init__(self, settings: TelegramSettings, transport: Transport, clock: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._log = structlog.get_logger("channels.telegram")

    async def send(self, delivery: Delivery) -> Receipt:
        """Send the delivery to its chat, or raise Temporary- or PermanentFailure.

        A group that has moved is followed. What was written before cannot be changed there.
        """
        response = await self._call("sendMessage", delivery, {})
        moved = _moved(response)
        if moved:
            self._log.warning(
                "chat_moved", channel=delivery.channel, action="mend_chat_id", to=moved
            )
            response = await self._call("sendMessage", delivery, {"chat_id": moved})
        self._accept(response, delivery)
        id = response.found("result", "message_id")
        return Receipt(ref=str(id) if isinstance(id, int) else None, status=response.status)

    async def edit(self, delivery: Delivery, ref: str) -> Receipt:
        """Write the delivery over the message `ref`, or raise as `send` does."""
        message = {"message_id": int(checked_ref(ref))}
        response = await self._call("editMessageText", delivery, message)
        if _moved(response):  # there, the number is that of another message
            raise PermanentFailure("the group of the message has moved", status=response.status)
        if "message is not modified" not in _description(response):
            self._accept(response, delivery)
        return Receipt(ref=ref, status=response.status)

    async def _call(self, method: str, delivery: Delivery, more: Mapping[str, Any]) -> Response:
        settings, token = self._settings, self._settings.token
        content = {"chat_id": self._chat(delivery), **payload(delivery), **more}
        return await self._transport.post(
            Secret(f"{settings.api_url}/bot{token.get_secret_value()}/{method}"),
            json.dumps(content).encode(),
            {"Content-Type": "application/json"},
            settings.timeout,
            besides=(token,),
        )

    def _accept(self, response: Response, delivery: Delivery) -> None:
        accept(
            response,
            self._clock.now(),
            rich=not delivery.plain,
            judge=self._fault,
            target=f"chat {self._chat(delivery)}",
        )
        expect(response.found("ok") is True, response, "Telegram")

    def _fault(self, response: Response) -> Fault:
        said = _description(response)
        if any(words in said for words in _GONE):
            return Fault.MESSAGE  # then a new one is sent
        # Of several chats, one that is gone does not stop the others.
        if said and (response.status == 403 or any(words in said for words in _NOT_TO_THIS_CHAT)):
            return Fault.CHANNEL if len(self._settings.chat_id) == 1 else Fault.MESSAGE
        return by_status(response)

    def _chat(self, delivery: Delivery) -> str:
        return delivery.target or self._settings.chat_id[0]


def escape(text: str) -> str:
    """Return the text as HTML, see core.telegram.org/bots/api#html-style."""
    return html.escape(unmentioned(text), quote=False)


def unmentioned(text: str) -> str:
    """Return the text with a mark of no width behind each `@`: the name calls nobody then."""
    return text.replace("@", "@\u2060")


def payload(delivery: Delivery) -> dict[str, Any]:
    """Return what is said, as the bot's calls take it."""
    shown = {"link_preview_options": {"is_disabled": True}}
    if delivery.plain:
        return {"text": plain_text(delivery, _TEXT, unmentioned), **shown}
    title = clamp(title_of(delivery), _TITLE, escape)
    details = below_title(delivery.message, _TEXT - units(title) - _TAGS, escape)
    return {"text": f"<b>{title}</b>\n{details}".rstrip(), "parse_mode": "HTML", **shown}


def _moved(response: Response) -> str | None:
    """Return what a group is called since it has become a supergroup."""
    id = response.found("parameters", "migrate_to_chat_id")
    return str(id) if isinstance(id, int) else None


def _description(response: Response) -> str:
    return str(response.found("description") or "")
