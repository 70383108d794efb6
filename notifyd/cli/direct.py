"""Sends test messages straight from the configuration, without a daemon."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable, Mapping

import click

from notifyd.channels.base import Channel
from notifyd.channels.console import Write
from notifyd.channels.failures import PermanentFailure, TemporaryFailure
from notifyd.channels.registry import KINDS, Tools
from notifyd.channels.settings import ChannelSettings
from notifyd.channels.transport import Transport
from notifyd.clock import SystemClock
from notifyd.config.schema import Config
from notifyd.control.spoken import test_delivery
from notifyd.logs import set_up_logs
from notifyd.model import Delivery

_SLACK = 5.0
"""Seconds beyond the channel's own time-out, after which it is not waited for any more."""

_print: Write = functools.partial(click.echo, nl=True)


def send_test(
    config: Config, names: Iterable[str], environ: Mapping[str, str], write: Write = _print
) -> dict[str, str | None]:
    """Try these channels at the same time; return why each failed, or None.

    `write` takes what a console channel says. Raises KeyError for a name without a channel.
    """
    set_up_logs(environ)  # to standard error: what is printed may be JSON for programs
    chosen = {name: config.channels[name] for name in names}
    return asyncio.run(_send_all(chosen, write))


def enabled_channels(config: Config) -> dict[str, ChannelSettings]:
    """Return the channels that the daemon would use."""
    return {name: one for name, one in config.channels.items() if one.enabled}


async def _send_all(chosen: Mapping[str, ChannelSettings], write: Write) -> dict[str, str | None]:
    async with Transport() as transport:
        tools = Tools(transport=transport, clock=SystemClock(), write=write)
        reasons = await asyncio.gather(
            *(_attempt(name, settings, tools) for name, settings in chosen.items())
        )
    return dict(zip(chosen, reasons, strict=True))


async def _attempt(name: str, settings: ChannelSettings, tools: Tools) -> str | None:
    channel = KINDS[settings.type].build(settings, tools)
    delivery = test_delivery(name, tools.clock.now())
    return await try_once(channel, delivery, settings.timeout + _SLACK)


async def try_once(channel: Channel, delivery: Delivery, limit: float) -> str | None:
    """Return why the channel did not take the delivery within so many seconds, or None."""
    try:
        async with asyncio.timeout(limit):
            await channel.send(delivery)
    except (TemporaryFailure, PermanentFailure) as failure:
        return failure.reason
    except TimeoutError:
        return f"no answer within {limit:g} s"
    return None
