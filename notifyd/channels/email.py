"""Mail, as text and as HTML, in one thread a job."""

from __future__ import annotations

import email.policy
import email.utils
import ipaddress
import re
from collections.abc import Mapping, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from importlib import resources
from typing import Annotated, Literal, Self

import jinja2
import structlog
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from notifyd.channels.addresses import MailAddress
from notifyd.channels.base import Receipt
from notifyd.channels.settings import ChannelSettings
from notifyd.channels.severities import COLOURS
from notifyd.channels.text import clamp, one_line, strip_controls
from notifyd.channels.transport import Mail, MailServer, Security, Transport
from notifyd.clock import Clock
from notifyd.model import Delivery, derived_id
from notifyd.rendering.digest import TYPE as DIGEST
from notifyd.routing.router import ADDRESSEE, TROUBLED
from notifyd.settings import Secret

_SUBJECT = 200
_HEADER = 100
_BODY = 20_000
_BY_ITS_OWN_LIST = "channel"
"""The `rule` of what the channel has asked for; any other says in words what owes it."""
_PORTS: Mapping[Security, int] = {"none": 25, "tls": 465, "starttls": 587}


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _once(addresses: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(addresses))


class EmailSettings(ChannelSettings):
    """A mail server, and who writes to whom."""

    model_config = ConfigDict(populate_by_name=True)

    type: Literal["email"] = "email"
    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]+$", max_length=253)]
    port: int | None = Field(default=None, ge=1, le=65535)
    """Left out: 587 for starttls, 465 for tls, 25 for none."""
    security: Security | None = None
    """Left out: tls on port 465, none on this very machine, starttls everywhere else."""
    username: str | None = None
    password: Secret | None = None
    from_: MailAddress = Field(alias="from")
    to: Annotated[
        tuple[MailAddress, ...],
        BeforeValidator(_several),
        AfterValidator(_once),
        Field(min_length=1),
    ]
    """Each gets a mail of its own, which names them all."""

    @model_validator(mode="after")
    def _password_only_in_private(self) -> Self:
        if self.password and not self.username:
            raise ValueError("a password needs a username")
        if self.password and self.server.security == "none" and not _is_here(self.host):
            raise ValueError("a password is not sent unencrypted: set security to starttls or tls")
        return self

    @property
    def targets(self) -> tuple[str, ...]:
        """The recipients: each is owed a delivery of its own, so that none waits for another."""
        return self.to

    @property
    def server(self) -> MailServer:
        """Where mail is handed in. What is left out is never guessed to be unencrypted."""
        security = self.security or _usual_security(self.host, self.port)
        return MailServer(
            host=self.host,
            port=self.port or _PORTS[security],
            security=security,
            username=self.username,
            password=self.password,
        )


