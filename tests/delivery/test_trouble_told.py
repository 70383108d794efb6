"""Trouble of a channel that lasts, and its end, are told elsewhere: each once."""

from __future__ import annotations

import pytest

from notifyd.channels.failures import PermanentFailure, TemporaryFailure
from notifyd.delivery.alarms import WORTH_TELLING
from notifyd.outbox.store import Outbox
from tests.delivery.parts import busy_for
from tests.delivery.patient import DOWN, NO_ENTRY, TAKEN, Patient


@pytest.fixture
def patient(outbox: Outbox) -> Patient:
    return Patient(outbox)


async def test_short_trouble_is_nobodys_concern(patient: Patient) -> None:
    """What is over within a minute is not told, and neither is its end."""
    await patient.tries(*[DOWN] * 5)
    assert await patient.looks(after=WORTH_TELLING - 1) == []
    await patient.tries(TAKEN, TAKEN)

    assert await patient.looks(after=3600) == []


async def test_trouble_that_lasts_is_told_once_and_so_is_its_end(patient: Patient) -> None:
    """With the reason, and how long it has lasted."""
    await patient.tries(*[DOWN] * 5)
    await patient.looks(after=WORTH_TELLING)
    await patient.looks(after=30)
    await patient.tries(DOWN)
    assert await patient.looks(after=30) == ["channel_degraded"]
    await patient.tries(TAKEN)
    assert await patient.looks() == ["channel_degraded"], "one success is not the end yet"
    await patient.tries(TAKEN)
    await patient.looks()
    assert await patient.looks(after=3600) == ["channel_degraded", "channel_recovered"]
    degraded, recovered = patient.ears.heard

    assert degraded.data == {"channel_name": "team", "error": "down", "lasted_seconds": 60}
    assert (recovered.data["error"], recovered.data["lasted_seconds"]) == (None, 120)


async def test_the_next_trouble_is_told_again(patient: Patient) -> None:
    """It is another one, under another id."""
    for _ in range(2):
        await patient.tries(*[DOWN] * 5)
        await patient.looks(after=60)
        await patient.tries(TAKEN, TAKEN)
        await patient.looks(after=60)

    assert patient.ears.types == ["channel_degraded", "channel_recovered"] * 2
    assert len({event.id for event in patient.ears.heard}) == 4


async def test_a_quiet_channel_that_works_is_not_called_degraded(patient: Patient) -> None:
    """Short trouble, one success, and then nothing to send for an hour."""
    await patient.tries(*[DOWN] * 5)
    patient.clock.time += 10
    await patient.tries(TAKEN)

    assert await patient.looks(after=3600) == []


async def test_a_refusal_is_told_at_once_and_once(patient: Patient) -> None:
    """Nobody has to wait for a minute: it does not mend itself."""
    await patient.tries(NO_ENTRY)

    assert await patient.looks() == ["channel_disabled"]
    assert await patient.looks(after=3600) == ["channel_disabled"]
    assert patient.ears.heard[0].data["error"] == "401"


async def test_a_refusal_after_an_outage_is_told(patient: Patient) -> None:
    """A service that comes back and does not know us any more is other trouble."""
    await patient.tries(*[DOWN] * 5)
    await patient.looks(after=60)
    await patient.tries(NO_ENTRY)

    assert await patient.looks() == ["channel_degraded", "channel_disabled"]


async def test_a_second_refusal_is_told_again(patient: Patient) -> None:
    """Somebody has mended something, but not enough; or it broke again a month later."""
    for _ in range(2):
        await patient.tries(NO_ENTRY)
        await patient.looks()
        patient.gate.readmit()
        await patient.tries(TAKEN)
        await patient.looks(after=30 * 86400)
    disabled = [event.id for event in patient.ears.heard if event.type == "channel_disabled"]

    assert len(set(disabled)) == 2


