"""A digest tells several deliveries in one message: counted, listed, and no louder than they."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.model import Delivery, Message, Severity
from notifyd.rendering.digest import digest
from tests.fakes import a_delivery


def titled(title: str, id: str = "d1") -> Delivery:
    return dataclasses.replace(a_delivery(id), message=Message(title=title))


def of(*deliveries: Delivery) -> Delivery:
    """Return the digest of these, the first of which leads."""
    leader, *others = deliveries
    return digest(leader, others, counted(others))


def counted(others: Sequence[Delivery]) -> dict[str, int]:
    types = [one.event.type for one in others]
    return {type: types.count(type) for type in types}


def test_it_counts_what_it_tells() -> None:
    """Most first, and by name where there are as many."""
    failed = [a_delivery(f"f{n}", event_type="job_failed") for n in range(3)]
    told = of(a_delivery(), *failed, a_delivery("c", event_type="job_cancelled"))

    assert told.message.title == "5 notices: 3 job failed, 1 job cancelled, 1 job completed"
    assert told.event.data == {
        "count": 5,
        "job_failed": 3,
        "job_cancelled": 1,
        "job_completed": 1,
    }


def test_it_lists_them_in_their_order() -> None:
    """The leader first."""
    told = of(titled("first"), titled("second", "d2"), titled("third", "d3"))

    assert told.message.body == "• first\n• second\n• third"


def test_it_tells_why() -> None:
    """How each body begins: a failure has its reason there, and a note what it says."""
    note = dataclasses.replace(
        a_delivery(), message=Message(title="run 7", body="accuracy 0.91\n\nloss 2\nx")
    )

    assert of(note).message.body == "• run 7\n  accuracy 0.91\n  loss 2"


def test_what_is_not_listed_is_counted() -> None:
    """However many there are."""
    told = digest(titled("first"), [titled("second", "d2")], {"job_completed": 9_999})

    assert told.message.title.startswith("10000 notices")
    assert told.message.body == "• first\n• second\n… and 9998 more"


def test_it_keeps_the_id_of_its_leader() -> None:
    """So that a retry is known as one; the event has an id of its own, the same each time."""
    leader, other = a_delivery("lead"), a_delivery("other")

    assert of(leader, other).id == "lead"
    assert of(leader, other).event.id == of(leader).event.id != leader.event.id


def test_all_else_is_as_the_leader_has_it() -> None:
    """Where it goes, how often it was tried, and how long it lives."""
    leader = dataclasses.replace(a_delivery(), target="chat", attempts=3, expires=9.0)
    told = of(leader, a_delivery("other"))

    changed = {"event": leader.event, "message": leader.message}
    assert dataclasses.replace(told, **changed) == leader  # type: ignore[arg-type]


def test_it_is_as_severe_as_the_worst_of_them() -> None:
    """Also when that is not listed."""
    mild, bad = a_delivery(), a_delivery("b", severity=Severity.CRITICAL)

    assert of(mild, bad).event.severity is Severity.CRITICAL
    assert digest(mild, [], {"job_failed": 1}).event.severity is Severity.ERROR
    assert digest(mild, [], {"a type of tomorrow": 1}).event.severity is Severity.SUCCESS


def test_its_time_is_that_of_the_last() -> None:
    """It tells what has happened until then."""
    assert of(a_delivery(time=5.0), a_delivery("b", time=9.0)).event.time == 9


def test_whoever_asked_for_one_of_them_hears_it() -> None:
    """It stands for each type once."""
    told = of(a_delivery(), a_delivery("b", event_type="job_failed"), a_delivery("c"))

    assert sorted(told.event.stands_for) == ["job_completed", "job_failed"]


@pytest.mark.parametrize("title", ["a\nb", "a\r\nb", "a\u2028b", "a\x85b", "a\x1b[31m\x07b"])
def test_a_title_is_one_line(title: str) -> None:
    """Nobody can write a second entry, or a colour, into the list."""
    body = of(titled(title), titled("c", "d2")).message.body

    assert len(body.splitlines()) == 2
    assert body.replace("\n", "").isprintable()


@given(st.lists(st.text(), min_size=1, max_size=20))
def test_whatever_the_titles_each_is_one_short_line(titles: list[str]) -> None:
    """A line each, in order, and none longer than a line should be."""
    told = of(*(titled(title, f"d{number}") for number, title in enumerate(titles)))
    lines = told.message.body.split("\n")

    assert len(lines) == len(titles)
    assert all(line.startswith("• ") and len(line) <= 202 for line in lines)
