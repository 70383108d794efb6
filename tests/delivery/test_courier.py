"""The courier tries one delivery: as an edit, in full, in plain; and notes every try."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass, field

import pytest

from notifyd.channels.base import Channel, Receipt
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.delivery.courier import Courier
from notifyd.delivery.verdict import Tried
from notifyd.model import Delivery
from tests.delivery.parts import busy_for
from tests.fakes import FakeClock, a_delivery

QUIET = a_delivery(event_type="collection_progress", data={"total": 9})
LOUD = a_delivery(event_type="collection_failed", data={"total": 9})
SINGLE = a_delivery()
End = Receipt | Exception


@dataclass(slots=True)
class Service:
    """Answers each call as it is told, and keeps what was asked of it."""

    sends: list[End] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def send(self, delivery: Delivery) -> Receipt:
        self.asked.append("plain" if delivery.plain else "send")
        return _answer(self.sends)


@dataclass(slots=True)
class EditableService(Service):
    """One whose messages can be changed."""

    edits: list[End] = field(default_factory=list)

    async def edit(self, delivery: Delivery, ref: str) -> Receipt:
        self.asked.append(f"edit {ref}")
        return _answer(self.edits)


@dataclass(slots=True)
class Silent:
    """Never answers."""

    async def send(self, delivery: Delivery) -> Receipt:
        await asyncio.Event().wait()
        return Receipt()


@dataclass(slots=True)
class Stubborn(EditableService):
    """Takes whoever cancels it for a failure of its own, as some libraries do."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def edit(self, delivery: Delivery, ref: str) -> Receipt:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise PermanentFailure("it is gone") from None
        return Receipt()


def _answer(ends: list[End]) -> Receipt:
    end = ends.pop(0)
    if isinstance(end, Exception):
        raise end
    return end


def a_courier(channel: Channel, limit: float = 10.0, cards: bool = True) -> Courier:
    return Courier(channel, limit, FakeClock(), cards)


async def carried(
    service: Service, delivery: Delivery = SINGLE, card: str | None = None
) -> tuple[list[str], Tried]:
    tried = await a_courier(service).carry(delivery, card)
    assert len(tried.attempts) == len(service.asked), "every try is noted"
    return service.asked, tried


TAKEN = Receipt(ref="new", status=200)
DOWN = TemporaryFailure("down", status=503)
TOO_FAST = busy_for(30)
BAD = PermanentFailure("bad", status=400)
BAD_FORM = PermanentFailure("cannot parse", fault=Fault.FORM, status=400)
NO_ENTRY = PermanentFailure("401", fault=Fault.CHANNEL, status=401)


@pytest.mark.parametrize("end", [TAKEN, DOWN, TOO_FAST, BAD, NO_ENTRY])
async def test_a_message_is_sent_once(end: End) -> None:
    """How it ends is the end."""
    asked, tried = await carried(Service([end]))

    assert asked == ["send"]
    assert tried.end is end


async def test_a_try_is_noted_with_its_code_and_reason() -> None:
    """As the history shows it."""
    _, failed = await carried(Service([DOWN]))
    _, taken = await carried(Service([TAKEN]))

    assert [(one.outcome, one.status, one.detail) for one in failed.attempts + taken.attempts] == [
        ("temporary", 503, "down"),
        ("delivered", 200, None),
    ]


@pytest.mark.parametrize("second", [TAKEN, DOWN, BAD])
async def test_a_form_that_is_refused_is_sent_once_more_as_plain(second: End) -> None:
    """And then it has its end."""
    asked, tried = await carried(Service([BAD_FORM, second]))

    assert asked == ["send", "plain"]
    assert tried.end is second


async def test_plain_that_is_refused_is_not_sent_again() -> None:
    """There is nothing plainer."""
    asked, tried = await carried(Service([BAD_FORM]), dataclasses.replace(SINGLE, plain=True))

    assert asked == ["plain"]
    assert tried.end is BAD_FORM


