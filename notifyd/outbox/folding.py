"""Several deliveries told in the message of one, their leader. Blocks; see `store`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from notifyd.model import Delivery
from notifyd.outbox.records import By, Claim, Folded, Lease
from notifyd.outbox.rows import delivery_of
from notifyd.outbox.statements import Statements, Values


@dataclass(frozen=True, slots=True)
class Folding:
    """Members share their leader's fence: by that it is known which of them it has told."""

    sql: Statements

    def fold(self, leader: Claim, by: By, lease: Lease, limit: int) -> Folded:
        """Take in hand what can be told in the leader's message too; list the first of it.

        A leader that was tried before keeps those that it had, and no others: it may have been
        sent, and its id stands for them.
        """
        found: Values = {"leader": leader.delivery.id, "limit": limit}
        with self.sql.transaction():
            which = _which(leader, lease)
            self.sql.run("take_members", which)
            if not leader.tried:
                self.sql.run(f"fold_by_{by}", which)
            listed = self.sql.all("folded", found)
            types = self.sql.all("folded_types", found)
        return Folded(
            listed=tuple(_readable(listed)),
            types={row["event_type"]: row["number"] for row in types},
        )


def _which(leader: Claim, lease: Lease) -> Values:
    delivery = leader.delivery
    return {
        "leader": delivery.id,
        "fence": leader.fence,
        "owner": lease.owner,
        "now": lease.now,
        "channel": delivery.channel,
        "target": delivery.target,
        "lane": leader.lane,
        "event_type": delivery.event.type,
    }


def _readable(rows: Iterable[sqlite3.Row]) -> Iterator[Delivery]:
    for row in rows:
        try:
            yield delivery_of(row)
        except ValidationError:
            continue
