"""What must hold when all is told: every event has one end at every channel, and is in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from notifyd.model import DeliveryState, Event, delivery_id, derived_id
from notifyd.outbox.records import Record
from tests.simulation.receiver import Receiver

_ENDS = (DeliveryState.DELIVERED, DeliveryState.DEAD, DeliveryState.SUPPRESSED)
_GIVEN_UP = "given up, told through "
_SAME = "says the same as the one of "


@dataclass(slots=True, kw_only=True)
class Judgement:
    """Compares what was to be told with what the store says, and both with the receivers."""

    owes: Mapping[str, set[str]]
    """By the id of each event: the channels that it must be owed to."""
    events: Mapping[str, Event]
    records: Mapping[str, Record]
    receivers: Mapping[str, Receiver]
    addresses: Mapping[str, tuple[str, ...]]
    _members: dict[str, list[Record]] = field(default_factory=lambda: defaultdict(list))

    def broken(self) -> Iterator[str]:
        """Say which rules are broken."""
        for record in self.records.values():
            if record.told_in is not None:
                self._members[record.told_in].append(record)
        yield from self._owed_wrongly()
        for record in self.records.values():
            yield from self._end_of(record)
        for name, receiver in self.receivers.items():
            yield from self._order_at(name, receiver)

    def _owed_wrongly(self) -> Iterator[str]:
        for event, channels in self.owes.items():
            for channel in sorted(channels):
                for target in self.addresses[channel]:
                    id = delivery_id(event, channel, target)
                    if id not in self.records:
                        yield f"I1: {self.events[event].type} was never owed to {channel}"
                    again = _as_fallback(event, channel, target)
                    if self._is_told_by(id) and self._is_told_by(again):
                        yield f"I2: {self.events[event].type} was told to {channel} by two rules"

    def _is_told_by(self, id: str) -> bool:
        record = self.records.get(id)
        return record is not None and record.state is DeliveryState.DELIVERED

    def _end_of(self, record: Record) -> Iterator[str]:
        what = f"{record.event_type} of {record.subject} at {record.channel} ({record.id[:8]})"
        if record.state not in _ENDS and record.event_type.startswith("channel_"):
            return  # a channel may have told of its trouble at the very end
        if record.state not in _ENDS:
            yield f"I1: {what} has no end: {record.state}"
        elif record.state is not DeliveryState.DELIVERED and not record.detail:
            yield f"I1: {what} has no reason"
        elif record.state is DeliveryState.DELIVERED:
            yield from self._delivered(record, what)
        elif record.state is DeliveryState.SUPPRESSED:
            yield from self._suppressed(record, what)

    def _delivered(self, record: Record, what: str) -> Iterator[str]:
        visits = self.receivers[record.channel].witness.taken.get(record.told_in or record.id)
        if not visits:
            yield f"I1: {what} was not delivered, although the store says so"
            return
        told = [one for one in self._members[record.id] if one.state is DeliveryState.DELIVERED]
        if told and visits[-1].delivery.event.data.get("count") != len(told) + 1:
            yield f"I1: {what} does not count what it tells"

    def _suppressed(self, record: Record, what: str) -> Iterator[str]:
        detail = record.detail or ""
        if detail.startswith(_GIVEN_UP):
            other = detail.removeprefix(_GIVEN_UP).split(" instead")[0]
            if not any(_is_instead_of(record, one, other) for one in self.records.values()):
                yield f"I1: {what} was never handed on to {other}"
        elif detail.startswith(_SAME) and not self._is_told(record):
            yield f"I1: {what} is held to be told, and nothing like it was"

    def _is_told(self, record: Record) -> bool:
        """Tell whether the same was said, or it is at least known that it was not."""
        return any(
            (one.channel, one.target, one.title, one.body)
            == (record.channel, record.target, record.title, record.body)
            and (one.state is not DeliveryState.SUPPRESSED or _may_be_told(one, record))
            for one in self.records.values()
        )

    def _order_at(self, name: str, receiver: Receiver) -> Iterator[str]:
        """As one sees it who honours ids: only the first of each counts."""
        places = {id: place for place, id in enumerate(receiver.witness.taken)}
        last: dict[tuple[str, str], int] = {}
        for record in self.records.values():
            if record.channel != name or record.state is not DeliveryState.DELIVERED:
                continue
            place = places.get(record.told_in or record.id, -1)
            lane = record.target, record.subject
            if place < last.get(lane, -1):
                yield f"I4: {record.event_type} of {record.subject} overtook at {name}"
            last[lane] = place


def _as_fallback(event: str, channel: str, target: str) -> str:
    return derived_id(event, "fallback", channel, target)


def _is_instead_of(record: Record, one: Record, other: str) -> bool:
    about = (one.event_type, one.subject, one.title)
    why = (_GIVEN_UP, _SAME, "muted")
    tells = one.rule.startswith("fallback") or one.state is not DeliveryState.SUPPRESSED
    tells = tells or (one.detail or "").startswith(why)
    same = about == (record.event_type, record.subject, record.title)
    return one.channel == other and same and tells


def _may_be_told(one: Record, since: Record) -> bool:
    """Tell whether what was suppressed was told elsewhere, or was still to be told back then."""
    given_up = (one.detail or "").startswith(_GIVEN_UP)
    waited = one is not since and (one.finished or 0.0) >= since.created
    return given_up or waited