async def test_progress_changes_the_card_and_is_no_message() -> None:
    """While there is one."""
    asked, _ = await carried(EditableService(edits=[Receipt(ref="old")]), QUIET, "old")
    assert asked == ["edit old"]

    asked, tried = await carried(EditableService([TAKEN]), QUIET)
    assert asked == ["send"]
    assert tried.card is not None
    assert tried.card.ref == "new"


@pytest.mark.parametrize("gone", [BAD, BAD_FORM])
async def test_a_card_that_is_gone_is_followed_by_a_new_one(gone: End) -> None:
    """Somebody has deleted it, or it is too old to be changed."""
    asked, tried = await carried(EditableService([TAKEN], edits=[gone, gone]), QUIET, "old")

    assert asked == ["edit old"] * (1 if gone is BAD else 2) + ["send"]
    assert tried.card is not None
    assert tried.card.ref == "new"


@pytest.mark.parametrize("end", [DOWN, TOO_FAST, NO_ENTRY])
async def test_a_card_that_cannot_be_changed_now_is_no_new_message(end: End) -> None:
    """It is tried again later, as any other."""
    asked, tried = await carried(EditableService(edits=[end]), QUIET, "old")

    assert asked == ["edit old"]
    assert (tried.end, tried.card) == (end, None)


async def test_what_is_heard_changes_the_card_and_is_a_message() -> None:
    """Whoever looks at the card sees it, and whoever does not hears it."""
    asked, _ = await carried(EditableService([TAKEN], edits=[Receipt(ref="old")]), LOUD, "old")

    assert asked == ["edit old", "send"]


async def test_what_was_heard_is_not_written_over() -> None:
    """The card stays the card: progress that comes later does not hide why a job failed."""
    _, tried = await carried(EditableService([TAKEN], edits=[Receipt(ref="old")]), LOUD, "old")

    assert tried.card is None or tried.card.ref == "old"


@pytest.mark.parametrize("end", [TOO_FAST, NO_ENTRY])
async def test_a_pause_holds_for_the_message_after_the_edit(end: End) -> None:
    """A service that asks for a pause, or refuses us, is not asked again in the same breath."""
    asked, tried = await carried(EditableService([TAKEN], edits=[end]), LOUD, "old")

    assert asked == ["edit old"]
    assert tried.end is end


async def test_a_receipt_without_an_id_is_no_card() -> None:
    """There is nothing that could be found again; and a job of its own needs none."""
    for service, delivery in (
        (EditableService([Receipt()]), QUIET),
        (EditableService([TAKEN]), SINGLE),
        (Service([TAKEN]), QUIET),
    ):
        _, tried = await carried(service, delivery)
        assert tried.card is None


async def test_cards_can_be_switched_off() -> None:
    """Then all is a message."""
    service = EditableService([TAKEN])
    courier = a_courier(service, cards=False)
    tried = await courier.carry(QUIET, "old")

    assert not courier.keeps_card(QUIET)
    assert (service.asked, tried.card) == (["send"], None)


async def test_a_bug_in_a_channel_is_a_refusal_of_the_message() -> None:
    """It is the end of this one alone, and its reason shows nothing of what it was."""
    _, tried = await carried(Service([ZeroDivisionError("a secret")]))

    assert isinstance(tried.end, PermanentFailure)
    assert tried.end.fault is Fault.MESSAGE
    assert tried.end.reason == "a bug in this channel: ZeroDivisionError"


async def test_a_channel_that_forgets_its_time_out_is_cut_off() -> None:
    """Then it may have taken it, or not: it is tried again."""
    tried = await a_courier(Silent(), limit=0.001).carry(SINGLE, None)

    assert isinstance(tried.end, TemporaryFailure)
    assert tried.end.reason == "no end within 0.001 s"


async def test_a_cancellation_is_no_end() -> None:
    """It goes through, and nothing is noted."""
    task = asyncio.get_running_loop().create_task(a_courier(Silent()).carry(SINGLE, None))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()


async def test_who_is_cancelled_begins_nothing_more() -> None:
    """Whatever becomes of the cancellation on its way."""
    service = Stubborn()
    task = asyncio.ensure_future(a_courier(service).carry(QUIET, "card"))
    await service.begun.wait()
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert service.asked == []
