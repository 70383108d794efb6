"""Does each channel take a message?"""

from __future__ import annotations

from notifyd.channels.console import ConsoleSettings
from notifyd.cli.checks.channels import not_tried, tried
from notifyd.cli.checks.finding import State


def test_a_channel_that_took_it_is_fine() -> None:
    """By its name and kind."""
    finding = tried("team", ConsoleSettings(), None)

    assert (finding.name, finding.state) == ("channel:team", State.OK)
    assert "team (console)" in finding.text


def test_a_channel_that_did_not_fails_with_the_reason() -> None:
    """And with how to try it again."""
    finding = tried("team", ConsoleSettings(), "host refuses the connection")

    assert finding.state is State.FAILED
    assert "host refuses the connection" in finding.text
    assert "notifyd test --channel team" in finding.mend


def test_a_channel_that_is_not_tried_is_no_trouble() -> None:
    """It says that it was not tried."""
    finding = not_tried("team", ConsoleSettings())

    assert finding.state is State.OK
    assert "--no-send" in finding.text
