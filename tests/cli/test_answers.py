"""Which answers to `notifyd init` make sense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.channels.registry import KINDS
from notifyd.cli.answers import (
    CHOICES,
    EVENTS,
    WITH_TOKEN,
    Answers,
    check_address,
    check_host,
    check_token,
    hint,
)
from notifyd.events.catalogue import check_pattern

BOT = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


def test_every_kind_of_channel_can_be_chosen() -> None:
    """None has to be set up by hand."""
    assert set(CHOICES) == set(KINDS)


def test_every_choice_of_events_exists() -> None:
    """No answer leads to a configuration that does not load."""
    faults = {one: check_pattern(one) for events in EVENTS.values() for one in events}

    assert set(faults.values()) == {None}


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("slack", "https://hooks.slack.com/services/T0/B0/x"),
        ("slack", "https://mattermost.example.org/hooks/x"),
        ("webhook", "http://127.0.0.1:8000/x"),
        ("webhook", "http://[::1]:8000/x"),
        ("webhook", "${TEAM_URL}"),
        ("email", "me@example.org"),
        ("email", "${MY_MAIL}"),
        ("telegram", "-1001234567890"),
        ("telegram", "@our_jobs"),
        ("ntfy", "our-jobs_x7"),
        ("ntfy", "https://ntfy.example.org/our-jobs"),
        ("matrix", "https://matrix.org/!abc:matrix.org"),
        ("matrix", "https://matrix.org/${ROOM}"),
    ],
)
def test_a_good_address_is_taken(kind: str, address: str) -> None:
    """The usual form is no condition; a reference is looked at when it is resolved."""
    assert check_address(kind, address) is None


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("slack", ""),
        ("slack", "hooks.slack.com/services/s3cret"),
        ("discord", "http://discord.com/api/webhooks/s3cret"),
        ("webhook", "https://[::1/s3cret"),
        ("webhook", "https://host:0/s3cret"),
        ("webhook", "https://host/a s3cret"),
        ("webhook", "ftp://host/s3cret"),
        ("email", "s3cret"),
        ("email", "s3cret@host\nBcc: a@b.c"),
        ("telegram", "s3cret"),
        ("ntfy", "s3cret s3cret"),
        ("ntfy", "https://ntfy.sh/"),
        ("ntfy", "ntfy.sh/s3cret"),
        ("matrix", "!s3cret:matrix.org"),
        ("matrix", "https://matrix.org/#s3cret:matrix.org"),
        ("matrix", "https://matrix.org/"),
    ],
)
def test_a_bad_address_is_explained_without_being_shown(kind: str, address: str) -> None:
    """It may be a secret all the same."""
    fault = check_address(kind, address)

    assert fault
    assert "s3cret" not in fault


@given(kind=st.sampled_from(sorted(CHOICES)), address=st.text())
def test_no_address_is_too_strange_to_be_judged(kind: str, address: str) -> None:
    """Whatever somebody pastes, there is an answer."""
    assert check_address(kind, address) is None or isinstance(check_address(kind, address), str)


@given(kind=st.sampled_from(sorted(WITH_TOKEN)), token=st.text())
def test_no_token_is_too_strange_to_be_judged(kind: str, token: str) -> None:
    """Nor is any token."""
    assert check_token(kind, token) is None or isinstance(check_token(kind, token), str)


def test_a_token_is_judged_without_being_shown() -> None:
    """One of Telegram's has a shape; another is one word."""
    assert check_token("telegram", BOT) is None
    assert check_token("telegram", "${TOKEN}") is None
    assert check_token("matrix", "syt_x") is None
    for kind, token in (("telegram", "s3cret"), ("matrix", "s3cret s3cret"), ("matrix", "")):
        fault = check_token(kind, token)
        assert fault
        assert "s3cret" not in fault


def test_an_unusual_address_is_only_pointed_out() -> None:
    """Mattermost speaks Slack's language at an address of its own."""
    assert hint("slack", "https://hooks.slack.com/services/T0/B0/x") is None
    assert hint("discord", "https://discord.com/api/webhooks/1/x") is None
    assert hint("discord", "https://ptb.discord.com/api/v10/webhooks/1/x") is None
    assert hint("webhook", "https://example.org/x") is None
    assert hint("slack", "${URL}") is None
    assert "hooks.slack.com" in (hint("slack", "https://mattermost.example.org/x") or "")


@pytest.mark.parametrize("host", ["localhost", "smtp.example.org:587", "192.0.2.1", "[::1]:25"])
def test_a_mail_server_is_a_host_with_or_without_a_port(host: str) -> None:
    """IPv6 stands in brackets."""
    assert check_host(host) is None


@pytest.mark.parametrize("host", ["", "smtp://x", "x:0", "x:65536", "x:y", "::1", "a b", "x\n"])
def test_anything_else_is_no_mail_server(host: str) -> None:
    """It says how one looks."""
    assert "smtp.example.org:587" in (check_host(host) or "")


def test_answers_do_not_show_the_address() -> None:
    """It is a secret, and a repr ends up in a traceback."""
    assert "s3cret" not in repr(Answers(kind="slack", address="https://x/s3cret", token="s3cret"))
