"""Handing mail to a mail server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
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

_FAULTS: Mapping[int, Fault] = {
    530: Fault.CHANNEL,
    535: Fault.CHANNEL,
    552: Fault.FORM,
}
"""RFC 4954 §6: a login is needed, was refused; RFC 5321 §4.2.3: the mail is too large."""


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
        return _by_code(*_all_refused(error, server), letter)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return _no_login(error, server)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        words = f"{server.host}: {_said(error.code, error.message, server)}"
        return _by_code(error.code, words, letter)
    if isinstance(error, TimeoutError):
        return TemporaryFailure(f"{server.host} did not answer within {within:g} s")
    if isinstance(error, OSError):
        return connection_failure(error, server.host)
    return _not_offered(server)


def _all_refused(error: aiosmtplib.SMTPRecipientsRefused, server: MailServer) -> tuple[int, str]:
    said = "; ".join(
        f"{one.recipient}: {_said(one.code, one.message, server)}" for one in error.recipients
    )
    # One "later" among them makes a later attempt worth while.
    code = min(one.code for one in error.recipients)
    return code, f"{server.host} refuses every recipient: {clamp(said, 2 * _SHOWN)}"


def _no_login(
    error: aiosmtplib.SMTPAuthenticationError, server: MailServer
) -> TemporaryFailure | PermanentFailure:
    # Not the server's words: some repeat what they were given.
    words = f"{server.host} refuses the user name or the password ({error.code})"
    if error.code < 500:
        return TemporaryFailure(words, status=error.code)
    return PermanentFailure(words, fault=Fault.CHANNEL, status=error.code)


def _by_code(code: int, words: str, letter: Mail) -> TemporaryFailure | PermanentFailure:
    """RFC 5321 §4.2.1: 4yz is a transient negative answer, 5yz a permanent one."""
    if not 500 <= code < 600:
        return TemporaryFailure(words, status=code)
    return refusal(words, _FAULTS.get(code, Fault.MESSAGE), rich=letter.rich, status=code)


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
