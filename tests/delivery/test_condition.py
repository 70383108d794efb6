"""How a channel fares: what each try teaches its gate, and what is remembered."""

from __future__ import annotations

import math

import pytest

from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.settings import Retry
from notifyd.delivery.verdict import Policy, Tried, verdict
from notifyd.outbox.store import Outbox
from tests.delivery.parts import a_lease, busy_for, waits
from tests.delivery.patient import DOWN, NO_ENTRY, TAKEN, Patient
from tests.fakes import a_delivery, owed


@pytest.fixture
def patient(outbox: Outbox) -> Patient:
    return Patient(outbox)


async def test_a_success_is_trusted(patient: Patient) -> None:
    """And ends the last error."""
    await patient.tries(DOWN)
    assert patient.condition.last_error == "down"
    await patient.tries(TAKEN)

    assert patient.gate.trusted
    assert patient.condition.last_error is None


async def test_failures_open_the_breaker(patient: Patient) -> None:
    """Five of them, in the usual settings."""
    await patient.tries(*[DOWN] * 4)
    assert not patient.gate.is_open
    await patient.tries(DOWN)
    assert patient.gate.is_open


@pytest.mark.parametrize("pause", [30.0, 30])
async def test_a_pause_is_kept_and_is_no_failure(patient: Patient, pause: float) -> None:
    """Also one in whole seconds."""
    await patient.tries(*[busy_for(pause)] * 9)

    assert patient.gate.wait(patient.clock.monotonic()) == 30
    assert not patient.gate.is_open


async def test_a_pause_of_one_target_is_its_own(patient: Patient) -> None:
    """The others go on."""
    patient.condition.learn(busy_for(30, only_target=True), "a")

    now = patient.clock.monotonic()
    assert [waits(patient.gate, now, target) for target in ("a", "b")] == [30, 0]


async def test_a_full_mailbox_says_nothing_of_the_others(patient: Patient) -> None:
    """However often one address is not taken, the breaker is about the receiver."""
    for _ in range(9):
        patient.condition.learn(TemporaryFailure("450", only_target=True), "a")

    assert not patient.gate.in_trouble(patient.clock.monotonic())


async def test_a_refusal_of_the_channel_stops_it(patient: Patient) -> None:
    """At the first."""
    await patient.tries(NO_ENTRY)

    assert patient.gate.wait(patient.clock.monotonic()) == math.inf


@pytest.mark.parametrize("fault", [Fault.MESSAGE, Fault.FORM])
async def test_whoever_refuses_a_message_is_there(patient: Patient, fault: Fault) -> None:
    """It is no trouble of the channel, and closes its breaker like a success."""
    await patient.tries(*[PermanentFailure("bad", fault=fault, status=400)] * 99)
    assert not patient.gate.is_open

    await patient.tries(*[DOWN] * 5)
    patient.clock.time += 3
    await patient.tries(*[PermanentFailure("bad", fault=fault, status=400)] * 2)
    assert not patient.gate.is_open
    assert patient.condition.last_error == "bad"


async def test_after_an_outage_nothing_waits_for_its_next_try(patient: Patient) -> None:
    """What failed an hour ago and would be tried in a quarter of one is tried now."""
    await patient.outbox.add(owed(a_delivery()))
    (claim,) = await patient.outbox.claim("team", a_lease(), 1)
    policy = Policy(retry=Retry(initial_delay=900))
    now = patient.clock.now()
    await patient.outbox.settle([verdict(claim, Tried(attempts=(), end=DOWN), policy, now, 1.0)])
    await patient.tries(*[DOWN] * 5)
    patient.clock.time += 3
    await patient.tries(TAKEN, TAKEN)
    await patient.looks()

    assert await patient.outbox.next_due("team") == patient.clock.now()


@pytest.mark.parametrize("text", ["", "no JSON", '{"at": 1}'])
async def test_a_memory_that_cannot_be_read_is_forgotten(patient: Patient, text: str) -> None:
    """Then the gate is as new."""
    await patient.outbox.write_note("gate/team", text)

    assert await patient.looks() == []
    assert patient.gate.wait(patient.clock.monotonic()) == 0
