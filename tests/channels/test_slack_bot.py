"""Slack's bot: 200 is no success yet, and what it has posted it can change."""

from __future__ import annotations

import pytest

from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.refs import placed
from notifyd.channels.registry import Tools
from notifyd.channels.response import DEFAULT_PAUSE
from notifyd.channels.slack import SlackSettings
from notifyd.channels.slack.bot import Bot
from notifyd.settings import Secret
from tests.channels.parts import Sink, delivery_of

TOKEN = "xoxb-1234-hunter2"
POSTED = '{"ok": true, "channel": "C024BE91L", "ts": "1503435956.000247", "message": {"a": true}}'


def _bot(tools: Tools, sink: Sink) -> Bot:
    settings = SlackSettings.model_validate(
        {"token": TOKEN, "channel": "#hpc", "api_url": f"{sink.url}/api/"}
    )
    return Bot(settings, Secret(TOKEN), tools.transport, tools.clock)


async def test_a_message_is_posted_to_its_channel(tools: Tools, sink: Sink) -> None:
    """The same blocks as by webhook, a token in the header, and an id in return."""
    sink.text = POSTED
    receipt = await _bot(tools, sink).send(delivery_of())
    (taken,) = sink.taken

    assert (taken.method, taken.path) == ("POST", "/api/chat.postMessage")
    assert taken.headers["Authorization"] == f"Bearer {TOKEN}"
    assert sink.said()["channel"] == "#hpc"
    assert sink.said()["blocks"][0]["type"] == "header"
    assert (receipt.ref, receipt.status) == (placed("C024BE91L:1503435956.000247", "#hpc"), 200)


async def test_a_message_is_changed_where_it_is(tools: Tools, sink: Sink) -> None:
    """Channel and time come from the id, for Slack takes no #name here."""
    sink.text = POSTED
    await _bot(tools, sink).edit(delivery_of(), placed("C024BE91L:1503435956.000247", "#hpc"))

    assert sink.taken[0].path == "/api/chat.update"
    assert sink.said()["channel"] == "C024BE91L"
    assert sink.said()["ts"] == "1503435956.000247"


@pytest.mark.parametrize("plain", [False, True])
async def test_a_change_leaves_no_old_blocks(tools: Tools, sink: Sink, plain: bool) -> None:
    """A plain text takes the place of the blocks; on its own it needs none."""
    sink.text = POSTED
    await _bot(tools, sink).edit(delivery_of(plain=plain), placed("C1:1.2", "#hpc"))
    assert bool(sink.said()["blocks"]) is not plain

    await _bot(tools, sink).send(delivery_of(plain=plain))
    assert ("blocks" in sink.said()) is not plain


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        *((name, Fault.CHANNEL) for name in ("invalid_auth", "account_inactive", "token_revoked")),
        *((name, Fault.CHANNEL) for name in ("not_in_channel", "channel_not_found", "is_archived")),
        *((name, Fault.CHANNEL) for name in ("ekm_access_denied", "two_factor_setup_required")),
        ("restricted_action_read_only_channel", Fault.CHANNEL),
        ("never_heard_of", Fault.CHANNEL),
        *((name, Fault.FORM) for name in ("invalid_blocks", "msg_too_long")),
        ("invalid_blocks_format", Fault.FORM),
        ("no_text", Fault.MESSAGE),
    ],
)
async def test_200_with_an_error_is_a_refusal(
    tools: Tools, sink: Sink, name: str, fault: Fault
) -> None:
    """The name of the error decides, and is shown; one that nobody knows stops the channel."""
    sink.text = f'{{"ok": false, "error": "{name}"}}'
    with pytest.raises(PermanentFailure, match=name) as failure:
        await _bot(tools, sink).send(delivery_of())

    assert (failure.value.fault, failure.value.status) == (fault, 200)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        *((name, Fault.MESSAGE) for name in ("message_not_found", "cant_update_message")),
        *((name, Fault.MESSAGE) for name in ("edit_window_closed", "never_heard_of")),
        ("invalid_auth", Fault.CHANNEL),
    ],
)
async def test_a_message_that_cannot_be_changed_is_told_anew(
    tools: Tools, sink: Sink, name: str, fault: Fault
) -> None:
    """What Slack does not like of an old message says nothing of the channel."""
    sink.text = f'{{"ok": false, "error": "{name}"}}'
    with pytest.raises(PermanentFailure, match=name) as failure:
        await _bot(tools, sink).edit(delivery_of(), placed("C1:1.2", "#hpc"))

    assert failure.value.fault is fault


async def test_the_plain_form_is_the_last(tools: Tools, sink: Sink) -> None:
    """A text without blocks that is refused for its form is refused for good."""
    sink.text = '{"ok": false, "error": "msg_too_long"}'
    with pytest.raises(PermanentFailure) as failure:
        await _bot(tools, sink).send(delivery_of(plain=True))

    assert failure.value.fault is Fault.MESSAGE


@pytest.mark.parametrize(
    "text",
    [
        *(
            f'{{"ok": false, "error": "{name}"}}'
            for name in (
                *("internal_error", "fatal_error", "service_unavailable", "request_timeout"),
                *("team_added_to_org", "org_login_required", "message_limit_exceeded"),
                "external_channel_migrating",
            )
        ),
        "<html>please log in to this network</html>",
        "",
    ],
)
async def test_what_may_pass_later_is_temporary(tools: Tools, sink: Sink, text: str) -> None:
    """Slack's own trouble, and an answer that Slack did not give: neither says that it is taken."""
    sink.text = text
    with pytest.raises(TemporaryFailure) as failure:
        await _bot(tools, sink).send(delivery_of())

    assert failure.value.retry_after is None


@pytest.mark.parametrize(("headers", "pause"), [({"Retry-After": "30"}, 30.0), ({}, DEFAULT_PAUSE)])
@pytest.mark.parametrize("status", [200, 429])
async def test_a_wish_for_a_pause_is_heard(
    tools: Tools, sink: Sink, status: int, headers: dict[str, str], pause: float
) -> None:
    """`ratelimited` says so as well as 429 does."""
    sink.status, sink.headers = status, headers
    sink.text = '{"ok": false, "error": "ratelimited"}'
    with pytest.raises(TemporaryFailure) as failure:
        await _bot(tools, sink).send(delivery_of())

    assert (failure.value.retry_after, failure.value.busy) == (pause, True)


async def test_an_odd_id_is_not_kept(tools: Tools, sink: Sink) -> None:
    """What cannot be an id is none, and no secret gets into the history by it."""
    sink.text = f'{{"ok": true, "channel": "{TOKEN}", "ts": "1.2"}}'
    receipt = await _bot(tools, sink).send(delivery_of())

    assert receipt.ref is None
