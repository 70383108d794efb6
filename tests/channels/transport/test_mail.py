"""Handing in mail: each answer of the server becomes the right failure."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import ssl
from collections.abc import AsyncIterator

import pytest

from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.transport import Mail, MailServer, Transport
from notifyd.channels.transport.mail import Security
from notifyd.settings import Secret
from tests.channels.mailbox import running_mailbox
from tests.channels.transport.test_web import listening

PASSWORD = "hunter2-hunter2"
MAIL = Mail(
    sender="jobs@example.org",
    recipients=("a@example.org", "b@example.org"),
    content=b"x: y\r\n\r\n",
)


def _server(port: int, security: Security = "none", login: bool = False) -> MailServer:
    return MailServer(
        host="127.0.0.1",
        port=port,
        security=security,
        username="alice" if login else None,
        password=Secret(PASSWORD) if login else None,
    )


@contextlib.asynccontextmanager
async def answering(stage: str, answer: str) -> AsyncIterator[int]:
    """Serve mail on a free port, and answer so at this stage: a command, or the `greeting`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = {"greeting": "220 mx", "DATA": "354 go", "QUIT": "221 bye"} | {stage: answer}
        writer.write(f"{said['greeting']}\r\n".encode())
        while line := await reader.readline():
            verb = line[:4].decode().upper().replace("EHLO", "HELO")
            writer.write(f"{said.get(verb, '250 ok')}\r\n".encode())
            if verb == "DATA" and said["DATA"].startswith("354"):
                await reader.readuntil(b"\r\n.\r\n")
                writer.write(f"{said.get('mail', '250 ok')}\r\n".encode())

    async with listening(serve) as port:
        yield port


async def _refused(transport: Transport, stage: str, answer: str, letter: Mail) -> Fault:
    async with answering(stage, answer) as port:
        with pytest.raises(PermanentFailure) as raised:
            await transport.send_mail(letter, _server(port), 5.0)
    assert raised.value.status == int(answer[:3])
    return raised.value.fault


@pytest.mark.parametrize(
    ("stage", "answer"),
    [
        ("greeting", "554 no mail from you"),
        ("greeting", "521 takes no mail"),
        ("HELO", "550 who are you"),
        ("MAIL", "550 not this sender"),
        ("MAIL", "553 not yours"),
        ("RCPT", "550 relaying denied"),
        ("RCPT", "550 no such user"),
        ("DATA", "530 log in first"),
        ("mail", "538 encrypt first"),
        ("mail", "521 takes no mail"),
    ],
)
async def test_what_hits_every_mail_is_a_fault_of_the_channel(
    transport: Transport, stage: str, answer: str
) -> None:
    """What is refused before the server has seen the mail is refused to the next one too."""
    letter = dataclasses.replace(MAIL, rich=True)

    assert await _refused(transport, stage, answer, letter) is Fault.CHANNEL


@pytest.mark.parametrize("answer", ["500 what", "550 spam", "552 too large", "554 no", "555 no"])
@pytest.mark.parametrize(("rich", "fault"), [(True, Fault.FORM), (False, Fault.MESSAGE)])
async def test_a_mail_that_was_seen_is_tried_as_text(
    transport: Transport, answer: str, rich: bool, fault: Fault
) -> None:
    """Whatever the server did not like of it: its page may be the reason, until it has none."""
    letter = dataclasses.replace(MAIL, rich=rich)

    assert await _refused(transport, "mail", answer, letter) is fault


async def test_a_size_is_refused_before_the_mail_is_sent(transport: Transport) -> None:
    """It is told with the sender, and is a matter of the form all the same."""
    letter = dataclasses.replace(MAIL, rich=True)

    assert await _refused(transport, "MAIL", "552 too large", letter) is Fault.FORM


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("550 5.1.1 no such user", Fault.MESSAGE),
        ("550 5.7.1 Relaying denied", Fault.CHANNEL),
        ("554 5.7.1 Relay access denied", Fault.CHANNEL),
        ("550 Sender address rejected", Fault.CHANNEL),
        ("553 5.1.8 no such domain", Fault.CHANNEL),
        ("530 log in first", Fault.CHANNEL),
    ],
)
async def test_one_of_many_recipients_stops_no_other(
    transport: Transport, answer: str, fault: Fault
) -> None:
    """Unless the server says of whom it takes mail at all."""
    letter = dataclasses.replace(MAIL, recipients=("a@example.org",), one_of_many=True)

    assert await _refused(transport, "RCPT", answer, letter) is fault


@pytest.mark.parametrize("one_of_many", [True, False])
async def test_greylisting_is_told_apart(transport: Transport, one_of_many: bool) -> None:
    """Of many recipients it is the trouble of one alone."""
    letter = dataclasses.replace(MAIL, recipients=("a@example.org",), one_of_many=one_of_many)
    async with answering("RCPT", "450 greylisted") as port:
        with pytest.raises(TemporaryFailure, match="450 greylisted") as raised:
            await transport.send_mail(letter, _server(port), 5.0)

    assert raised.value.only_target is one_of_many


async def test_a_mail_is_handed_in_with_its_envelope(transport: Transport) -> None:
    """Sender, recipients and content arrive; nobody is refused."""
    async with running_mailbox(login=True) as mailbox:
        refused = await transport.send_mail(MAIL, _server(mailbox.port, login=True), 5.0)

    assert refused == {}
    assert mailbox.logins == [(b"alice", PASSWORD.encode())]
    assert mailbox.taken == [(MAIL.sender, list(MAIL.recipients), MAIL.content)]


