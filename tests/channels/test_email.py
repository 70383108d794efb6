"""Mail: its headers are ours alone, in both parts the text is only text."""

from __future__ import annotations

import dataclasses
import email
import email.policy
import html
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from notifyd.channels.email import Email, EmailSettings, header_text, load_page, write_mail
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.registry import Tools
from notifyd.model import Delivery, Severity
from notifyd.rendering.digest import digest
from tests.channels.mailbox import running_mailbox
from tests.channels.parts import HOSTILE, delivery_of, hostile_delivery, texts

HEADERS = [
    "Subject",
    "From",
    "To",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "X-Notifyd-Event",
    "X-Notifyd-Job",
    "MIME-Version",
    "Content-Type",
]
PAGE = load_page()
LONG_HOST = ".".join(["hpc-login-node-with-a-long-name"] * 4) + ".example.org"


def _settings(**changes: Any) -> EmailSettings:
    values = {"host": "mx.example.org", "from": "jobs@example.org", "to": "me@example.org"}
    return EmailSettings.model_validate(values | changes)


def _parsed(delivery: Delivery, sender: str = "jobs@example.org") -> EmailMessage:
    """Return the mail as a reader gets it: written out, and parsed by the book."""
    raw = write_mail(delivery, sender, ("me@example.org",), 1_795_262_400.0, PAGE).as_bytes()
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


async def test_a_mail_arrives(tools: Tools) -> None:
    """Through a real server: envelope, headers, and text before HTML."""
    async with running_mailbox() as mailbox:
        settings = _settings(host="127.0.0.1", port=mailbox.port, to=["a@x.org", "b@x.org"])
        await Email(settings, tools.transport, tools.clock).send(delivery_of(target="b@x.org"))
    ((sender, recipients, raw),) = mailbox.taken
    mail = email.message_from_bytes(raw, policy=email.policy.default)

    assert (sender, recipients) == ("jobs@example.org", ["b@x.org"])
    assert mail["Subject"] == "Job 4711 (train) failed: exit code 1"
    assert mail["From"] == "notifyd <jobs@example.org>"
    assert mail["To"] == "a@x.org, b@x.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert (mail["X-Notifyd-Event"], mail["X-Notifyd-Job"]) == ("job_failed", "4711")
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_each_recipient_is_owed_a_mail() -> None:
    """One each, so that who is not taken for now gets it later; an address twice is one."""
    settings = _settings(to=["a@x.org", "b@x.org", "a@x.org"])

    assert settings.targets == settings.to == ("a@x.org", "b@x.org")


async def test_a_recipient_that_is_greylisted_is_not_forgotten(tools: Tools) -> None:
    """The others have theirs, and its own is tried again."""
    async with running_mailbox() as mailbox:
        mailbox.refused = {"b@x.org": "450 greylisted"}
        settings = _settings(host="127.0.0.1", port=mailbox.port, to=["a@x.org", "b@x.org"])
        channel = Email(settings, tools.transport, tools.clock)
        await channel.send(delivery_of(target="a@x.org"))
        with pytest.raises(TemporaryFailure, match="greylisted") as failure:
            await channel.send(delivery_of(target="b@x.org"))
        mailbox.refused.clear()
        await channel.send(delivery_of(target="b@x.org"))

    assert [recipients for _, recipients, _ in mailbox.taken] == [["a@x.org"], ["b@x.org"]]
    assert failure.value.only_target


@pytest.mark.parametrize(
    ("to", "fault"), [(["b@x.org"], Fault.CHANNEL), (["a@x.org", "b@x.org"], Fault.MESSAGE)]
)
async def test_an_address_that_is_no_more_stops_no_other(
    tools: Tools, to: list[str], fault: Fault
) -> None:
    """If it is the only one, somebody has to hear of it, and nothing is given up."""
    async with running_mailbox() as mailbox:
        mailbox.refused = {"b@x.org": "550 no such user"}
        settings = _settings(host="127.0.0.1", port=mailbox.port, to=to)
        with pytest.raises(PermanentFailure) as failure:
            await Email(settings, tools.transport, tools.clock).send(delivery_of(target="b@x.org"))

    assert failure.value.fault is fault