async def test_what_nobody_takes_is_told_at_the_next_look(patient: Patient) -> None:
    """The store is full for a moment: it is not lost, and not told twice."""
    await patient.tries(*[DOWN] * 5)
    patient.ears.deaf = True
    assert await patient.looks(after=60) == []
    patient.ears.deaf = False

    assert await patient.looks() == ["channel_degraded"]
    assert await patient.looks() == ["channel_degraded"]


async def test_a_restart_in_the_middle_tells_nothing_twice(patient: Patient) -> None:
    """The daemon after knows that somebody was told, and tells the end."""
    await patient.tries(*[DOWN] * 5)
    await patient.looks(after=60)
    await patient.tries(DOWN)
    patient.restart()
    assert await patient.looks(after=60) == ["channel_degraded"]
    await patient.tries(TAKEN, TAKEN)

    assert await patient.looks() == ["channel_degraded", "channel_recovered"]
    assert patient.ears.heard[-1].data["lasted_seconds"] == 120


async def test_a_restart_before_the_end_is_told_does_not_lose_it(patient: Patient) -> None:
    """It was stored that it works again, and the daemon was killed before it could say so."""
    await patient.tries(*[DOWN] * 5)
    await patient.looks(after=60)
    await patient.tries(TAKEN, TAKEN)
    patient.restart()

    assert await patient.looks() == ["channel_degraded", "channel_recovered"]


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        ([NO_ENTRY], ["channel_disabled"]),
        ([DOWN] * 5, ["channel_degraded"]),
    ],
)
async def test_what_was_told_is_known_after_a_restart(
    patient: Patient, ends: list[PermanentFailure | TemporaryFailure], told: list[str]
) -> None:
    """Although nothing was sent in between, by which it would have been stored."""
    await patient.tries(*ends)
    await patient.looks(after=60)
    for _ in range(3):
        patient.restart()
        patient.condition.learn(ends[-1], "")
        await patient.looks(after=60)

    assert patient.ears.types == told


async def test_an_end_that_was_told_is_known_after_a_restart(patient: Patient) -> None:
    """Nothing is said of it again."""
    await patient.tries(*[DOWN] * 5)
    await patient.looks(after=60)
    await patient.tries(TAKEN, TAKEN)
    await patient.looks()
    patient.restart()

    assert await patient.looks(after=60) == ["channel_degraded", "channel_recovered"]


async def test_a_restart_gives_the_same_trouble_the_same_id(patient: Patient) -> None:
    """Who was told just before a kill is not told another time."""
    await patient.tries(*[DOWN] * 5)
    for _ in range(2):
        patient.restart()
        await patient.looks(after=60)
        patient.condition.learn(DOWN, "")
        await patient.looks()
        patient.gate.told = None
        await patient.tries()

    first, second = patient.ears.heard
    assert first.id == second.id


async def test_receivers_that_only_ask_for_pauses_are_in_trouble(patient: Patient) -> None:
    """Nothing arrives, whatever it is called; a short pause is told to nobody."""
    busy = TemporaryFailure("503", 30.0, busy=True)
    for _ in range(2):
        await patient.tries(busy)
        assert await patient.looks(after=30) == []
    await patient.tries(busy)

    assert await patient.looks() == ["channel_degraded"]
    await patient.tries(TAKEN)
    assert await patient.looks() == ["channel_degraded", "channel_recovered"]


async def test_a_pause_of_long_ago_is_no_trouble_of_now(patient: Patient) -> None:
    """Nothing was owed since; what is asked for a week later begins anew."""
    await patient.tries(busy_for(5))
    assert await patient.looks(after=7 * 86400) == []
    await patient.tries(busy_for(90))
    assert await patient.looks() == []

    assert await patient.looks(after=80) == ["channel_degraded"]
    assert patient.ears.heard[0].data["lasted_seconds"] == 80


async def test_a_restart_alone_shows_no_trouble(patient: Patient) -> None:
    """The machine was off for hours: whether the receiver is well, a try has to show."""
    await patient.tries(*[DOWN] * 5)
    patient.restart()

    assert await patient.looks(after=7200) == []
