"""What a receiver answers: an error, not so fast, elsewhere."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.arrivals import Call
from tests.faults.daemon import Home, webhook
from tests.faults.owed import fill, send
from tests.faults.receivers import Receiver, Reply, every_tenth, receiving
from tests.faults.table import Table

pytestmark = pytest.mark.alone

PAUSE = 1.0
"""Seconds that the receiver asks for."""
ON_ITS_WAY = 0.1
"""Seconds in which a call may still come that had left before the answer was read."""


async def test_every_tenth_call_fails(home: Home, table: Table) -> None:
    """Two thousand messages of five hundred jobs: each is told once, each job's in order."""
    async with receiving(every_tenth(Reply(status=500))) as hook:
        home.write(hook=webhook(hook.url))
        owed = await fill(home.state, "hook", 2000, per_job=4)
        await home.start()
        row = await table.told("500 to every tenth call", owed, hook, home)

    assert row.counts == (0, 0, 0)
    assert out_of_order(hook, owed, per_job=4) == []


def out_of_order(hook: Receiver, owed: list[str], per_job: int) -> list[str]:
    """Return what was told before something earlier of its job."""
    at = [hook.told[event] for event in owed]
    return [id for one, id in enumerate(owed) if one % per_job and at[one] < at[one - 1]]


async def test_a_receiver_that_asks_for_a_pause_gets_it(home: Home, table: Table) -> None:
    """429 with Retry-After: 1 to every tenth call: nothing comes before its end."""
    refusal = Reply(status=429, headers=(f"Retry-After: {PAUSE:g}",))
    async with receiving(every_tenth(refusal)) as hook:
        home.write(hook=webhook(hook.url))
        await home.start()
        owed = await send(home.client, "hook", map(str, range(50)))
        row = await table.told("429 to every tenth call", owed, hook, home)
    refused = [call for call in hook.calls if not call.taken]
    early = [again for call in refused for again in hook.calls if too_early(call, again)]
    row.besides = f"{len(refused)} pauses, {len(early)} calls in one"

    assert row.counts == (0, 0, 0)
    assert len(refused) >= 5
    assert early == []


def too_early(refused: Call, again: Call) -> bool:
    """Tell whether a call came in the pause that a refusal had asked for."""
    allowed = 0.0 if again.id == refused.id else ON_ITS_WAY
    return allowed < again.at - refused.at < PAUSE


async def test_a_redirect_is_told_and_not_followed(home: Home, table: Table) -> None:
    """307 to another host: it gets no request; once the url is mended, all is told where it is."""
    async with receiving() as elsewhere, receiving() as mended:
        away = Reply(status=307, headers=(f"Location: {elsewhere.url}",))
        async with receiving(lambda number: away) as hook:
            home.write(hook=webhook(hook.url))
            await home.start()
            owed = await send(home.client, "hook", map(str, range(20)))
            why = await home.trouble("hook")
            home.write(hook=webhook(mended.url))
            await asyncio.to_thread(home.client.reload)
            row = await table.told("307 to another host", owed, mended, home)
    row.besides = f"{hook.begun} call met by 307; {elsewhere.begun} calls at the other host"

    assert elsewhere.begun == 0
    assert hook.begun == 1
    assert row.counts == (0, 0, 0)
    assert "307: redirects are not followed" in why
