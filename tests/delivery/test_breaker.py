"""The circuit breaker: opens on many failures, closes on successes in a row."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from notifyd.delivery.breaker import Breaker, State

BREAKER = Breaker(failure_threshold=3, window=60.0, timeout=3.0, max_timeout=300.0)


def opened(now: float = 0.0, breaker: Breaker = BREAKER) -> Breaker:
    for _ in range(breaker.failure_threshold):
        breaker = breaker.failed(now)
    return breaker


def test_it_opens_at_the_threshold() -> None:
    """Two failures of three let messages through, the third does not."""
    almost = BREAKER.failed(0.0).failed(0.0)

    assert almost.state(0.0) is State.CLOSED
    assert almost.wait(0.0) == 0
    assert opened().state(0.0) is State.OPEN
    assert opened().wait(0.0) == 3


def test_failures_that_are_rare_do_not_open_it() -> None:
    """A receiver that takes most of what it gets is not left alone."""
    breaker = BREAKER
    for _ in range(20):
        breaker = breaker.failed(1.0).succeeded(1.0).succeeded(1.0)

    assert breaker.state(1.0) is State.CLOSED


def test_half_of_the_attempts_are_too_much() -> None:
    """Every other one fails: at the threshold it opens."""
    breaker = BREAKER
    for _ in range(2):
        breaker = breaker.failed(1.0).succeeded(1.0)

    assert breaker.failed(1.0).state(1.0) is State.OPEN


def test_the_window_rolls() -> None:
    """What failed longer ago than the window does not count."""
    two = BREAKER.failed(0.0).failed(0.0).succeeded(1.0)

    assert two.failed(61.0).state(61.0) is State.CLOSED
    assert two.failed(50.0).state(50.0) is State.OPEN


def test_a_good_day_does_not_outweigh_a_bad_minute() -> None:
    """A million successes long ago do not keep it closed."""
    breaker = BREAKER.failed(0.0)
    for _ in range(1000):
        breaker = breaker.succeeded(1.0)

    assert opened(120.0, breaker).state(120.0) is State.OPEN


def test_it_closes_on_successes_in_a_row() -> None:
    """Two; and then it is as new."""
    once = opened().succeeded(3.0)

    assert once.state(3.0) is State.HALF_OPEN
    assert once.wait(3.0) == 0
    assert once.succeeded(3.0) == BREAKER


def test_a_failure_in_between_starts_the_row_anew() -> None:
    """Success, failure, success: not two in a row."""
    mixed = opened().succeeded(3.0).failed(3.0)
    later = mixed.succeeded(3.0 + mixed.wait(3.0))

    assert later.state(100.0) is State.HALF_OPEN


def test_the_open_time_is_a_tenth_of_the_trouble_so_far() -> None:
    """From `timeout` up to `max_timeout`: so the end is seen soon, and the receiver spared."""
    waits = [opened().failed(after).wait(after) for after in (3.0, 30.0, 600.0, 3000.0, 1e6)]

    assert waits == [3, 3, 60, 300, 300]


def test_what_was_sent_before_it_opened_says_nothing_new() -> None:
    """Nineteen more failures of the same moment do not keep it open for longer."""
    assert opened().failed(1.0).failed(2.9) == opened()
    assert opened().succeeded(1.0).succeeded(2.9) == opened()


def test_failures_in_a_row_open_it_however_long_they_take() -> None:
    """Time-outs, one after the other, may take longer than the window."""
    breaker = BREAKER.failed(0.0).failed(400.0)

    assert breaker.state(400.0) is State.CLOSED
    assert breaker.failed(800.0).state(800.0) is State.OPEN


def test_one_that_was_open_before_a_restart_is_open_after_it() -> None:
    """For what was left, and in trouble for as long."""
    again = BREAKER.reopened(since=-600.0, until=20.0)

    assert (again.state(0.0), again.wait(0.0)) == (State.OPEN, 20)
    assert again.failed(20.0).wait(20.0) == 62


def test_while_all_goes_well_it_keeps_nothing() -> None:
    """The usual case costs no memory and no work."""
    assert BREAKER.succeeded(1.0) is BREAKER


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=200))
def test_it_keeps_few_slots(steps: list[tuple[bool, float]]) -> None:
    """However long the story, it remembers a window in ten parts."""
    breaker, now = BREAKER, 0.0
    for good, pause in steps:
        now += pause
        breaker = breaker.succeeded(now) if good else breaker.failed(now)
        assert len(breaker.slots) <= 10


class Receiver(RuleBasedStateMachine):
    """Somebody who sends as the breaker allows, several at a time while it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker, self.now, self.on_way = BREAKER, 0.0, 0

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 3.0, 30.0, 61.0, 400.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self._may_go())
    @rule()
    def one_goes(self) -> None:
        self.on_way += 1

    @precondition(lambda self: self.on_way > 0)
    @rule(end=st.sampled_from(["good", "bad", "neither"]))
    def one_ends(self, end: str) -> None:
        self.on_way -= 1
        match end:
            case "good":
                before = self.breaker
                self.breaker = before.succeeded(self.now)
                assert before.state(self.now) is not State.OPEN or self.breaker == before
            case "bad":
                self.breaker = self.breaker.failed(self.now)

    def _may_go(self) -> bool:
        closed = self.breaker.since is None
        return self.breaker.wait(self.now) == 0 and (closed or not self.on_way)

    @invariant()
    def nobody_waits_for_ever(self) -> None:
        wait = self.breaker.wait(self.now)
        assert wait <= BREAKER.max_timeout

    @invariant()
    def open_means_wait(self) -> None:
        is_open = self.breaker.state(self.now) is State.OPEN
        assert not is_open or self.breaker.wait(self.now) > 0

    @invariant()
    def enough_successes_close_it(self) -> None:
        breaker, now = self.breaker, self.now + BREAKER.max_timeout
        for _ in range(breaker.success_threshold):
            breaker = breaker.succeeded(now)
        assert breaker.state(now) is State.CLOSED


TestReceiver = Receiver.TestCase
TestReceiver.settings = settings(max_examples=50, stateful_step_count=40)
