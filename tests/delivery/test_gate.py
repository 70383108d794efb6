"""The gate: buckets, pauses, breaker and refusal of one channel, side by side."""

from __future__ import annotations

import math

import pytest

from notifyd.delivery.gate import Gate
from tests.delivery.parts import SLOW, SLOWER, a_gate, a_gate_of_many, many, waits


def test_a_channel_has_one_bucket_for_all_targets() -> None:
    """Two at once, whoever they are for."""
    gate = a_gate(rate_limit=SLOW)
    gate.spend(0.0, "a")
    gate.spend(0.0, "b")

    assert waits(gate, 0.0, "c") == 10


def test_a_target_has_a_bucket_of_its_own() -> None:
    """The one that was just written to waits, the other does not."""
    gate = a_gate_of_many(to_one=SLOWER)
    gate.spend(0.0, "a")

    assert waits(gate, 0.0, "a") == 60
    assert waits(gate, 0.0, "b") == 0
    assert gate.wait(0.0) == 0


def test_a_pause_of_one_target_is_no_pause_of_the_others() -> None:
    """Also where targets have no limit of their own."""
    gate = a_gate_of_many()
    gate.pause(30.0, "a")

    assert [waits(gate, 0.0, name) for name in ("a", "b", "")] == [30, 0, 0]


def test_a_pause_of_the_channel_is_one_of_all() -> None:
    """And it is no failure."""
    gate = a_gate(circuit_breaker={"failure_threshold": 1})
    gate.pause(30.0)

    assert waits(gate, 0.0, "a") == 30
    assert not gate.is_open


def test_a_paused_target_is_not_forgotten_for_others() -> None:
    """However many addresses there are: what was asked for is kept to its end."""
    gate = a_gate_of_many(to_one=SLOWER, rate_limit={"burst": 5000})
    gate.pause(3600.0, "paused")
    for number in range(1001):
        gate.spend(0.0, f"chat {number}")

    assert waits(gate, 0.0, "paused") == 3600


def test_it_remembers_so_many_targets_and_no_more() -> None:
    """A channel with a million addresses costs no more memory."""
    gate = a_gate_of_many(to_one=SLOWER, rate_limit={"burst": 5000})
    for number in range(1500):
        gate.spend(0.0, f"chat {number}")

    assert len(gate.targets) == 1000


def is_back(gate: Gate, now: float) -> bool:
    """Tell whether a success has brought it back."""
    gate.is_back = False
    gate.succeeded(now)
    return gate.is_back


def test_failures_open_it_and_successes_close_it() -> None:
    """Each change is told to the caller once."""
    gate = a_gate(circuit_breaker={"failure_threshold": 2, "success_threshold": 2})

    assert [gate.failed(0.0) for _ in range(3)] == [False, True, False]
    assert gate.is_open
    assert [is_back(gate, 9.0) for _ in range(3)] == [False, True, False]
    assert not gate.is_open


def test_it_trusts_what_worked_last() -> None:
    """Not before the first success, and not after a failure."""
    gate = a_gate()
    assert not gate.trusted
    gate.succeeded(0.0)
    assert gate.trusted
    gate.failed(0.0)
    assert not gate.trusted


def test_a_refusal_lasts_until_somebody_changes_something() -> None:
    """No time ends it, and no success of what was on its way."""
    gate = a_gate()
    gate.refuse("401")
    gate.succeeded(0.0)

    assert gate.wait(1e9) == math.inf
    gate.readmit()
    assert gate.wait(0.0) == 0
    assert not gate.is_open


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({"timeout": "5s"}, True),
        ({"rate_limit": {"burst": 3}}, False),
        ({"circuit_breaker": {"timeout": "9s"}}, False),
        ({"to_one": SLOWER}, False),
    ],
)
def test_it_goes_on_under_settings_with_the_same_limits(
    changes: dict[str, object], fits: bool
) -> None:
    """Whatever else has changed."""
    assert Gate(many(), 0.0).fits(many(**changes)) is fits
