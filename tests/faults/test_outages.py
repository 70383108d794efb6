"""A receiver that cannot be reached: nothing listens, no certificate that holds, no such host."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path

from notifyd.outbox.store import Outbox
from tests.faults.certificates import Authority
from tests.faults.daemon import Daemon, Home, a_home, webhook
from tests.faults.owed import fill, send
from tests.faults.receivers import receiving
from tests.faults.table import Table

OWED = 5000
OUTAGE = 30.0
BACK_WITHIN = 3.0
"""Seconds after the outage in which it is noticed, and then in which all is told."""
MOST_PROBES = 10
MOST_CPU = 0.1
"""Seconds that a daemon may work in the outage, beyond an idle one."""


async def test_a_receiver_that_is_down_is_left_alone(
    home: Home, table: Table, tmp_path: Path
) -> None:
    """Down for 30 s with thousands owed: few probes, no work besides, then all of it at once."""
    async with receiving(listens=False) as hook, a_home(tmp_path / "idle") as idle:
        for one in (home, idle):
            one.write(hook=webhook(hook.url, circuit_breaker={"timeout": "3s"}))
        owed = await fill(home.state, "hook", OWED)
        daemon, other = await home.start(), await idle.start()
        opened = await home.until_down("hook")
        more = await cpu_beyond(daemon, other, home.began + OUTAGE)
        await hook.listen()
        ended, back = time.time(), time.monotonic()
        row = await table.told(f"down for {OUTAGE:g} s", owed, hook, home)
        await daemon.stop()
    failed = [at for at in await failures(home) if at < ended]
    probes, heard = sum(at > opened for at in failed), min(hook.told.values())
    seen = f"{len(failed) - probes} opened it, {probes} probes, {more:.2f} s CPU; heard after"
    row.besides = f"{seen} {heard - back:.1f} s, all told after {hook.last - back:.1f} s"

    assert row.counts == (0, 0, 0)
    assert probes <= MOST_PROBES
    assert more <= MOST_CPU
    assert heard - back <= BACK_WITHIN + 0.5
    assert hook.last - heard <= BACK_WITHIN


async def cpu_beyond(daemon: Daemon, idle: Daemon, moment: float) -> float:
    """Return the CPU seconds that a daemon uses until a moment, beyond those of an idle one."""
    before = daemon.cpu() - idle.cpu()
    await asyncio.sleep(moment - time.monotonic())  # the outage itself: nothing is waited for
    return daemon.cpu() - idle.cpu() - before


async def failures(home: Home) -> list[float]:
    """Return when each attempt that failed was made, of a daemon that has ended."""
    outbox = Outbox(home.state / "outbox.sqlite")
    await outbox.open()
    try:
        attempts = [one for record in await outbox.history(OWED) for one in record.attempts]
    finally:
        await outbox.close()
    return [one.at for one in attempts if one.outcome != "delivered"]


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
        await daemon.stop()
        home.write(good=webhook(good.url), bad=webhook(mended.url))
        await home.start()
        row = await table.told("an unknown host", owed, mended, home)
    row.besides = f"the other channel meanwhile: {len(good.missing(others))} lost"

    assert why == "no address is known for the host no-such-host.invalid"
    assert good.missing(others) == set()
    assert row.counts == (0, 0, 0)