async def test_a_test_goes_to_all(tools: Tools) -> None:
    """It is owed to nobody in particular."""
    async with running_mailbox() as mailbox:
        settings = _settings(host="127.0.0.1", port=mailbox.port, to=["a@x.org", "b@x.org"])
        await Email(settings, tools.transport, tools.clock).send(delivery_of())

    assert [recipients for _, recipients, _ in mailbox.taken] == [["a@x.org", "b@x.org"]]


async def test_the_plain_form_is_text_alone(tools: Tools) -> None:
    """A mail that is too large for a server loses its page, not its words."""
    async with running_mailbox() as mailbox:
        settings = _settings(host="127.0.0.1", port=mailbox.port)
        receipt = await Email(settings, tools.transport, tools.clock).send(delivery_of(plain=True))
    mail = email.message_from_bytes(mailbox.taken[0][2], policy=email.policy.default)

    assert mail.get_content_type() == "text/plain"
    assert "It ran for 3 h 20 min." in mail.get_content()
    assert (receipt.ref, receipt.status) == (f"<{'d' * 32}@example.org>", 250)


@pytest.mark.parametrize(("plain", "fault"), [(False, Fault.FORM), (True, Fault.MESSAGE)])
async def test_too_large_is_a_fault_of_the_form(tools: Tools, plain: bool, fault: Fault) -> None:
    """Until it is as plain as can be."""
    async with running_mailbox() as mailbox:
        mailbox.data_answer = "552 too large"
        settings = _settings(host="127.0.0.1", port=mailbox.port)
        with pytest.raises(PermanentFailure) as failure:
            await Email(settings, tools.transport, tools.clock).send(delivery_of(plain=plain))

    assert (failure.value.fault, failure.value.status) == (fault, 552)


@given(texts)
def test_no_text_adds_a_header(text: str) -> None:
    """Whatever a job is called, the headers are these, each once, each on one line."""
    mail = _parsed(hostile_delivery(text))

    assert mail.keys() == [name for name in HEADERS if mail[name]]
    assert set(HEADERS) - set(mail.keys()) <= {"Subject", "X-Notifyd-Job"}
    assert mail["To"] == "me@example.org"
    assert not {"\r", "\n"} & set("".join(mail.values()))


@pytest.mark.parametrize("text", HOSTILE)
def test_known_injections_fail(text: str) -> None:
    """Line ends and encoded words stay a part of the subject."""
    mail = _parsed(hostile_delivery(text))

    assert mail.keys() == HEADERS
    assert mail["Subject"] == header_text(text, 200)


@given(texts)
def test_no_text_is_markup(text: str) -> None:
    """The page around a text is the page around any other."""
    page = _part(_parsed(delivery_of(title=text, body=f"[{text}]", facts=((text, text),))), "html")
    usual = _part(_parsed(delivery_of(title="a", body="[a]", facts=(("a", "a"),))), "html")

    assert (page.count("<"), page.count(">")) == (usual.count("<"), usual.count(">"))


def test_both_parts_say_everything() -> None:
    """Title, body, facts and why one gets it are in the text as in the HTML."""
    mail = _parsed(delivery_of(facts=(("Exit code", "1"), ("Job", "<4711>"))))
    for said in (_part(mail, "plain"), html.unescape(_part(mail, "html"))):
        for word in ("failed: exit code 1", "It ran for", "Exit code", "<4711>", "channel “team”"):
            assert word in said
    assert "Exit code  1\nJob        <4711>" in _part(mail, "plain").replace("\r\n", "\n")


@pytest.mark.parametrize("severity", Severity)
def test_the_page_shows_the_severity(severity: Severity) -> None:
    """The bar has its colour and the badge its name."""
    assert f">{severity}</span>" in _part(_parsed(delivery_of(severity=severity)), "html")


def test_a_retry_is_the_same_mail() -> None:
    """The Message-ID is the delivery's, so that a mail server can drop the second."""
    first, second = _parsed(delivery_of()), _parsed(delivery_of())

    assert first["Message-ID"] == second["Message-ID"] == f"<{'d' * 32}@example.org>"


def test_the_mails_of_a_job_are_a_thread() -> None:
    """All of a job's mails point to one root, unbroken even with a long host."""
    failed = _parsed(delivery_of(), f"jobs@{LONG_HOST}")
    other = _parsed(delivery_of(title="Job 4711 started"))

    assert failed["References"] == other["References"] == other["In-Reply-To"]
    assert failed["References"].startswith("<")
    assert failed["References"].endswith("@notifyd.invalid>")
    assert failed["Message-ID"] == f"<{'d' * 32}@{LONG_HOST}>"


