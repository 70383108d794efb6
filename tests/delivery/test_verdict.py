"""The verdict: what becomes of a delivery after a try."""

from __future__ import annotations

import dataclasses

import pytest

from notifyd.channels.base import Receipt
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.settings import Retry
from notifyd.delivery.verdict import Failure, Policy, Tried, given_up, put_back, verdict
from notifyd.model import Delivery, DeliveryState, Severity
from notifyd.outbox.records import Attempt, Card, Claim, Outcome
from tests.delivery.parts import a_claim, busy_for
from tests.fakes import PlainSettings, a_delivery

NOW = 2_000.0
RETRY = Retry(initial_delay=8, max_delay=60, multiplier=2)
POLICY = Policy(retry=RETRY, settings_of=lambda name: PlainSettings())
ALONE = Policy(retry=RETRY)
MANY = 10**12


def judged(
    claim: Claim, end: Receipt | Failure, policy: Policy = POLICY, now: float = NOW
) -> Outcome:
    return verdict(claim, Tried(attempts=(), end=end), policy, now, chance=0.5)


def with_fallback(*names: str, expires: float = 1e9) -> Claim:
    return a_claim(fallback=names, expires=expires)


def instead(outcome: Outcome) -> Delivery:
    (owed,) = outcome.instead
    return owed.delivery


def test_what_was_taken_is_delivered() -> None:
    """With the service's own id of it."""
    outcome = judged(a_claim(), Receipt(ref="42", status=200))

    assert (outcome.state, outcome.at, outcome.ref) == (DeliveryState.DELIVERED, NOW, "42")
    assert (outcome.counted, outcome.instead) == (0, ())


def test_every_try_is_noted_whatever_the_end() -> None:
    """And with what was taken its card."""
    attempts = (Attempt(at=1.0, seconds=2.0, outcome="delivered"),)
    card = Card(ref="42", written=NOW)
    ends: list[Receipt | Failure] = [Receipt(), TemporaryFailure("x"), PermanentFailure("x")]
    tries = [Tried(attempts=attempts, end=end, card=card) for end in ends]
    outcomes = [verdict(a_claim(), tried, POLICY, NOW, 0.5) for tried in tries]

    assert [outcome.attempts for outcome in outcomes] == [attempts] * 3
    assert outcomes[0].card == card


def test_a_failure_is_tried_again_after_a_delay() -> None:
    """It counts; the delay is that of its number, with the jitter that chance gives."""
    first = judged(a_claim(), TemporaryFailure("down"))
    third = judged(a_claim(attempts=2), TemporaryFailure("down"))

    assert (first.state, first.counted, first.detail) == (DeliveryState.PENDING, 1, "down")
    assert first.due == NOW + 4
    assert third.due == NOW + 16


def test_a_pause_of_the_channel_is_no_attempt() -> None:
    """The gate waits for it; the message itself is due."""
    outcome = judged(a_claim(), busy_for(30))

    assert (outcome.state, outcome.counted, outcome.due) == (DeliveryState.PENDING, 0, NOW)


def test_a_pause_of_one_target_puts_its_message_off() -> None:
    """So that others go in the meantime; it is no attempt either."""
    outcome = judged(a_claim(), busy_for(30, only_target=True))

    assert (outcome.counted, outcome.due) == (0, NOW + 30)


@pytest.mark.parametrize("pause", [None, 30.0])
def test_at_the_end_of_its_life_it_is_given_up(pause: float | None) -> None:
    """Dead with the last reason, not a second sooner, whatever the failure."""
    end = TemporaryFailure("down", retry_after=pause)

    assert judged(a_claim(expires=NOW + 0.1), end).state is DeliveryState.PENDING
    dead = judged(a_claim(expires=NOW), end)
    assert (dead.state, dead.detail, dead.instead) == (DeliveryState.DEAD, "down", ())


def test_at_the_end_of_its_life_others_are_told() -> None:
    """The first of the fallback that there is; it knows who comes after it."""
    outcome = judged(with_fallback("mail", "desk", expires=NOW), TemporaryFailure("down"))

    assert outcome.state is DeliveryState.SUPPRESSED
    assert outcome.detail == "given up, told through mail instead: down"
    assert (instead(outcome).channel, instead(outcome).fallback) == ("mail", ("desk",))


