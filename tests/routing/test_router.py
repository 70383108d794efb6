"""The router decides who hears an event."""

from __future__ import annotations

import pytest

from notifyd.routing.router import Router, Subscriber
from tests.fakes import an_event

ROUTER = Router(
    subscribers=(
        Subscriber(channel="all", patterns=("all",)),
        Subscriber(channel="bad news", patterns=("job_failed", "job_stuck")),
        Subscriber(channel="silent", patterns=()),
    )
)


def a_router(**patterns: str) -> Router:
    return Router(
        subscribers=tuple(
            Subscriber(channel=name, patterns=tuple(text.split()))
            for name, text in patterns.items()
        )
    )


def trouble_of(channel: str) -> object:
    return {"channel_name": channel, "error": "401", "lasted_seconds": 0}


def test_channels_hear_what_they_asked_for() -> None:
    """In the order of the configuration."""
    assert ROUTER.route(an_event("job_timed_out")) == ["all", "bad news"]
    assert ROUTER.route(an_event("job_completed")) == ["all"]


def test_a_message_reaches_its_addressee_alone() -> None:
    """What is sent to one channel is told to no other, whatever they ask for."""
    event = an_event("message", data={"channel": "silent", "text": "hello"})

    assert ROUTER.route(event) == ["silent"]


def test_a_message_to_nobody_reaches_nobody() -> None:
    """A channel that is gone has no stand-in."""
    assert ROUTER.route(an_event("message", data={"channel": "gone"})) == []


def test_a_digest_reaches_whoever_asked_for_a_part_of_it() -> None:
    """It stands for what it tells."""
    assert ROUTER.route(an_event("job_digest", stands_for=("job_failed",))) == ["all", "bad news"]
    assert ROUTER.route(an_event("job_digest", stands_for=("job_completed",))) == ["all"]


@pytest.mark.parametrize("type", ["channel_degraded", "channel_disabled", "channel_recovered"])
def test_a_channels_trouble_is_told_through_those_who_ask(type: str) -> None:
    """But never through itself, for that is what does not work."""
    router = a_router(a="all", b="all", c="job_*", d="channel_*")

    assert router.route(an_event(type, data=trouble_of("a"))) == ["b", "d"]


def test_if_nobody_asks_the_first_other_is_told() -> None:
    """Trouble has to reach somebody."""
    router = a_router(a="job_*", b="job_*", c="")
    disabled = {name: an_event("channel_disabled", data=trouble_of(name)) for name in "abc"}

    assert [router.route(disabled[name]) for name in "abc"] == [["b"], ["a"], ["a"]]


def test_a_channel_that_is_alone_tells_nobody_of_its_trouble() -> None:
    """There is nobody; the log and `status` show it."""
    only = a_router(a="all")

    assert only.route(an_event("channel_disabled", data=trouble_of("a"))) == []
