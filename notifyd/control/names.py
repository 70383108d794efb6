"""Finds what a person names, or says what there is instead."""

from __future__ import annotations

from notifyd.control.actions import NotAllowed
from notifyd.delivery.fleet import Fleet
from notifyd.delivery.worker import Worker
from notifyd.outbox.records import Record
from notifyd.outbox.store import Outbox


def find_worker(fleet: Fleet, channel: str) -> Worker:
    """Return the worker of a channel. Raises NotAllowed."""
    try:
        return fleet.workers[channel]
    except KeyError:
        there = ", ".join(fleet.workers) or "none"
        text = f"no channel `{channel}`; there are: {there}"
        raise NotAllowed(text, status=404) from None


async def find_record(outbox: Outbox, id: str) -> Record:
    """Return the delivery whose id is this, or alone begins so. Raises NotAllowed."""
    record = await outbox.record(id)
    if record is None:
        text = f"no delivery `{id}`, or more than one begins so; `notifyd history` shows the ids"
        raise NotAllowed(text, status=404)
    return record