@pytest.mark.parametrize("fault", [Fault.MESSAGE, Fault.FORM])
def test_a_refused_message_is_given_up_at_once(fault: Fault) -> None:
    """Trying the same again is no use."""
    refused = PermanentFailure("too long", fault=fault)

    assert judged(a_claim(), refused).state is DeliveryState.DEAD
    assert instead(judged(with_fallback("mail"), refused)).channel == "mail"


def test_what_a_refused_channel_owes_waits_for_it() -> None:
    """It is not the message's fault: no attempt, no end, and the reason is seen."""
    outcome = judged(a_claim(), PermanentFailure("401", fault=Fault.CHANNEL))

    assert (outcome.state, outcome.counted, outcome.due) == (DeliveryState.PENDING, 0, NOW)
    assert outcome.detail == "401"


def test_what_a_refused_channel_owes_goes_to_its_fallback() -> None:
    """If there is one; a name that is not configured any more is none."""
    refused = PermanentFailure("401", fault=Fault.CHANNEL)

    assert instead(judged(with_fallback("mail"), refused)).channel == "mail"
    assert judged(with_fallback("mail"), refused, ALONE).state is DeliveryState.PENDING


def test_who_is_not_there_is_left_out_of_the_chain() -> None:
    """Also as the next in line."""
    there = {"mail": PlainSettings(), "desk": PlainSettings()}
    policy = Policy(retry=RETRY, settings_of=there.get)
    told = instead(given_up(with_fallback("gone", "mail", "gone", "desk"), "x", policy, NOW))

    assert (told.channel, told.fallback) == ("mail", ("desk",))


def test_a_chain_ends() -> None:
    """Each hands on to the next, and the last is dead."""
    claim, told = with_fallback("mail", "desk"), []
    outcome = given_up(claim, "down", POLICY, NOW)
    while outcome.instead:
        told.append(instead(outcome).channel)
        outcome = given_up(a_claim(instead(outcome)), "down", POLICY, NOW)

    assert told == ["mail", "desk"]
    assert outcome.state is DeliveryState.DEAD


def test_what_is_handed_on_is_the_same_news_with_a_life_of_its_own() -> None:
    """Its own id, time and count; its lifetime is what the other channel gives it."""
    lives = Retry(give_up_after={Severity.INFO: 100, Severity.ERROR: 900})
    delivery = dataclasses.replace(
        a_delivery(severity=Severity.ERROR), target="chat", attempts=7, fallback=("mail",)
    )
    policy = Policy(retry=RETRY, settings_of=lambda name: PlainSettings(retry=lives))
    told = instead(given_up(a_claim(delivery), "down", policy, NOW))

    assert (told.event, told.message) == (delivery.event, delivery.message)
    assert (told.created, told.due, told.expires) == (NOW, NOW, NOW + 900)
    assert (told.rule, told.target) == ("fallback of team", "")


def test_a_replay_hands_on_under_the_same_id() -> None:
    """So that nobody is told twice; and each link of the chain has its own."""
    once, again = (instead(given_up(with_fallback("mail"), "x", POLICY, now)) for now in (1.0, 2.0))
    other = instead(given_up(with_fallback("desk"), "x", POLICY, NOW))

    assert once.id == again.id
    assert len({once.id, other.id, "d1"}) == 3


def test_a_message_to_several_targets_is_handed_on_once() -> None:
    """The fallback is told once what three chats were not."""
    claims = [a_claim(target=chat, id=f"d-{chat}", fallback=("mail",)) for chat in "abc"]
    ids = {instead(given_up(claim, "401", POLICY, NOW)).id for claim in claims}

    assert len(ids) == 1


def test_put_back_is_as_if_nobody_had_taken_it() -> None:
    """No attempt, no reason, and due when it was."""
    outcome = put_back(a_claim(), NOW)

    assert (outcome.state, outcome.due, outcome.counted) == (DeliveryState.PENDING, None, 0)
    assert put_back(a_claim(), NOW, due=9.0).due == 9


def test_very_many_attempts_are_no_trouble() -> None:
    """A delivery without an end is tried for ever."""
    outcome = judged(a_claim(attempts=MANY), TemporaryFailure("down"))

    assert outcome.due == NOW + 30
