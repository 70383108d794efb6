"""What `notifyd init` has to know, and which answers make sense."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from notifyd.channels.addresses import MailAddress
from notifyd.channels.matrix import MatrixSettings
from notifyd.channels.ntfy import NtfySettings
from notifyd.channels.settings import ChannelSettings
from notifyd.channels.telegram import TelegramSettings

CHOICES: Mapping[str, str] = {
    "slack": "a Slack channel (also Mattermost, Rocket.Chat)",
    "discord": "a Discord channel",
    "telegram": "a Telegram chat, through a bot",
    "ntfy": "your phone, through ntfy.sh or a server like it",
    "matrix": "a Matrix room, not encrypted",
    "email": "your mailbox",
    "webhook": "your own web service",
    "desktop": "pop-ups on the desktop of this machine",
    "console": "the terminal in which notifyd runs",
}
EVENTS: Mapping[str, tuple[str, ...]] = {
    "ends": ("job_ended", "job_stuck"),
    "failures": ("job_failed", "job_stuck"),
    "all": ("all",),
}
WITH_ADDRESS = frozenset({"slack", "discord", "telegram", "ntfy", "matrix", "email", "webhook"})
SECRET = frozenset({"slack", "discord", "ntfy", "webhook"})
"""Whose address alone lets anybody in."""
WITH_TOKEN = frozenset({"telegram", "matrix"})
"""Who needs a secret besides."""

_USUAL = {
    # docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    "slack": (r"https://hooks\.slack(-gov)?\.com/services/.+", "https://hooks.slack.com/services/"),
    # discord.com/developers/docs/resources/webhook
    "discord": (
        r"https://([a-z]+\.)?discord(app)?\.com/api/(v\d+/)?webhooks/\d+/.+",
        "https://discord.com/api/webhooks/",
    ),
}
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(?::(?P<port>\d{1,5}))?")
_OWN_RULES: Mapping[str, type[ChannelSettings]] = {
    "telegram": TelegramSettings,
    "ntfy": NtfySettings,
    "matrix": MatrixSettings,
}
_ROOM = "not a room: it has to look like https://matrix.org/!room:matrix.org"
_MAIL: TypeAdapter[str] = TypeAdapter(MailAddress)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Answers:
    """Everything that a first configuration is made of. Has no repr: there are secrets in it."""

    kind: str
    address: str = ""
    token: str = ""
    smtp_host: str = "localhost"
    events: str = "ends"

    def __repr__(self) -> str:
        return f"Answers(kind={self.kind!r}, events={self.events!r})"


def is_reference(text: str) -> bool:
    """Tell whether a text comes from the environment, as `${NAME}`."""
    return _REFERENCE.search(text) is not None


def references(text: str) -> set[str]:
    """Return the names of the variables that a text is made of."""
    return set(_REFERENCE.findall(text))


def settings_of(answers: Answers) -> dict[str, str]:
    """Return the settings that address and token are, by their names."""
    address, token = answers.address, answers.token
    server, _, name = address.rpartition("/")
    match answers.kind:
        case "slack" | "discord":
            return {"webhook_url": address}
        case "webhook":
            return {"url": address}
        case "telegram":
            return {"token": token, "chat_id": address}
        case "ntfy":
            return {"server": server, "topic": name} if server else {"topic": name}
        case "matrix":
            return {"homeserver": server, "room_id": name, "access_token": token}
    return {}


def check_address(kind: str, address: str) -> str | None:
    """Return what is wrong with an address, without the address in it, or None."""
    if is_reference(address):
        return None
    if kind in _OWN_RULES:
        return _check_settings(Answers(kind=kind, address=address))
    return _check_mail(address) if kind == "email" else _check_web(address)


def check_token(kind: str, token: str) -> str | None:
    """Return what is wrong with a token, without the token in it, or None."""
    if is_reference(token):
        return None
    if not token.isprintable() or not token or " " in token:
        return "a token is one word"
    return _check_settings(Answers(kind=kind, token=token))


def hint(kind: str, address: str) -> str | None:
    """Return what is unusual about an address that may well be right, or None."""
    pattern, usual = _USUAL.get(kind, ("", ""))
    if is_reference(address) or re.match(pattern, address):
        return None
    return f"Note: {kind.title()}'s addresses begin with {usual} as a rule, this one does not."


def check_host(text: str) -> str | None:
    """Return what is wrong with a mail server, or None."""
    match = _HOST.fullmatch(text)
    if match and 0 < int(match["port"] or 25) < 65536:
        return None
    return "not a mail server: it has to look like smtp.example.org or smtp.example.org:587"


def split_host(text: str) -> tuple[str, int | None]:
    """Return host and port of a mail server that `check_host` found right."""
    match = _HOST.fullmatch(text)
    if match is None:
        raise ValueError("check_host has to come first")
    return match["host"].strip("[]"), int(match["port"]) if match["port"] else None


def _check_settings(answers: Answers) -> str | None:
    """Return what the channel itself finds wrong with the address or the token, or None."""
    ours = {name: text for name, text in settings_of(answers).items() if _is_given(name, answers)}
    try:
        _OWN_RULES[answers.kind].model_validate(ours)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        words = [one["msg"] for one in faults if one["loc"][0] in ours]
        if words:
            return _ROOM if answers.kind == "matrix" else words[0].removeprefix("Value error, ")
    return None


def _is_given(setting: str, answers: Answers) -> bool:
    return bool(answers.token) == setting.endswith("token")


def _check_mail(address: str) -> str | None:
    try:
        _MAIL.validate_python(address)
    except ValidationError:
        return "not a mail address: it has to look like name@example.org"
    return None


def _check_web(address: str) -> str | None:
    try:
        parts = urlsplit(address)
        host, fine = parts.hostname, parts.port != 0
    except ValueError:
        host, fine = None, False
    if not host or not fine or not address.isprintable() or " " in address:
        return "not a web address: it has to look like https://host/path"
    if parts.scheme == "https" or (parts.scheme == "http" and host in _HERE):
        return None
    return "it has to begin with https:// (http:// only for this very machine)"