class Email:
    """Writes a mail a delivery and hands it in."""

    def __init__(self, settings: EmailSettings, transport: Transport, clock: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._page = load_page()
        self._log = structlog.get_logger("channels.email")

    async def send(self, delivery: Delivery) -> Receipt:
        """Send the mail to its recipient, or raise Temporary- or PermanentFailure.

        Without one (a test) it goes to all: taken for some only, it counts as sent, and the
        others are logged.
        """
        sender, to = self._settings.from_, self._settings.to
        mail = write_mail(delivery, sender, to, self._clock.now(), self._page)
        letter = Mail(
            sender=sender,
            recipients=(delivery.target,) if delivery.target else to,
            content=mail.as_bytes(),
            rich=not delivery.plain,
            one_of_many=bool(delivery.target) and len(to) > 1,
        )
        server, within = self._settings.server, self._settings.timeout
        refused = await self._transport.send_mail(letter, server, within)
        if refused:
            self._log.warning("recipients_refused", channel=delivery.channel, refused=refused)
        return Receipt(ref=str(mail["Message-ID"]), status=250)


def write_mail(
    delivery: Delivery, sender: str, to: Sequence[str], now: float, page: jinja2.Template
) -> EmailMessage:
    """Return the mail; its Message-ID is the delivery's own, the same on every retry."""
    # Not every server on the way takes eight bits (RFC 6152).
    mail = EmailMessage(policy=email.policy.SMTP.clone(cte_type="7bit"))
    for name, value in _headers(delivery, sender, to, now).items():
        if value:
            mail[name] = value
    mail.set_content(_text(delivery))
    if not delivery.plain:
        mail.add_alternative(_html(delivery, page), subtype="html")
    return mail


def load_page() -> jinja2.Template:
    """Return the HTML part's template."""
    source = resources.files("notifyd.channels").joinpath("email.html.j2").read_text("utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source)


def _headers(
    delivery: Delivery, sender: str, to: Sequence[str], now: float
) -> dict[str, str | Address]:
    event = delivery.event
    host = sender.partition("@")[2]
    # Nobody ever got the mail it points to, yet programs gather all that point to it.
    # The host is short, for EmailMessage breaks these two headers once they need folding.
    thread = f"<{derived_id('thread', _story(delivery))}@notifyd.invalid>"
    return {
        "Subject": header_text(delivery.message.title, _SUBJECT),
        "From": Address(display_name="notifyd", addr_spec=sender),
        "To": ", ".join(to),
        "Date": email.utils.formatdate(now, localtime=True),
        "Message-ID": f"<{re.sub(r'[^A-Za-z0-9._-]', '', delivery.id)}@{host}>",
        "In-Reply-To": thread,
        "References": thread,
        "Auto-Submitted": "auto-generated",  # RFC 3834 §5: answers to nobody
        "X-Auto-Response-Suppress": "All",  # the same for Exchange
        "X-Notifyd-Event": header_text(event.type, _HEADER),
        "X-Notifyd-Job": header_text(event.subject, _HEADER),
    }


def _story(delivery: Delivery) -> str:
    """Return what its thread is: a job's story, or all that a channel tells of many jobs."""
    event = delivery.event
    return f"{DIGEST}/{delivery.channel}" if event.type == DIGEST else event.group


def header_text(text: str, limit: int) -> str:
    """Return text that stays one header and only text.

    An encoded word (`=?utf-8?q?…?=`) in what is given to EmailMessage is decoded, line ends
    in it included, and CPython before 3.11.9 then writes them as headers (CVE-2024-6923).
    """
    return clamp(one_line(text), limit).replace("=?", "= ?")


def _text(delivery: Delivery) -> str:
    message = delivery.message
    width = max((len(one_line(label)) for label, _ in message.facts), default=0)
    facts = "\n".join(f"{one_line(a):<{width}}  {one_line(b)}" for a, b in message.facts)
    parts = (one_line(message.title), _body(delivery), facts, f"-- \n{_footer(delivery)}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _html(delivery: Delivery, page: jinja2.Template) -> str:
    message = delivery.message
    return page.render(
        colour=COLOURS[delivery.event.severity],
        severity=str(delivery.event.severity),
        title=one_line(message.title),
        body=_body(delivery),
        facts=[(one_line(label), one_line(value)) for label, value in message.facts],
        footer=_footer(delivery),
    )


def _body(delivery: Delivery) -> str:
    return clamp(strip_controls(delivery.message.body), _BODY)


def _footer(delivery: Delivery) -> str:
    return f"Sent by notifyd. You get this because {_why(delivery)}."


def _why(delivery: Delivery) -> str:
    event, channel = delivery.event, f"the channel “{one_line(delivery.channel)}”"
    if delivery.rule != _BY_ITS_OWN_LIST:
        return f"{channel} is the {one_line(delivery.rule)}"
    if ADDRESSEE in event.data:
        return f"it was sent to {channel}"
    if TROUBLED in event.data:
        return f"{channel} is told of trouble with others"
    told = (*(() if event.type == DIGEST else (event.type,)), *event.stands_for)
    return f"{channel} hears {' or '.join(map(one_line, told))}"


def _usual_security(host: str, port: int | None) -> Security:
    if port == _PORTS["tls"]:
        return "tls"
    return "none" if _is_here(host) else "starttls"


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
