"""`notifyd status`: each trouble in a sentence, with what mends it."""

from __future__ import annotations

from typing import Any

import pytest

from notifyd.cli import text
from notifyd.cli.status import show
from tests.cli.test_plain import CHANNEL, STATUS
from tests.cli.world import Receiver, World, webhook, widest

FINE = CHANNEL | {"state": "ok", "last_error": None}


@pytest.mark.parametrize(
    ("channel", "sentences"),
    [
        ({"last_error": "it was slow"}, ["team: the last try failed: it was slow"]),
        ({"muted": "muted"}, ["team is muted; `notifyd unmute team` ends that."]),
        (
            {"refusal": "no such hook", "last_error": "no such hook"},
            [
                "team takes nothing until it is mended: no such hook",
                "After mending: notifyd reload (or notifyd test --channel team)",
            ],
        ),
        (
            {"down_since": 100.0, "next_probe": 160.0, "last_error": "no route"},
            [f"team is down since {text.clock(100)}, and tried again at {text.clock(160)}: no"],
        ),
        (
            {"down_since": 100.0},
            [f"team is down since {text.clock(100)}, and being tried again now."],
        ),
        ({"paused_until": 160.0}, [f"team has asked for a pause until {text.clock(160)}."]),
        ({"dead": 2}, ["team has 2 dead letters: notifyd dead list --channel team"]),
    ],
)
def test_a_channel_in_trouble_has_its_sentence(
    channel: dict[str, Any], sentences: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """And one that has none is silent."""
    show(STATUS | {"channels": [FINE, FINE | channel]}, now=150.0)

    printed = capsys.readouterr().out
    assert [line for line in printed.splitlines() if line.startswith(tuple(sentences))]
    assert all(sentence in printed for sentence in sentences)
    assert printed.count("team") == 2 + " ".join(sentences).count("team")
    assert widest(printed) <= 80


def test_a_long_backlog_is_seen_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """At 80 columns, with a name as long as they are as a rule."""
    much = FINE | {"name": "physics-team-discord", "kind": "telegram", "breaker": "half_open"}
    much |= {"backlog": 1234567, "oldest": 10.0, "state": "waiting", "dead": 12}
    show(STATUS | {"channels": [much]}, now=10.0 + 93600)

    (line,) = (one for one in capsys.readouterr().out.splitlines() if "1234567" in one)
    assert line.endswith("  1234567 (1 d)")
    assert len(line) <= 80


def test_a_store_in_trouble_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """What it owes cannot be counted then, and no number is made up."""
    unknown = FINE | {"backlog": None, "dead": None}
    trouble = {"trouble": "/s/outbox.sqlite: database or disk is full", "dead": {}}
    show(STATUS | {"store": trouble, "channels": [unknown]}, now=2.0)

    printed = capsys.readouterr().out
    assert "Store    in trouble, all waits until it can be written: " in printed
    assert "/s/outbox.sqlite: database or disk is full" in " ".join(printed.split())
    assert printed.splitlines()[-1].split()[-2:] == ["?", "?"]
    assert widest(printed) <= 80


def test_what_belongs_to_nobody_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A channel that is gone may have left something."""
    left = {"unconfigured_backlog": {"old": 3}, "store": {"trouble": None, "dead": {"older": 1}}}
    show(STATUS | left, now=2.0)

    printed = capsys.readouterr().out
    assert "old: 3 owed, but that channel is not configured" in printed
    assert "older: 1 dead letter, and that channel is not configured" in printed


async def test_a_channel_that_is_refused_is_readmitted_by_a_test(
    world: World, receiver: Receiver
) -> None:
    """What it was owed goes out at once: mending needs no restart."""
    receiver.status = 404
    async with world.daemon(webhook(receiver)):
        await world.run("send", "one", "--channel", "team")
        refused = await world.fares("team", "refused")
        shown = await world.run("status")
        failed = await world.run("test", "--channel", "team")
        await world.fares("team", "refused")
        receiver.status = 200
        tested = await world.run("test", "--channel", "team")
        told = await world.ended()
        await world.fares("team", "ok")

    assert "404" in refused["refusal"]
    assert "team takes nothing until it is mended: " in shown.out
    assert (failed.code, tested.code) == (1, 0)
    assert [one["state"] for one in told] == ["delivered"]


async def test_a_pause_that_was_asked_for_is_no_failure(world: World, receiver: Receiver) -> None:
    """The channel waits, and status says how long."""
    receiver.status, receiver.headers = 429, {"Retry-After": "600"}
    async with world.daemon(webhook(receiver)):
        await world.run("send", "one", "--channel", "team")
        waiting = await world.fares("team", "waiting")
        shown = await world.run("status")

    assert 500 < waiting["paused_until"] - waiting["oldest"] < 700
    assert "team has asked for a pause until " in shown.out


async def test_channel_list_shows_who_is_told_instead(world: World, receiver: Receiver) -> None:
    """In order; a dash where nobody is."""
    mail = f"  mail: {{type: webhook, url: '{receiver.url}', fallback: [team], events: []}}\n"
    async with world.daemon(webhook(receiver) + mail):
        done = await world.run("channel", "list")

    team, second = (line.split() for line in done.out.splitlines()[1:])
    assert team == ["team", "webhook", "ok", "-", "job_ended,", "job_stuck"]
    assert second == ["mail", "webhook", "ok", "team", "-"]
