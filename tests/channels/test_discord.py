"""Discord: within its limits, and a job's name is never markup."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from notifyd.channels.discord import Discord, DiscordSettings, escape, payload
from notifyd.channels.registry import Tools
from notifyd.channels.text import units
from notifyd.model import Severity
from tests.channels.parts import Sink, delivery_of, texts

LIVE = re.compile(r"(?:\\[^0-9A-Za-z\s])|([*_~`|<>#\[\]()@:])|^\s*([-+]|\d+\.)", re.MULTILINE)
"""An escaped sign, or one that Discord would obey (in a group)."""


async def test_a_message_as_discord_wants_it(tools: Tools, sink: Sink) -> None:
    """One embed, mentions off, and the thread of the address kept beside `wait`."""
    settings = DiscordSettings.model_validate(
        {"webhook_url": f"{sink.url}/api/webhooks/1/tok?thread_id=7&wait=false", "username": "jobs"}
    )
    await Discord(settings, tools.transport, tools.clock).send(delivery_of())
    (taken,) = sink.taken
    sent = json.loads(taken.body)

    assert taken.path == "/api/webhooks/1/tok?thread_id=7&wait=true"
    assert (sent["username"], sent["allowed_mentions"]) == ("jobs", {"parse": []})
    assert sent["embeds"] == [
        {
            "title": r"❌ Job 4711 \(train\) failed\: exit code 1",
            "description": "It ran for 3 h 20 min.",
            "color": 0xDC2626,
            "footer": {"text": "/slurm/c1 · notifyd"},
            "timestamp": "2026-11-21T12:00:00.250000+00:00",
            "fields": [
                {"name": "Job", "value": "4711", "inline": True},
                {"name": "State", "value": "FAILED", "inline": True},
            ],
        }
    ]


def test_each_severity_has_its_colour() -> None:
    """Bad news is told from good at a glance."""
    colours = [payload(delivery_of(severity=one))["embeds"][0]["color"] for one in Severity]

    assert len(set(colours)) == len(Severity)


@given(texts, st.integers(0, 40))
def test_every_limit_is_kept(text: str, facts: int) -> None:
    """However long or strange the texts: the embed is not refused for its size."""
    (embed,) = payload(
        delivery_of(title=text * 9, body=text * 90, facts=((text, text * 9),) * facts)
    )["embeds"]
    fields = embed["fields"]

    assert 1 <= units(embed["title"]) <= 256
    assert units(embed["description"]) <= 4096
    assert len(fields) <= 25
    assert all(1 <= units(one["name"]) <= 256 for one in fields)
    assert all(1 <= units(one["value"]) <= 1024 for one in fields)
    together = [one["name"] + one["value"] for one in fields]
    parts = [embed["title"], embed["description"], embed["footer"]["text"], *together]
    assert units("".join(parts)) <= 6000


@given(st.text() | texts)
def test_no_text_is_markup(text: str) -> None:
    """Every sign that Discord obeys has its backslash, and people read what was written."""
    escaped = escape(text)

    assert not [match for match in LIVE.finditer(escaped) if match[1] or match[2]]
    assert re.sub(r"\\([^0-9A-Za-z\s])", r"\1", escaped) == text


@pytest.mark.parametrize(
    "text",
    ["[a](https://x)", "@everyone", "<@&1>", "```\ncode", "||x||", "# big", "- list", "1. one"],
)
def test_known_markup_is_dead(text: str) -> None:
    """Links, mentions, fences, spoilers, headings and lists are shown as they were typed."""
    (embed,) = payload(delivery_of(body=text))["embeds"]

    assert embed["description"] != text
    assert embed["description"].replace("\\", "") == text


def test_a_name_discord_refuses_is_refused_early() -> None:
    """A user name has 1 to 80 characters."""
    with pytest.raises(ValidationError):
        DiscordSettings.model_validate({"webhook_url": "https://h/x", "username": "x" * 81})
