"""The first configuration: it loads, is private, and never replaces a good one with a bad one."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.channels.email import EmailSettings
from notifyd.channels.matrix import MatrixSettings
from notifyd.channels.ntfy import NtfySettings
from notifyd.channels.slack import SlackSettings
from notifyd.channels.webhook import WebhookSettings
from notifyd.cli.answers import CHOICES, EVENTS, WITH_ADDRESS, WITH_TOKEN, Answers
from notifyd.cli.draft import NotLoadedError, backup, config_text, put
from tests.cli.world import modes

ADDRESSES = {
    "email": "me@example.org",
    "telegram": "-100123",
    "matrix": "https://matrix.example.org/!abc:example.org",
}
SLACK = Answers(kind="slack", address="https://hooks.slack.com/services/T0/B0/x")


@pytest.mark.parametrize("events", EVENTS)
@pytest.mark.parametrize("kind", CHOICES)
def test_every_answer_gives_a_configuration_that_loads(
    tmp_path: Path, kind: str, events: str
) -> None:
    """With one channel, named like its kind, that hears what was chosen."""
    answers = Answers(
        kind=kind,
        address=ADDRESSES.get(kind, "https://example.org/x") if kind in WITH_ADDRESS else "",
        token="110201543:AAHdqTcvCH1v" if kind in WITH_TOKEN else "",
        events=events,
    )
    config = put(tmp_path / "c" / "config.yaml", config_text(answers), {})

    assert {name: (one.type, one.events) for name, one in config.channels.items()} == {
        kind: (kind, EVENTS[events])
    }


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    """The file is 0600 and its folder 0700, whatever the umask says."""
    path = tmp_path / "c" / "config.yaml"
    put(path, config_text(SLACK), {})

    assert (modes(path), modes(path.parent)) == (0o600, 0o700)
    assert [one.name for one in path.parent.iterdir()] == ["config.yaml"]


def test_what_was_there_is_kept(tmp_path: Path) -> None:
    """As private as the new one."""
    path = tmp_path / "config.yaml"
    path.write_text("# mine\n")
    put(path, config_text(SLACK), {})

    assert backup(path).read_text() == "# mine\n"
    assert modes(backup(path)) == 0o600


def test_what_does_not_load_is_not_put_in_place(tmp_path: Path) -> None:
    """The problems name the file that people know, and nothing is left behind."""
    path = tmp_path / "config.yaml"
    path.write_text("# mine\n")
    with pytest.raises(NotLoadedError, match=rf"{path}:\d+: channels.slack.webhook_url: .*NOT_SET"):
        put(path, config_text(Answers(kind="slack", address="${NOT_SET}")), {})

    assert path.read_text() == "# mine\n"
    assert [one.name for one in tmp_path.iterdir()] == ["config.yaml"]


def test_a_reference_is_written_as_one(tmp_path: Path) -> None:
    """The secret itself stays in the environment."""
    path = tmp_path / "config.yaml"
    text = config_text(Answers(kind="slack", address="${URL}"))
    config = put(path, text, {"URL": "https://example.org/s3cret"})

    channel = config.channels["slack"]
    assert isinstance(channel, SlackSettings)
    assert channel.webhook_url is not None
    assert channel.webhook_url.get_secret_value() == "https://example.org/s3cret"
    assert "s3cret" not in path.read_text()


def test_a_server_stands_before_its_topic_or_room(tmp_path: Path) -> None:
    """In one address, as people see it; a topic alone is one of ntfy.sh."""
    room = Answers(kind="matrix", address="https://m.example.org/!abc:example.org", token="${T}")
    matrix = put(tmp_path / "1.yaml", config_text(room), {"T": "s3cret"}).channels["matrix"]
    assert isinstance(matrix, MatrixSettings)
    assert (matrix.homeserver, matrix.room_id) == ("https://m.example.org", "!abc:example.org")
    assert matrix.access_token.get_secret_value() == "s3cret"

    for address, server in (
        ("jobs", "https://ntfy.sh"),
        ("https://n.org/a/jobs", "https://n.org/a"),
    ):
        text = config_text(Answers(kind="ntfy", address=address))
        ntfy = put(tmp_path / "2.yaml", text, {}).channels["ntfy"]
        assert isinstance(ntfy, NtfySettings)
        assert (ntfy.server, ntfy.topic.get_secret_value()) == (server, "jobs")


def test_a_mail_server_may_have_a_port(tmp_path: Path) -> None:
    """And an IPv6 address no brackets."""
    answers = Answers(kind="email", address="me@example.org", smtp_host="[::1]:2525")
    config = put(tmp_path / "config.yaml", config_text(answers), {})

    channel = config.channels["email"]
    assert isinstance(channel, EmailSettings)
    assert (channel.host, channel.port) == ("::1", 2525)
    assert (channel.from_, channel.to) == ("me@example.org", ("me@example.org",))


@given(
    tail=st.text(
        st.characters(exclude_categories=["C", "Z"]) | st.sampled_from("\\\"'#:${}%&*!|>@`,[]?-")
    ).filter(lambda text: "${" not in text or "}" not in text)
)
def test_no_address_breaks_out_of_its_quotes(tail: str) -> None:
    """Whatever can be printed is loaded again just as it was."""
    address = f"https://example.org/x{tail}"
    with tempfile.TemporaryDirectory() as folder:
        text = config_text(Answers(kind="webhook", address=address))
        config = put(Path(folder) / "config.yaml", text, {})

    channel = config.channels["webhook"]
    assert isinstance(channel, WebhookSettings)
    assert channel.url.get_secret_value() == address
