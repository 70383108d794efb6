"""Handing mail to a mail server."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import aiosmtplib

from notifyd.channels.blot import blot_out
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.refusal import refusal
from notifyd.channels.text import clamp, one_line
from notifyd.channels.transport.causes import connection_failure
from notifyd.settings import Secret

Security = Literal["starttls", "tls", "none"]

_BYE_SECONDS = 1.0
_SHOWN = 200

_NOT_THIS_SENDER = frozenset({521, 530, 534, 535, 538})
"""RFC 7504 §2: takes no mail at all; RFC 4954 §6: a login is needed, or was refused."""
_TOO_LARGE = 552
"""RFC 1870 §6.1: said of the size as soon as that is announced, with MAIL FROM."""

_NOT_BY_US = re.compile(r"\b(relay\w*|sender|client host|5\.1\.[78])\b", re.IGNORECASE)
"""Of a refused recipient: many servers say only here whom they take no mail from. 5.1.7 and 5.1.8
are the sender's address (RFC 3463 §3.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in."""

    host: str
    port: int
    security: Security
    username: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A finished mail and its envelope."""

    sender: str
    recipients: Sequence[str]
    content: bytes
    rich: bool = False
    """Whether it is more than text, see `refusal`."""
    one_of_many: bool = False
    """Whether others are sent the same: then a recipient that is refused is one of them alone."""


async def hand_in(letter: Mail, server: MailServer, within: float) -> dict[str, str]:
    """Hand in a mail, see `Transport.send_mail`."""
    client = _client(server, within)
    try:
        async with asyncio.timeout(within):
            await client.connect()
            refused, _ = await client.sendmail(letter.sender, letter.recipients, letter.content)
        await _say_bye(client)
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise _failure(error, letter, server, within) from None
    finally:
        client.close()
    return {who: _said(code, text, server) for who, (code, text) in refused.items()}


def _client(server: MailServer, within: float) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        username=server.username,
        password=server.password.get_secret_value() if server.password else None,
        timeout=within,
    )


async def _say_bye(client: aiosmtplib.SMTP) -> None:
    # The mail is handed in already: whatever happens now must not have it sent again.
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        await client.quit(timeout=_BYE_SECONDS)


def _failure(
    error: Exception, letter: Mail, server: MailServer, within: float
) -> TemporaryFailure | PermanentFailure:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        # One "later" among them makes a later attempt worth while.
        mildest = min(error.recipients, key=lambda one: one.code)
        return _by_code(mildest, _all_refused(error, server), letter)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return _no_login(error, server)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        words = f"{server.host}: {_said(error.code, error.message, server)}"
        return _by_code(error, words, letter)
    if isinstance(error, TimeoutError):
        return TemporaryFailure(f"{server.host} did not answer within {within:g} s")
    if isinstance(error, OSError):
        return connection_failure(error, server.host)
    return _not_offered(server)


def _all_refused(error: aiosmtplib.SMTPRecipientsRefused, server: MailServer) -> str:
    said = "; ".join(
        f"{one.recipient}: {_said(one.code, one.message, server)}" for one in error.recipients
    )
    return f"{server.host} refuses every recipient: {clamp(said, 2 * _SHOWN)}"


def _no_login(
    error: aiosmtplib.SMTPAuthenticationError, server: MailServer
) -> TemporaryFailure | PermanentFailure:
    # Not the server's words: some repeat what they were given.
    words = f"{server.host} refuses the user name or the password ({error.code})"
    if error.code < 500:
        return TemporaryFailure(words, status=error.code)
    return PermanentFailure(words, fault=Fault.CHANNEL, status=error.code)


def _by_code(
    error: aiosmtplib.SMTPResponseException, words: str, letter: Mail
) -> TemporaryFailure | PermanentFailure:
    """RFC 5321 §4.2.1: 4yz is a transient negative answer, 5yz a permanent one."""
    code = error.code
    if 500 <= code < 600:
        return refusal(words, _fault(error, letter), rich=letter.rich, status=code)
    alone = letter.one_of_many and isinstance(error, aiosmtplib.SMTPRecipientRefused)
    return TemporaryFailure(words, status=code, only_target=alone)


def _fault(error: aiosmtplib.SMTPResponseException, letter: Mail) -> Fault:
    """Tell what a refusal is about: what the server knew of the mail when it refused."""
    if error.code in _NOT_THIS_SENDER:
        return Fault.CHANNEL
    match error:
        case aiosmtplib.SMTPDataError():
            return Fault.FORM  # it has seen the mail: less of it may pass
        case aiosmtplib.SMTPRecipientRefused() if letter.one_of_many:
            return Fault.CHANNEL if _NOT_BY_US.search(error.message) else Fault.MESSAGE
        case aiosmtplib.SMTPSenderRefused(code=code) if code == _TOO_LARGE:
            return Fault.FORM
        case _:  # at its greeting, or of who writes to whom: the next mail will fare no better
            return Fault.CHANNEL


def _not_offered(server: MailServer) -> PermanentFailure:
    wanted = ["STARTTLS"] if server.security == "starttls" else []
    wanted += ["a login"] if server.username else []
    return PermanentFailure(
        f"{server.host} does not offer {' or '.join(wanted) or 'what this mail needs'}; nothing "
        "was sent. Check `security`, `port` and `username` of this channel",
        fault=Fault.CHANNEL,
    )


def _said(code: int, text: str, server: MailServer) -> str:
    secrets = [server.password.get_secret_value()] if server.password else []
    return f"{code} {clamp(one_line(blot_out(text, '', secrets)), _SHOWN)}".strip()
