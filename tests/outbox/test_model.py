"""Whatever happens in whatever order, the store does what a few lines of Python say."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from notifyd.model import DeliveryState
from notifyd.outbox.archive import Archive
from notifyd.outbox.database import open_database
from notifyd.outbox.folding import Folding
from notifyd.outbox.queue import Queue
from notifyd.outbox.records import Attempt, By, Claim, Lease, Outcome, Owed
from notifyd.outbox.settling import Settling
from notifyd.outbox.statements import Statements, many
from tests.outbox.parts import NOW, delivery

TARGETS = st.sampled_from(["x", "x", "y"])
GROUPS = st.sampled_from(["a", "b"])
WAITS = st.sampled_from([0.0, 0.0, 30.0])
LIVES = st.integers(1, 99).map(float)
BYS: st.SearchStrategy[By] = st.sampled_from(["event_type", "channel", "group"])
ENDS = st.sampled_from([DeliveryState.DELIVERED, DeliveryState.DEAD, DeliveryState.SUPPRESSED])

HEADS = """
SELECT count(*) FROM deliveries AS one WHERE head <> (finished IS NULL AND seq = (
    SELECT min(seq) FROM deliveries AS owed
    WHERE owed.finished IS NULL AND owed.channel = one.channel AND owed.lane = one.lane))
