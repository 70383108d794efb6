"""The gate over a restart: nothing goes earlier because of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifyd.channels.settings import ChannelSettings
from notifyd.delivery.gate import Gate
from tests.delivery.parts import SLOW, SLOWER, a_gate, a_gate_of_many, open_up, plain, waits

WALL = 1_000_000.0


def restarted(gate: Gate, now: float, wall: float, later: float, jump: float = 0.0) -> Gate:
    """Return the gate of the daemon after; its steady clock begins anew, at 500."""
    after = Gate(gate.settings, 500.0)
    after.load(gate.dump(now, wall), 500.0, wall + later + jump)
    return after


def test_a_restart_ends_no_pause() -> None:
    """What is left of it is kept, for the channel and for one of its targets."""
    gate = a_gate_of_many()
    gate.pause(100.0)
    gate.pause(200.0, "a")
    after = restarted(gate, 40.0, WALL, later=10.0)

    assert after.wait(500.0) == 50
    assert waits(after, 500.0, "a") == 150


def test_a_restart_refills_no_bucket() -> None:
    """Tokens flow in for the time that has passed, and no more."""
    gate = a_gate(rate_limit=SLOW)
    gate.spend(0.0)
    gate.spend(0.0)

    assert restarted(gate, 0.0, WALL, later=4.0).wait(500.0) == pytest.approx(6)


def test_a_restart_refills_no_bucket_of_a_target() -> None:
    """One chat is not written to faster because the daemon was restarted."""
    gate = a_gate_of_many(to_one=SLOWER)
    gate.spend(0.0, "a")

    assert waits(restarted(gate, 0.0, WALL, later=4.0), 500.0, "a") == pytest.approx(56)


def test_a_restart_closes_no_breaker() -> None:
    """It is open for what was left, and in trouble since then."""
    gate = open_up(a_gate(circuit_breaker={"timeout": 60}))
    gate.told = "channel_degraded"
    after = restarted(gate, 10.0, WALL, later=20.0)

    assert after.wait(500.0) == 30
    assert after.breaker.since == 470
    assert after.told


def test_a_restart_is_a_change_that_ends_a_refusal() -> None:
    """Whoever restarts the daemon may have mended something: it is tried again, not told again."""
    gate = a_gate()
    gate.refuse("401")
    gate.told = "channel_disabled"
    after = restarted(gate, 0.0, WALL, later=1.0)

    assert after.wait(500.0) == 0
    assert after.told == "channel_disabled"


@pytest.mark.parametrize("jump", [-1e6, -60.0, -1.0])
def test_a_wall_clock_that_was_set_back_ends_no_pause(jump: float) -> None:
    """Then nobody knows how much time has passed: all that was left is waited for."""
    gate = a_gate()
    gate.pause(100.0)

    assert restarted(gate, 0.0, WALL, later=1.0, jump=jump).wait(500.0) == 100


@pytest.mark.parametrize("text", ["", "{}", "no JSON", "[]", '{"at": "yesterday", "tokens": 1}'])
def test_what_is_no_memory_is_refused(text: str) -> None:
    """And changes nothing."""
    gate = a_gate()
    with pytest.raises(ValueError, match=r"."):
        gate.load(text, 500.0, WALL)

    assert gate.wait(500.0) == 0


def limited() -> st.SearchStrategy[ChannelSettings]:
    limits = st.fixed_dictionaries(
        {"max_requests": st.integers(1, 5), "window": st.just(10), "burst": st.integers(1, 5)}
    )
    return limits.map(lambda limit: plain(rate_limit=limit, circuit_breaker={"window": 600}))


STEP = st.sampled_from(["take", "fail", "succeed", "pause", "pause a", "time"])


def act(gate: Gate, step: str, now: float) -> float:
    """Do one thing with the gate, and return the time after it."""
    match step:
        case "take" if gate.wait(now) <= 0:
            gate.spend(now)
        case "fail":
            gate.failed(now)
        case "succeed":
            gate.succeeded(now)
        case "pause":
            gate.pause(now + 33.0)
        case "pause a":
            gate.pause(now + 77.0, "a")
        case "time":
            return now + 7.0
    return now


@settings(max_examples=200)
@given(limited(), st.lists(STEP, max_size=30), st.floats(0, 100), st.floats(-1000, 0))
def test_nothing_goes_earlier_because_of_a_restart(
    limits: ChannelSettings, steps: list[str], later: float, jump: float
) -> None:
    """Whatever happened before it, however long it took, also if the clock was set back."""
    gate, now = Gate(limits, 0.0), 0.0
    for step in steps:
        now = act(gate, step, now)
    after = restarted(gate, now, WALL, later, jump)

    for target in ("", "a"):
        assert waits(after, 500.0, target) >= waits(gate, now + later, target) - 1e-6


@settings(max_examples=100)
@given(limited(), st.lists(STEP, max_size=30), st.floats(0, 100))
def test_nothing_goes_later_because_of_a_restart(
    limits: ChannelSettings, steps: list[str], later: float
) -> None:
    """With a clock that is right, a restart changes nothing at all."""
    gate, now = Gate(limits, 0.0), 0.0
    for step in steps:
        now = act(gate, step, now)
    after = restarted(gate, now, WALL, later)

    for target in ("", "a"):
        assert waits(after, 500.0, target) == pytest.approx(
            waits(gate, now + later, target), abs=1e-4
        )
