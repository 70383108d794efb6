"""Sending without a daemon does not wait for ever."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from notifyd.channels.console import ConsoleSettings
from notifyd.cli import direct
from notifyd.config.schema import Config
from notifyd.model import Delivery


class _Silent:
    async def send(self, delivery: Delivery) -> None:
        await asyncio.Event().wait()


def test_a_channel_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The channel's own time-out and a little more."""
    settings = ConsoleSettings()
    kind = SimpleNamespace(build=lambda settings, tools: _Silent())
    monkeypatch.setattr(direct, "KINDS", {"console": kind})
    monkeypatch.setattr(direct, "_SLACK", 0.25 - settings.timeout)
    monkeypatch.setattr(direct, "set_up_logs", lambda environ: None)
    config = Config.model_construct(channels={"here": settings})

    assert direct.send_test(config, ["here"], {}) == {"here": "no answer within 0.25 s"}