"""
ORPHANS = """
SELECT count(*) FROM deliveries WHERE finished IS NULL AND told_in IS NOT NULL
AND told_in NOT IN (SELECT id FROM deliveries WHERE finished IS NULL)
"""


@dataclass
class Held:
    """What somebody believes to have in hand."""

    claim: Claim
    owner: str
    tells: set[str] = field(default_factory=set)
    is_theirs: bool = True


class Outboxes(RuleBasedStateMachine):
    """One channel's store, and beside it what must be true of it."""

    def __init__(self) -> None:
        super().__init__()
        self.connection, _ = open_database(Path(":memory:"))
        self.sql = Statements(self.connection)
        self.now = NOW
        self.number = 0
        self.lanes: dict[str, list[str]] = {}
        """What each lane owes, in its order."""
        self.ended: dict[str, DeliveryState] = {}
        self.members: dict[str, set[str]] = {}
        """What each leader tells, for as long as it is owed."""
        self.held: list[Held] = []

    def teardown(self) -> None:
        self.connection.close()

    def lane_of(self, id: str) -> str:
        return next(lane for lane, owed in self.lanes.items() if id in owed)

    def end(self, id: str, state: DeliveryState) -> None:
        assert id not in self.ended, "an end is an end"
        self.lanes[self.lane_of(id)].remove(id)
        self.ended[id] = state

    @rule(new=st.lists(st.tuples(GROUPS, TARGETS, WAITS, LIVES), min_size=1, max_size=5))
    def add(self, new: list[tuple[str, str, float, float]]) -> None:
        """A replay changes nothing."""
        for group, to, wait, lasts in new:
            self.add_one(group, to, wait, lasts)

    def add_one(self, group: str, to: str, wait: float, lasts: float) -> None:
        self.number += 1
        one = delivery(
            f"d{self.number}",
            group=group,
            target=to,
            created=self.now,
            due=self.now + wait,
            expires=self.now + lasts,
        )
        assert Queue(self.sql).add([Owed(delivery=one)]) == 1
        assert Queue(self.sql).add([Owed(delivery=one)]) == 0
        self.lanes.setdefault(f"{to}\n{group}", []).append(one.id)

    @rule(seconds=st.sampled_from([1, 61]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: any(self.lanes.values()))
    @rule(owner=st.sampled_from(["me", "you"]), limit=st.integers(1, 4), old=st.booleans())
    def claim(self, owner: str, limit: int, old: bool) -> None:
        """Nobody gets what another has, and of each lane only the first, or what has expired."""
        lease = Lease(owner=owner, now=self.now, until=self.now + 60)
        for held in self.held:
            if held.claim.until <= self.now and held.owner != owner:
                held.is_theirs = False
        queue = Queue(self.sql)
        claims = (queue.expired if old else queue.claim)("team", lease, limit)
        taken = {held.claim.delivery.id for held in self.held if held.is_theirs}
        for claim in claims:
            id = claim.delivery.id
            assert id not in taken
            assert not any(id in members for members in self.members.values())
            before = self.lanes[claim.lane][: self.lanes[claim.lane].index(id)]
            assert set(before) <= ({one.delivery.id for one in claims} if old else set())
            self.held.append(Held(claim, owner))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), by=BYS)
    def fold(self, data: st.DataObject, by: By) -> None:
        """What is told with it was in nobody's hand, and nothing of its lane stays behind."""
        held = data.draw(st.sampled_from(self.held))
        if not held.is_theirs or held.claim.delivery.id != self.lanes[held.claim.lane][0]:
            return
        leader = held.claim.delivery.id
        folded = Folding(self.sql).fold(
            held.claim, by, Lease(owner="me", now=self.now, until=self.now + 60), 1000
        )
        told = {one.id for one in folded.listed}
        before = self.members.get(leader, set())
        in_hand = {held.claim.delivery.id for held in self.held}
        others = in_hand.union(*(ids for one, ids in self.members.items() if one != leader))
        assert sum(folded.types.values()) == len(told)
        assert not told & others
        assert before == told if held.claim.tried else before <= told
        for owed in self.lanes.values():
            mine = [id in told or id == leader for id in owed]
            assert mine == sorted(mine, reverse=True), "as far as it goes, without a gap"
        held.tells = self.members[leader] = told

    @precondition(lambda self: self.held)
    @rule(data=st.data(), state=ENDS, alone=st.booleans())
    def settle(self, data: st.DataObject, state: DeliveryState, alone: bool) -> None:
        """Its end is theirs whom it told; the others are owed. Who comes too late says nothing."""
        held = data.draw(st.sampled_from(self.held))
        self.held.remove(held)
        id = held.claim.delivery.id
        instead = [Owed(delivery=delivery(f"{id} on", "mail"))] if alone else []
        outcome = Outcome(claim=held.claim, state=state, at=self.now, instead=tuple(instead))
        assert Settling(self.sql).settle([outcome], {}) == int(held.is_theirs)
        if held.is_theirs:
            self.end(id, state)
            for member in self.members.pop(id, set()):
                if member in held.tells and state is DeliveryState.DELIVERED:
                    self.end(member, state)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), pause=st.sampled_from([0, 30]), tries=st.integers(0, 1))
    def put_back(self, data: st.DataObject, pause: float, tries: int) -> None:
        """What was tried keeps what it tells; what was not leaves it to others."""
        held = data.draw(st.sampled_from(self.held))
        self.held.remove(held)
        outcome = Outcome(
            claim=held.claim,
            state=DeliveryState.PENDING,
            at=self.now,
            due=self.now + pause,
            attempts=(Attempt(at=self.now, seconds=1, outcome="temporary"),) * tries,
        )
        assert Settling(self.sql).settle([outcome], {}) == int(held.is_theirs)
        if held.is_theirs and not held.claim.tried and not tries:
            self.members.pop(held.claim.delivery.id, None)

    @precondition(lambda self: DeliveryState.DEAD in self.ended.values())
    @rule()
    def revive(self) -> None:
        """All that is dead is owed again, behind what its lane owes."""
        letters = Archive(self.sql).find_dead(None, "team")
        rows = self.sql.all("dead_among", {"letters": many(letters)})
        dead, lanes = [row["id"] for row in rows], {row["id"]: row["lane"] for row in rows}
        assert set(dead) == {id for id, end in self.ended.items() if end is DeliveryState.DEAD}
        assert Archive(self.sql).revive(letters, self.now, self.now + 50) == len(dead)
        for id in dead:
            del self.ended[id]
            self.lanes[lanes[id]].append(id)

    @precondition(lambda self: DeliveryState.DEAD in self.ended.values())
    @rule()
    def forget(self) -> None:
        """What is dead is gone; what is owed is not touched."""
        Archive(self.sql).forget_dead(Archive(self.sql).find_dead(None, None))
        self.ended = {i: e for i, e in self.ended.items() if e is not DeliveryState.DEAD}

    @precondition(lambda self: any(self.lanes.values()))
    @rule(limit=st.integers(1, 3))
    def suppress(self, limit: int) -> None:
        """Only what nobody has in hand is ended, some of it; whom it told is owed again."""
        for held in self.held:
            held.is_theirs &= held.claim.until > self.now
        waiting = {id for owed in self.lanes.values() for id in owed}
        waiting -= {held.claim.delivery.id for held in self.held if held.is_theirs}
        waiting -= set().union(*self.members.values())
        number = Queue(self.sql).suppress("team", self.now + 1, self.now, limit)
        rows = self.sql.all("history_of_channel", {"channel": "team", "state": None, "limit": -1})
        ended = {row["id"] for row in rows if row["finished"] is not None} - set(self.ended)
        assert ended <= waiting
        assert number == len(ended) == min(limit, len(waiting))
        for id in ended:
            self.end(id, DeliveryState.SUPPRESSED)
            self.members.pop(id, None)

    @invariant()
    def the_first_of_each_lane_is_its_head(self) -> None:
        (wrong,) = self.connection.execute(HEADS).fetchone()
        assert wrong == 0

    @invariant()
    def nothing_waits_for_what_has_ended(self) -> None:
        (orphans,) = self.connection.execute(ORPHANS).fetchone()
        assert orphans == 0

    @invariant()
    def all_is_where_it_should_be(self) -> None:
        rows: list[sqlite3.Row] = self.connection.execute(
            "SELECT id, lane, state, finished FROM deliveries WHERE channel = 'team' ORDER BY seq"
        ).fetchall()
        lanes: dict[str, list[str]] = {lane: [] for lane in self.lanes}
        for row in rows:
            if row["finished"] is None:
                lanes[row["lane"]].append(row["id"])
        ended = {row["id"]: row["state"] for row in rows if row["finished"] is not None}
        assert lanes == self.lanes
        assert ended == self.ended


Outboxes.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestOutboxes = Outboxes.TestCase
