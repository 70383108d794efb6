"""What became of what was in hand is written down. Blocks; see `store`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from notifyd.model import DeliveryState
from notifyd.outbox.records import MESSAGE, Outcome
from notifyd.outbox.rows import DAMAGED
from notifyd.outbox.statements import Statements, Values, many
from notifyd.outbox.writing import write


@dataclass(frozen=True, slots=True)
class Settling:
    """Ends claims, or puts them back, with those that their messages told too."""

    sql: Statements

    def settle(self, outcomes: Sequence[Outcome], notes: Mapping[str, str]) -> int:
        """Write down what became of claims; return how many of them were still theirs."""
        with self.sql.transaction():
            self.sql.run_many("write_note", _named(notes))
            theirs = self._settle(outcomes)
            self.sql.run_many("keep_card", _cards(theirs))
            ended = [one for one in theirs if one.state is not DeliveryState.PENDING]
            self._end_members([one for one in theirs if not _keeps_members(one)])
            if ended:
                self.sql.run("next_heads", {"ended": many(map(_id, ended))})
            write(self.sql, [owed for one in ended for owed in one.instead])
            return len(theirs)

    def _settle(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Settle what is still its claim's, and return that."""
        taken = self.sql.run("outcomes", {"outcomes": many(map(_values, outcomes))})
        self.sql.run("settle", {})
        self.sql.run("add_attempts", {"attempts": many(_attempts(outcomes))})
        is_all = taken == len(outcomes)
        theirs = set() if is_all else {tuple(row) for row in self.sql.all("settled", {})}
        self.sql.run("forget_outcomes", {})
        return [one for one in outcomes if is_all or (_id(one), one.claim.fence) in theirs]

    def _end_members(self, ended: Sequence[Outcome]) -> None:
        for channel in {outcome.claim.delivery.channel for outcome in ended}:
            if self.sql.one("any_member", {"channel": channel}):
                for outcome in ended:
                    self._end_its_members(_values(outcome))

    def _end_its_members(self, end: Values) -> None:
        """Let those share the end of a message that it told; the others are owed again."""
        members = self.sql.all("members", end)
        if end["state"] == DeliveryState.DELIVERED or end["together"]:
            self.sql.run("end_members", end)
        self.sql.run("let_members_go", end)
        self.sql.run("next_heads", {"ended": many(row["id"] for row in members)})

    def bury(self, row: sqlite3.Row, now: float) -> None:
        """End what was just taken in hand and cannot be read."""
        values = {"id": row["id"], "now": now, "why": DAMAGED}
        self.sql.run("bury", values)
        self.sql.run("let_members_go", values)
        self.sql.run("next_heads", {"ended": many([row["id"]])})


def _id(outcome: Outcome) -> str:
    return outcome.claim.delivery.id


def _tried(outcome: Outcome) -> bool:
    """Tell whether it may have been sent, now or before."""
    return outcome.claim.tried or outcome.tried or bool(outcome.attempts)


def _keeps_members(outcome: Outcome) -> bool:
    """Tell whether a message that was tried is tried again: what it tells stays in it."""
    return outcome.state is DeliveryState.PENDING and _tried(outcome)


def _values(outcome: Outcome) -> Values:
    ended = outcome.state is not DeliveryState.PENDING
    return {
        "id": _id(outcome),
        "state": outcome.state,
        "fence": outcome.claim.fence,
        "tried": _tried(outcome),
        "counted": outcome.counted,
        "together": outcome.together,
        "due": outcome.due,
        "detail": outcome.detail,
        "ref": outcome.ref,
        "sent": bool(outcome.attempts),
        "told": MESSAGE.dump_json(outcome.told).decode() if outcome.told else None,
        "finished": outcome.at if ended else None,
    }


def _attempts(outcomes: Sequence[Outcome]) -> Iterator[Values]:
    for outcome in outcomes:
        for number, attempt in enumerate(outcome.attempts, 1):
            yield {
                "id": _id(outcome),
                "fence": outcome.claim.fence,
                "number": number,
                "at": attempt.at,
                "seconds": attempt.seconds,
                "outcome": attempt.outcome,
                "status": attempt.status,
                "detail": attempt.detail,
            }


def _cards(outcomes: Sequence[Outcome]) -> Iterator[Values]:
    for outcome in outcomes:
        if outcome.card is not None:
            yield {
                "channel": outcome.claim.delivery.channel,
                "lane": outcome.claim.lane,
                "ref": outcome.card.ref,
                "written": outcome.card.written,
            }


def _named(notes: Mapping[str, str]) -> Iterator[Values]:
    for name, value in notes.items():
        yield {"name": name, "value": value}