def test_what_tells_of_many_jobs_is_in_no_jobs_thread() -> None:
    """It is in a thread of its channel's, and names no job."""
    told = [(delivery_of(title=title), delivery_of()) for title in ("a", "b")]
    first, second = (_parsed(digest(leader, [other], {})) for leader, other in told)

    assert first["References"] == second["References"] == second["In-Reply-To"]
    assert first["References"] != _parsed(delivery_of())["References"]
    assert "X-Notifyd-Job" not in first


@pytest.mark.parametrize(
    ("delivery", "why"),
    [
        (delivery_of(), "the channel “team” hears job_failed."),
        (
            dataclasses.replace(delivery_of(), rule="fallback of chat"),
            "the channel “team” is the fallback of chat.",
        ),
        (
            digest(delivery_of(), [delivery_of()], {"job_completed": 1, "job_failed": 1}),
            "the channel “team” hears job_completed or job_failed.",
        ),
        (delivery_of(data={"channel": "team"}), "it was sent to the channel “team”."),
        (
            delivery_of(data={"channel_name": "chat"}),
            "the channel “team” is told of trouble with others.",
        ),
    ],
)
def test_a_mail_says_why_one_gets_it(delivery: Delivery, why: str) -> None:
    """By the rule that owes it, and in words that can be found in the configuration."""
    mail = _parsed(delivery)

    assert f"You get this because {why}" in _part(mail, "plain")
    assert f"You get this because {why}" in html.unescape(_part(mail, "html"))


async def test_failures_of_the_server_come_through(tools: Tools) -> None:
    """For now or for good, as the server says."""
    async with running_mailbox() as mailbox:
        channel = Email(
            _settings(host="127.0.0.1", port=mailbox.port), tools.transport, tools.clock
        )
        mailbox.data_answer = "451 later"
        with pytest.raises(TemporaryFailure):
            await channel.send(delivery_of())
        mailbox.data_answer = "554 spam"
        with pytest.raises(PermanentFailure):
            await channel.send(delivery_of())


@pytest.mark.parametrize(
    ("given_settings", "port", "security"),
    [
        ({}, 587, "starttls"),
        ({"port": 465}, 465, "tls"),
        ({"port": 25}, 25, "starttls"),
        ({"security": "tls"}, 465, "tls"),
        ({"security": "none"}, 25, "none"),
        ({"host": "localhost"}, 25, "none"),
        ({"host": "::1"}, 25, "none"),
        ({"host": "localhost", "port": 465}, 465, "tls"),
        ({"host": "127.0.0.1.example.org"}, 587, "starttls"),
    ],
)
def test_encryption_is_the_rule(given_settings: Any, port: int, security: str) -> None:
    """Only this very machine is spoken to in the clear without being asked for."""
    server = _settings(**given_settings).server

    assert (server.port, server.security) == (port, security)


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": "a", "password": "hunter2", "security": "none"},
        {"password": "hunter2"},
        {"to": []},
        {"to": "me@example.org\nBcc: evil@example.org"},
        {"to": "me@example.org\n"},
        {"to": "me@example.org, evil@example.org"},
        {"to": "<me@example.org>"},
        {"to": "me"},
        {"to": "=?utf-8?q?a?=@example.org"},
        {"to": "a..b@example.org"},
        {"to": "ü@example.org"},
        {"from": "me@exa mple.org"},
        {"from": "me@-example.org"},
        {"host": "mx example"},
        {"port": 0},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    """No address smuggles a header or a recipient, no password goes out in the clear."""
    with pytest.raises(ValidationError) as error:
        _settings(**wrong)

    assert "hunter2" not in str(error.value)


def test_a_local_server_may_have_a_password() -> None:
    """On the same machine nobody listens in."""
    settings = _settings(host="localhost", username="a", password="hunter2")

    assert settings.server.security == "none"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_mail_has_seven_bits(text: str) -> None:
    """Not every server on the way takes eight."""
    mail = write_mail(hostile_delivery(text), "a@example.org", ["b@example.org"], 0.0, load_page())

    assert mail.as_bytes().isascii()
