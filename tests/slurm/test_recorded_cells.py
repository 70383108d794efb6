"""What single recordings show of the cells of Slurm's tables, and how they are read."""

from __future__ import annotations

import re

import pytest

from notifyd.slurm.tables import accounting, queue
from notifyd.slurm.tables.cells import ParseError
from tests.recordings.cases.texts import NAMES
from tests.recordings.reading import MARKS, NONCE, by_name, last_look, recorded, records


def test_the_recordings_are_of_what_is_asked() -> None:
    """Otherwise record them anew: `python -m tests.recordings.record FOLDER`."""
    recording = recorded("exit_codes")

    assert recording.queue_columns == (*queue.PLAIN, *queue.FREE)
    assert set(accounting.FIELDS) <= set(recording.accounting_columns)


def test_lists_of_nodes() -> None:
    """As Slurm folds them; both sources count the same."""
    for jobs in (last_look("two_nodes"), records("two_nodes")):
        nodes = {name: (job.node_list, job.nodes) for name, job in jobs.items()}
        assert nodes == {"neighbours": ("n[1-2]", 2), "apart": ("n[1,3]", 2)}


def test_limits_and_no_limit() -> None:
    """Without a limit there is none, whichever word stands for it."""
    limits = {"minute": 60, "days": 129600, "none": None, "of the partition": 600}
    for jobs in (last_look("limits"), records("limits"), records("odd_texts")):
        for name, job in jobs.items():
            assert job.time_limit_seconds == limits.get(name)
    waiting = last_look("too_many_nodes")["huge"]
    assert waiting.time_limit_seconds is None
    assert records("too_many_nodes")["huge"].time_limit_seconds is None


def test_words_that_are_no_times() -> None:
    """Unknown, None, INVALID, NONE, N/A: no time is known."""
    jobs = by_name(recorded("odd_times", "made").looks()[-1])
    entries = by_name([entry.job for entry in recorded("odd_times", "made").answers()[-1]])

    assert {job.time_limit_seconds for job in jobs.values()} == {None}
    assert {job.end_time for job in [*jobs.values(), *entries.values()]} == {None}
    assert {job.estimated_start for job in jobs.values()} == {None}
    assert entries["clock skew"].start_time is None


def test_an_estimate_is_no_start() -> None:
    """A job that may begin in an hour has not begun then."""
    job = last_look("begins_later")["tomorrow"]

    assert (job.reason, job.start_time, job.end_time) == ("BeginTime", None, None)
    assert job.estimated_start == job.submit_time + 3600
    assert job.time_limit_seconds == 2 * 86400 + 3 * 3600 + 4 * 60


def test_partition_name_and_comment_may_change() -> None:
    """They are read anew at each look, and are no change of the run's key."""
    moved = [look[0] for look in recorded("partition_moved").looks()]
    renamed = [look[0] for look in recorded("renamed").looks()]

    assert [job.partition for job in moved] == ["debug,short", "short", "short", "short"]
    assert [(job.name, job.comment) for job in renamed] == [
        ("before", "one"),
        ("after", "two"),
        ("after", "two"),
    ]
    assert len({queue.key_of(job) for job in moved}) == 1


def as_decoded(text: str) -> str:
    """Return what is read of a text that is not all UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def test_free_texts_are_read_as_they_were_written() -> None:
    """Separators, newlines, quotes, bytes: nothing is mistaken for a field or a row."""
    jobs = recorded("odd_texts").looks()[-1]

    assert sorted(job.name for job in jobs) == sorted(map(as_decoded, NAMES))
    assert all(job.comment == job.name for job in jobs)
    assert {job.work_dir for job in jobs} == {
        as_decoded("/home/alice/a | folder\nwith \x1f, \udcff")
    }


def test_accounting_alters_names() -> None:
    """A quote is a backtick there; an emoji, and what is not UTF-8, is a question mark."""
    altered = [re.sub("[\ufffd🎉]", "?", as_decoded(name).replace('"', "`")) for name in NAMES]

    assert sorted(records("odd_texts")) == sorted(altered)


def test_variables_of_the_user_change_nothing() -> None:
    """The second look was made with variables that shrink and reshape tables."""
    one, two = recorded("variables_of_the_user").looks()

    assert one == two
    assert [job.state for job in one] == ["PENDING"]


def test_half_a_table_is_no_table() -> None:
    """Cut anywhere but at the end of a row, the queue is refused; so is accounting."""
    recording = recorded("exit_codes")
    table = next(one.out for one in recording.sections[1:] if one.is_a_look)
    answer = next(one.out for one in recording.sections if one.is_an_answer)
    for end in range(1, len(table)):
        if not table[:end].endswith("<RECORD>\n"):
            with pytest.raises(ParseError):
                queue.split_rows(table[:end], MARKS)
    for end in range(1, len(answer) - 1, 7):
        if answer[:end].count(NONCE) % len(recording.accounting_columns):
            with pytest.raises(ParseError):
                accounting.parse_accounting(
                    answer[:end], NONCE, "demo", recording.accounting_columns
                )
