"""Slack: within its limits, and nothing that a job is called pings anybody."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.channels.registry import Tools
from notifyd.channels.slack import Slack, SlackSettings, escape, payload
from tests.channels.parts import HOSTILE, Sink, delivery_of, texts

SETTINGS = SlackSettings.model_validate({"webhook_url": "https://hooks.example.org/x"})


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
    settings = SlackSettings.model_validate(
        {"webhook_url": sink.url, "username": "jobs", "icon_emoji": ":robot:", "channel": "#hpc"}
    )
    await Slack(settings, tools.transport, tools.clock).send(delivery_of())
    sent = json.loads(sink.taken[0].body)

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
