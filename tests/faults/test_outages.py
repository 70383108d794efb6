"""A receiver that cannot be reached: nothing listens, no certificate that holds, no such host."""

from __future__ import annotations

import asyncio
import ssl
import time
from itertools import pairwise
from pathlib import Path

import pytest

from notifyd.outbox.store import Outbox
from tests.faults.certificates import Authority
from tests.faults.daemon import OPENING, Daemon, Home, a_home, webhook
from tests.faults.owed import fill, send
from tests.faults.receivers import Receiver, receiving
from tests.faults.table import Table

pytestmark = pytest.mark.alone

OWED = 5000
OUTAGE = 30.0
MOST_PROBES = 10
MOST_CPU = 0.1
"""Seconds that a daemon may work in the outage, beyond an idle one."""
HEARD_WITHIN = 3.5
"""Seconds. Ten probes in 30 s are 3 s apart, and so long may a return stay unseen: "ten probes" and
"all told within 3 s of the return" cannot both be promised. The second counts from the first word.
"""
TOLD_WITHIN = 3.0
"""Seconds from then; where the machine is slow or busy, thrice the time without an outage."""
PAUSE = 0.5
"""Seconds between two of them, at most: nothing waits any more."""


async def test_a_receiver_that_is_down_is_spared(home: Home, table: Table, usual: float) -> None:
    """Down for 30 s with thousands owed: few tries, no work besides, then all of it at once."""
    async with receiving(listens=False) as hook, a_home(home.folder / "idle") as idle:
        home.write(hook=webhook(hook.url))
        idle.write(hook=webhook(hook.url))
        owed = await fill(home.state, "hook", OWED)
        daemon, other = await home.start(), await idle.start()
        opened = await home.until_down("hook")
        more = await cpu_beyond(daemon, other, home.began + OUTAGE)
        await hook.listen()
        ended, back = time.time(), time.monotonic()
        row = await table.told(f"down for {OUTAGE:g} s", owed, hook, home)
        await daemon.stop()
    opening, probes = await tries(home, opened, ended)
    heard, told = hook.first - back, hook.last - hook.first
    row.besides = f"{opening} tries, {probes} probes, {more:.2f} s CPU; heard after {heard:.1f} s, "
    row.besides += f"all told {told:.1f} s later ({usual:.1f} s without an outage)"

    assert row.counts == (0, 0, 0)
    assert opening == OPENING
    assert more <= MOST_CPU
    assert probes <= MOST_PROBES
    assert heard <= HEARD_WITHIN
    assert told <= max(TOLD_WITHIN, 3 * usual)
    assert longest_pause(hook) <= PAUSE


def longest_pause(hook: Receiver) -> float:
    """Return the longest span in which nothing new was told, from the first to the last."""
    return max(after - before for before, after in pairwise(sorted(hook.told.values())))


@pytest.fixture
async def usual(tmp_path: Path) -> float:
    """The seconds from the first to the last of as many messages that meet no outage."""
    async with a_home(tmp_path / "usual") as home, receiving() as hook:
        home.write(hook=webhook(hook.url))
        owed = await fill(home.state, "hook", OWED)
        await home.start()
        await hook.until_told(owed, 60)
        assert not hook.missing(owed)
        return hook.last - hook.first


async def cpu_beyond(daemon: Daemon, idle: Daemon, moment: float) -> float:
    """Return the CPU seconds that a daemon uses until a moment, beyond those of an idle one."""
    before = daemon.cpu() - idle.cpu()
    await asyncio.sleep(moment - time.monotonic())  # the outage itself: nothing is waited for
    return daemon.cpu() - idle.cpu() - before


async def tries(home: Home, opened: float, ended: float) -> tuple[int, int]:
    """Return how many tries failed until the breaker was open, and then until the outage ended."""
    outbox = Outbox(home.state / "outbox.sqlite")
    await outbox.open()
    try:
        attempts = [one for record in await outbox.history(OWED) for one in record.attempts]
    finally:
        await outbox.close()
    failed = [one.at for one in attempts if one.outcome != "delivered" and one.at < ended]
    opening = sum(at <= opened for at in failed)
    return opening, len(failed) - opening


async def test_a_wrong_certificate_gets_nothing(home: Home, table: Table, tmp_path: Path) -> None:
    """While the certificate is another host's nothing is sent; with the right one all is told."""
    authority, context = Authority(tmp_path), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.show(context, "DNS:elsewhere.invalid")
    home.environ["SSL_CERT_FILE"] = str(authority.trusted)
    async with receiving(tls=context) as hook:
        home.write(hook=webhook(hook.url, circuit_breaker={"timeout": "0.5s"}))
        await home.start()
        owed = await send(home.client, "hook", map(str, range(100)))
        await hook.until(lambda: hook.hellos >= 6, 30)
        why, tried, sent = await home.trouble("hook"), hook.hellos, hook.begun
        authority.show(context, "IP:127.0.0.1")
        row = await table.told("a wrong certificate", owed, hook, home)
    row.besides = f"{tried} connections to the wrong one, {sent} calls"

    assert tried >= 6
    assert sent == 0
    assert row.counts == (0, 0, 0)
    assert "certificate of 127.0.0.1 was refused" in why


async def test_an_unknown_host_loses_nothing_and_holds_up_nobody(home: Home, table: Table) -> None:
    """No such name: the words are plain, another channel goes on; the mended name is told all."""
    async with receiving() as good, receiving() as mended:
        home.write(good=webhook(good.url), bad=webhook("http://no-such-host.invalid/"))
        daemon = await home.start()
        owed = await send(home.client, "bad", map(str, range(50)))
        why = await home.trouble("bad")
        others = await send(home.client, "good", map(str, range(50)))
        await good.until_told(others, 10)
        held_up = good.missing(others)
        await daemon.stop()
        home.write(good=webhook(good.url), bad=webhook(mended.url))
        await home.start()
        row = await table.told("an unknown host", owed, mended, home)
    row.besides = f"the other channel meanwhile: {len(held_up)} held up"

    assert why == "no address is known for the host no-such-host.invalid"
    assert held_up == set()
    assert row.counts == (0, 0, 0)