async def test_some_refused_is_delivered_to_the_rest(transport: Transport) -> None:
    """The mail counts as sent, and the refused are named with the server's reason."""
    async with running_mailbox() as mailbox:
        mailbox.refused = {"b@example.org": "550 no such user"}
        refused = await transport.send_mail(MAIL, _server(mailbox.port), 5.0)

    assert refused == {"b@example.org": "550 no such user"}
    assert [recipients for _, recipients, _ in mailbox.taken] == [["a@example.org"]]


async def test_all_refused_for_good_is_permanent(transport: Transport) -> None:
    """Nobody took it and nobody will."""
    async with running_mailbox() as mailbox:
        mailbox.refused = dict.fromkeys(MAIL.recipients, "550 no such user")
        with pytest.raises(PermanentFailure, match=r"every recipient.*a@example\.org: 550"):
            await transport.send_mail(MAIL, _server(mailbox.port), 5.0)


async def test_one_later_among_the_refused_is_temporary(transport: Transport) -> None:
    """Greylisting of one recipient makes another try worth while."""
    async with running_mailbox() as mailbox:
        mailbox.refused = {"a@example.org": "550 no", "b@example.org": "450 greylisted"}
        with pytest.raises(TemporaryFailure, match="450 greylisted"):
            await transport.send_mail(MAIL, _server(mailbox.port), 5.0)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        ("451 try later", TemporaryFailure),
        ("452 full", TemporaryFailure),
        ("550 spam", PermanentFailure),
        ("554 refused", PermanentFailure),
    ],
)
async def test_the_code_decides(
    transport: Transport, answer: str, failure: type[PermanentFailure] | type[TemporaryFailure]
) -> None:
    """4xx is for now, 5xx for good; the server's words are kept."""
    async with running_mailbox() as mailbox:
        mailbox.data_answer = answer
        with pytest.raises(failure, match=answer) as raised:
            await transport.send_mail(MAIL, _server(mailbox.port), 5.0)

    assert isinstance(raised.value, failure)
    assert raised.value.status == int(answer[:3])


@pytest.mark.parametrize(
    ("answer", "failure"),
    [("535 bad: " + PASSWORD, PermanentFailure), ("454 later " + PASSWORD, TemporaryFailure)],
)
async def test_a_refused_login_tells_no_password(
    transport: Transport, answer: str, failure: type[PermanentFailure] | type[TemporaryFailure]
) -> None:
    """The reason names the code, not what was given, even if the server repeats it."""
    async with running_mailbox(login=True) as mailbox:
        mailbox.login_answer = answer
        with pytest.raises(failure, match=answer[:3]) as raised:
            await transport.send_mail(MAIL, _server(mailbox.port, login=True), 5.0)

    assert PASSWORD not in str(raised.value)
    assert isinstance(raised.value, failure)
    assert raised.value.status == int(answer[:3])
    if isinstance(raised.value, PermanentFailure):
        assert raised.value.fault is Fault.CHANNEL


async def test_missing_starttls_is_no_downgrade(transport: Transport) -> None:
    """A server without STARTTLS gets neither the password nor the mail."""
    async with running_mailbox(login=True) as mailbox:
        server = _server(mailbox.port, "starttls", login=True)
        with pytest.raises(PermanentFailure, match="does not offer STARTTLS"):
            await transport.send_mail(MAIL, server, 5.0)

    assert mailbox.logins == []
    assert mailbox.taken == []


async def test_a_server_without_login_is_told_apart(transport: Transport) -> None:
    """A user name for a server that wants none is a mistake in the settings."""
    async with running_mailbox() as mailbox:
        with pytest.raises(PermanentFailure, match="a login"):
            await transport.send_mail(MAIL, _server(mailbox.port, login=True), 5.0)


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_certificates_are_checked(
    transport: Transport, self_signed: ssl.SSLContext, security: Security
) -> None:
    """An unknown certificate gets no password; it may be mended, so it is temporary."""
    context = {"tls" if security == "tls" else "starttls": self_signed}
    async with running_mailbox(login=True, **context) as mailbox:
        server = _server(mailbox.port, security, login=True)
        with pytest.raises(TemporaryFailure, match=r"certificate of 127\.0\.0\.1"):
            await transport.send_mail(MAIL, server, 5.0)

    assert mailbox.logins == []


async def test_no_server_is_temporary(transport: Transport, unused_tcp_port: int) -> None:
    """A mail server that is down is worth another try."""
    with pytest.raises(TemporaryFailure, match="refuses the connection"):
        await transport.send_mail(MAIL, _server(unused_tcp_port), 5.0)


async def test_a_silent_server_is_left_in_time(transport: Transport) -> None:
    """The whole of it keeps to its time."""
    stopped = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stopped.wait()

    async with listening(say_nothing) as port:
        with pytest.raises(TemporaryFailure, match=r"did not answer within 0\.2 s"):
            await transport.send_mail(MAIL, _server(port), 0.2)
        stopped.set()


async def test_a_missing_good_bye_is_no_failure(transport: Transport) -> None:
    """A server that hangs up after taking the mail has taken it."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        for end, answer in ((b"\r\n", b"250"),) * 4 + ((b"\r\n", b"354"), (b"\r\n.\r\n", b"250")):
            await reader.readuntil(end)
            writer.write(answer + b" ok\r\n")
        await writer.drain()

    async with listening(hang_up) as port:
        assert await transport.send_mail(MAIL, _server(port), 5.0) == {}


async def test_a_server_that_drips_is_left_in_time(transport: Transport) -> None:
    """Each line is in time, yet the whole attempt has one limit."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"220-still here\r\n")
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await reader.read(1)
        writer.close()

    async with listening(drip) as port, asyncio.timeout(10):
        with pytest.raises(TemporaryFailure, match=r"0\.5 s"):
            await transport.send_mail(MAIL, _server(port), 0.5)
