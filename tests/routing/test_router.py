"""The router decides who hears an event."""

from __future__ import annotations

from notifyd.routing.router import Router, Subscriber
from tests.fakes import an_event

ROUTER = Router(
    subscribers=(
        Subscriber(channel="all", patterns=("all",)),
        Subscriber(channel="bad news", patterns=("job_failed", "job_stuck")),
        Subscriber(channel="silent", patterns=()),
    )
)


def test_channels_hear_what_they_asked_for() -> None:
    """In the order of the configuration."""
    assert ROUTER.route(an_event("job_timed_out")) == ["all", "bad news"]
    assert ROUTER.route(an_event("job_completed")) == ["all"]


def test_a_message_reaches_its_addressee_alone() -> None:
    """What is sent to one channel is told to no other, whatever they ask for."""
    event = an_event("message", data={"channel": "silent", "text": "hello"})

    assert ROUTER.route(event) == ["silent"]
