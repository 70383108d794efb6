"""Several deliveries told in one message."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from notifyd.events.catalogue import CATALOGUE, SEVERITIES
from notifyd.model import Delivery, Event, Message, Severity, derived_id
from notifyd.units import shortened

TYPE = "digest"
_LINE = 200
_LINES = 2
"""So many lines of what each says are told beside its title."""


def digest(leader: Delivery, others: Sequence[Delivery], types: Mapping[str, int]) -> Delivery:
    """Return one delivery that tells the leader and all the others.

    `others` are listed one by one; `types` counts, by event type, all that is told besides
    the leader. It keeps the leader's id, so that a retry is known as one.
    """
    counts = {**types, leader.event.type: types.get(leader.event.type, 0) + 1}
    total = sum(counts.values())
    listed = (leader, *others)
    event = Event(
        id=derived_id(TYPE, leader.id),
        type=TYPE,
        severity=_severity(listed, counts),
        time=max(one.event.time for one in listed),
        source=leader.event.source,
        subject="",
        group=leader.event.group,
        data={"count": total, **counts},
        stands_for=tuple(counts),
    )
    return dataclasses.replace(leader, event=event, message=_message(listed, counts, total))


def _message(listed: Sequence[Delivery], counts: Mapping[str, int], total: int) -> Message:
    kinds = ", ".join(
        f"{number} {name.replace('_', ' ')}"
        for name, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
    lines = [line for one in listed for line in _listed(one.message)]
    left = total - len(listed)
    return Message(
        title=f"{total} notices: {kinds}",
        body="\n".join([*lines, *([f"… and {left} more"] if left else [])]),
    )


def _listed(message: Message) -> Iterator[str]:
    """Give the title and how the body begins: why it failed, or what somebody has written."""
    yield f"• {shortened(message.title, _LINE)}"
    body = [line for line in message.body.splitlines() if line.strip()]
    for line in body[:_LINES]:
        yield f"  {shortened(line, _LINE)}"


def _severity(listed: Sequence[Delivery], counts: Mapping[str, int]) -> Severity:
    unlisted = [CATALOGUE[name].severity for name in counts if name in CATALOGUE]
    return max((*(one.event.severity for one in listed), *unlisted), key=SEVERITIES.index)
