"""Discord: within its limits, and a job's name is never markup."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from notifyd.channels.discord import Discord, DiscordSettings, escape, payload
from notifyd.channels.failures import Fault, PermanentFailure
from notifyd.channels.registry import Tools
from notifyd.channels.text import units
from notifyd.model import Severity
from notifyd.settings import Secret
from tests.channels.parts import Sink, delivery_of, texts

SECRET = "s3cr3tTok3n"
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


def _discord(tools: Tools, sink: Sink) -> Discord:
    url = f"{sink.url}/api/webhooks/1/{SECRET}?thread_id=7"
    return Discord(DiscordSettings(webhook_url=Secret(url)), tools.transport, tools.clock)


async def test_the_plain_form_has_content_alone(tools: Tools, sink: Sink) -> None:
    """What Discord refuses for its embed says the same without one; still nobody is mentioned."""
    await _discord(tools, sink).send(delivery_of(plain=True))

    assert sink.said() == {
        "content": "❌ Job 4711 \\(train\\) failed\\: exit code 1\n"
        "It ran for 3 h 20 min.\n\nJob\\: 4711\nState\\: FAILED",
        "allowed_mentions": {"parse": []},
    }


async def test_the_id_is_found_in_a_long_answer(tools: Tools, sink: Sink) -> None:
    """Discord gives back the whole message, embeds and all, before or after its id."""
    fields = [{"name": "n" * 200, "value": "v" * 1000, "inline": True}] * 25
    sink.text = json.dumps({"embeds": [{"fields": fields}], "id": "1234567890123456789"})
    receipt = await _discord(tools, sink).send(delivery_of())

    assert (receipt.ref, receipt.status) == ("1234567890123456789", 200)


@pytest.mark.parametrize("text", ['{"id": 5}', f'{{"id": "{SECRET}"}}', '{"id": "1/../2"}'])
async def test_what_is_no_id_is_not_kept(tools: Tools, sink: Sink, text: str) -> None:
    """The message has arrived all the same, and no secret gets into the history."""
    sink.text = text

    assert (await _discord(tools, sink).send(delivery_of())).ref is None


@pytest.mark.parametrize("plain", [False, True])
async def test_a_message_is_changed_where_it_is(tools: Tools, sink: Sink, plain: bool) -> None:
    """In the same thread; of what was there before, nothing stays."""
    receipt = await _discord(tools, sink).edit(delivery_of(plain=plain), "42")
    (taken,) = sink.taken

    assert (taken.method, taken.path) == (
        "PATCH",
        f"/api/webhooks/1/{SECRET}/messages/42?thread_id=7",
    )
    assert bool(sink.said()["content"]) is plain
    assert bool(sink.said()["embeds"]) is not plain
    assert receipt.ref == "42"


@pytest.mark.parametrize(("code", "fault"), [(10008, Fault.MESSAGE), (10015, Fault.CHANNEL)])
async def test_a_missing_message_is_no_missing_webhook(
    tools: Tools, sink: Sink, code: int, fault: Fault
) -> None:
    """Both are 404: one is told anew, the other needs somebody."""
    sink.status, sink.text = 404, json.dumps({"message": "Unknown", "code": code})
    with pytest.raises(PermanentFailure) as failure:
        await _discord(tools, sink).edit(delivery_of(), "42")

    assert failure.value.fault is fault


@given(texts, st.integers(0, 40))
def test_the_plain_form_keeps_to_its_limit(text: str, facts: int) -> None:
    """2000 characters, and none of them is obeyed."""
    delivery = delivery_of(text, text * 90, facts=((text, text * 9),) * facts, plain=True)
    content = payload(delivery)["content"]

    assert 1 <= units(content) <= 2000
    assert not [match for match in LIVE.finditer(content) if match[1] or match[2]]


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


@pytest.mark.parametrize("name", ["", "x" * 81, "discord bot", "My DiScord", "Clyde"])
def test_a_name_discord_refuses_is_refused_early(name: str) -> None:
    """A user name has 1 to 80 characters, and some words are Discord's own."""
    with pytest.raises(ValidationError, match="username"):
        DiscordSettings.model_validate({"webhook_url": "https://h/x", "username": name})


def test_the_plain_form_has_no_name() -> None:
    """If it is the name that Discord does not like, the message still arrives."""
    assert payload(delivery_of(), "jobs")["username"] == "jobs"
    assert "username" not in payload(delivery_of(plain=True), "jobs")


def test_the_limits_that_were_seen_are_kept() -> None:
    """30 in a minute and 5 in two seconds, even if the bucket was full."""
    limit = DiscordSettings(webhook_url=Secret("https://h/x")).rate_limit
    a_second = limit.max_requests / limit.window

    assert limit.burst + 60 * a_second <= 30
    assert limit.burst + int(2 * a_second) <= 5
