"""Slack: within its limits, nothing that a job is called pings anybody, and by which way in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from notifyd.channels.base import Channel
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.registry import Tools
from notifyd.channels.slack import SlackSettings, slack_of
from notifyd.channels.slack.message import escape, payload
from notifyd.channels.slack.webhook import is_proof
from tests.channels.parts import HOSTILE, Sink, delivery_of, texts

SETTINGS = SlackSettings.model_validate({"webhook_url": "https://hooks.example.org/x"})


def _webhook(tools: Tools, url: str, **options: str) -> Channel:
    settings = SlackSettings.model_validate({"webhook_url": url, **options})
    return slack_of(settings, tools.transport, tools.clock)


def _blocks(text: str, facts: int) -> list[dict[str, Any]]:
    delivery = delivery_of(title=text, body=text, facts=((text, text),) * facts)
    blocks: list[dict[str, Any]] = payload(delivery, SETTINGS)["blocks"]
    return blocks


def _objects(value: object) -> Iterator[dict[str, Any]]:
    """Yield every object inside of a block or of several."""
    if isinstance(value, dict):
        yield value
    inner: Iterable[object] = value.values() if isinstance(value, dict) else ()
    for one in value if isinstance(value, list) else inner:
        yield from _objects(one)


def _texts(value: object) -> list[str]:
    return [one["text"] for one in _objects(value) if isinstance(one.get("text"), str)]


async def test_a_message_as_slack_wants_it(tools: Tools, sink: Sink) -> None:
    """Header, body, fields and context arrive, with the options of the user."""
    options = {"username": "jobs", "icon_emoji": ":robot:", "channel": "#hpc"}
    receipt = await _webhook(tools, sink.url, **options).send(delivery_of())
    sent = sink.said()

    assert receipt.ref is None
    assert sink.taken[0].headers["Content-Type"].startswith("application/json")
    assert (sent["username"], sent["icon_emoji"]) == ("jobs", ":robot:")
    assert sent["channel"] == "#hpc"
    assert sent["text"].startswith("❌ Job 4711 (train) failed: exit code 1\nIt ran")
    assert [block["type"] for block in sent["blocks"]] == [
        "header",
        "section",
        "section",
        "context",
    ]
    assert sent["blocks"][2]["fields"][1]["text"] == "*State*\nFAILED"


async def test_the_plain_form_has_text_alone(tools: Tools, sink: Sink) -> None:
    """What Slack refuses for its blocks says the same without any."""
    await _webhook(tools, sink.url).send(delivery_of(plain=True))

    assert set(sink.said()) == {"text", "unfurl_links", "unfurl_media"}
    assert sink.said()["text"] == (
        "❌ Job 4711 (train) failed: exit code 1\n"
        "It ran for 3 h 20 min.\n\nJob: 4711\nState: FAILED"
    )


@pytest.mark.parametrize(
    ("status", "said", "fault"),
    [
        (400, "invalid_payload", Fault.FORM),
        (400, "invalid_blocks", Fault.FORM),
        (400, "msg_blocks_too_long", Fault.FORM),
        (400, "user_not_found", Fault.CHANNEL),
        (400, "invalid_token", Fault.CHANNEL),
        (403, "action_prohibited", Fault.CHANNEL),
        (404, "no_service", Fault.CHANNEL),
        (410, "channel_is_archived", Fault.CHANNEL),
    ],
)
async def test_slack_says_whose_fault_it_is(
    tools: Tools, sink: Sink, status: int, said: str, fault: Fault
) -> None:
    """The form, or whoever posts: the words count where 400 alone does not tell."""
    sink.status, sink.text = status, said
    with pytest.raises(PermanentFailure, match=said) as failure:
        await _webhook(tools, sink.url).send(delivery_of())

    assert failure.value.fault is fault


@pytest.mark.parametrize("said", ["ok", "", '{"success": true}', '{"result": "success"}'])
async def test_those_that_take_slacks_messages_say_what_they_like(
    tools: Tools, sink: Sink, said: str
) -> None:
    """Mattermost, Rocket.Chat, Zulip: a message that was taken is not sent again."""
    sink.text = said

    assert (await _webhook(tools, sink.url).send(delivery_of())).status == 200


async def test_a_page_is_no_answer_of_theirs(tools: Tools, sink: Sink) -> None:
    """A portal in between says 200 as well."""
    sink.text = "<!DOCTYPE html><title>Please log in</title>"
    with pytest.raises(TemporaryFailure, match="portal"):
        await _webhook(tools, sink.url).send(delivery_of())


@pytest.mark.parametrize(("said", "taken"), [("ok", True), ("ok\n", True), ("", False)])
def test_slack_itself_says_ok(said: str, taken: bool) -> None:
    """Anything else is not from Slack."""
    assert is_proof(said, "hooks.slack.com") is taken
    assert is_proof(said, "hooks.not-slack.com")


async def test_trouble_of_slacks_own_is_temporary(tools: Tools, sink: Sink) -> None:
    """`rollup_error` passes by itself."""
    sink.status, sink.text = 500, "rollup_error"
    with pytest.raises(TemporaryFailure, match="rollup_error"):
        await _webhook(tools, sink.url).send(delivery_of())


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"channel": "#hpc"},
        {"token": "xoxb-hunter2"},
        {"token": "xoxp-hunter2", "channel": "#hpc"},
        {"token": "xoxb-hunter2\n", "channel": "#hpc"},
        {"token": "xoxb-hunter2", "channel": "#hpc", "webhook_url": "https://h/hunter2"},
        {"token": "xoxb-hunter2", "channel": "#hpc", "api_url": "https://a:hunter2@h/"},
    ],
)
def test_there_is_one_way_in(wrong: dict[str, str]) -> None:
    """Either a webhook or a bot with a channel; no error repeats a secret."""
    with pytest.raises(ValidationError) as error:
        SlackSettings.model_validate(wrong)

    assert "hunter2" not in str(error.value)


@given(texts, st.integers(0, 40))
def test_the_plain_form_keeps_to_its_limit(text: str, facts: int) -> None:
    """4000 characters are advised, and none of them is obeyed."""
    delivery = delivery_of(text, text * 90, facts=((text, text * 9),) * facts, plain=True)
    said = payload(delivery, SETTINGS)["text"]

    assert 1 <= len(said) <= 4000
    assert not {"<", ">"} & set(said)


@given(texts, st.integers(0, 40))
def test_every_limit_is_kept(text: str, facts: int) -> None:
    """However long or strange the texts: no block is refused for its size."""
    blocks = _blocks(text * 40, facts)
    total = sum(len(found) for found in _texts(blocks))

    assert total <= 13_200
    assert len(blocks) <= 50
    for block in blocks:
        assert 1 <= len(block.get("fields", "x")) <= 10
        assert all(1 <= len(found) <= 2000 for found in _texts(block.get("fields", [])))
        limit = 150 if block["type"] == "header" else 3000
        assert all(1 <= len(found) <= limit for found in _texts(block.get("text", {})))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_pings_or_links(text: str) -> None:
    """A `<` that Slack would obey is in none of the texts, and none is searched for links."""
    blocks = _blocks(text, 3)

    assert not any({"<", ">"} & set(found) for found in _texts(blocks))
    assert all(one["verbatim"] for one in _objects(blocks) if one.get("type") == "mrkdwn")


@given(st.text())
def test_escaping_is_undone_by_reading(text: str) -> None:
    """Only the three signs are escaped, and people read what was written."""
    read = escape(text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

    assert read == text
    assert not {"<", ">"} & set(escape(text))
