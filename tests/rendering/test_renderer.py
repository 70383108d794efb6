"""Messages say what happened, in plain text, whatever a job is called."""

from __future__ import annotations

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.events.catalogue import CATALOGUE
from notifyd.rendering.renderer import Renderer, check_template
from notifyd.slurm.story import to_event
from notifyd.slurm.tracker.look import Transition
from notifyd.units import duration, one_line, shortened
from tests.fakes import a_job, an_event

TOLD = [name for name, kind in CATALOGUE.items() if kind.told]


def title(state: str, kind: str, **changes: object) -> str:
    job = a_job("4711", state, **changes)
    return Renderer().render(to_event(Transition(type=kind, job=job, at=0.0))).title


@pytest.mark.parametrize("kind", TOLD)
def test_every_event_has_a_title_with_next_to_no_data(kind: str) -> None:
    """What Slurm does not know must not keep a message from being told."""
    data = {"job_id": "1", "text": "hello", "channel": "team"}
    message = Renderer().render(an_event(kind, data=data))

    assert message.title
    assert "None" not in message.title + message.body


def test_titles_say_what_happened() -> None:
    """Job, name, outcome and reason fit on one line."""
    assert title("COMPLETED", "job_completed") == "Job 4711 (train) completed in 1 min"
    assert title("FAILED", "job_failed", exit_code=3) == "Job 4711 (train) failed: exit code 3"
    assert title("FAILED", "job_failed", signal=9).endswith("failed: killed by signal 9")
    assert title("DEADLINE", "job_failed").endswith("failed: its deadline has passed")
    assert title("TIMEOUT", "job_timed_out", time_limit_seconds=3600) == (
        "Job 4711 (train) hit its time limit of 1 h"
    )
    assert title("CANCELLED", "job_cancelled", start_time=None) == (
        "Job 4711 (train) was cancelled before it started"
    )
    assert title("PENDING", "job_stuck", reason="BadConstraints") == (
        "Job 4711 (train) will not start: BadConstraints"
    )
    assert title("RUNNING", "job_started") == "Job 4711 (train) started on n1"


@given(st.text())
def test_a_name_is_never_a_template(name: str) -> None:
    """`{{7*7}}` stays `{{7*7}}`, and a title is one line."""
    message = Renderer().render(an_event(data={"job_id": "1", "job_name": name + "{{7*7}}"}))

    assert "49" not in message.title or "49" in name
    assert "\n" not in message.title


def test_a_template_of_the_user_takes_the_place_of_the_default() -> None:
    """Its first line is the title, the rest the body."""
    renderer = Renderer({"job_completed": "✅ {{ job_name }} in {{ elapsed }}\nOn {{ cluster }}\n"})
    message = renderer.render(
        an_event(data={"job_id": "1", "job_name": "train", "elapsed_seconds": 61, "cluster": "c"})
    )

    assert (message.title, message.body) == ("✅ train in 1 min 1 s", "On c")


def test_a_template_that_fails_gives_way_to_the_default() -> None:
    """A message with a plain text beats no message."""
    message = Renderer({"job_completed": "{{ job_name.x.y }}"}).render(an_event())

    assert message.title == "Job 1 (train) completed"


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ job_name.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ '{0.__class__}'.format(job_name) }}",
        "{% include '/etc/passwd' %}",
    ],
)
def test_a_template_cannot_leave_its_sandbox(template: str) -> None:
    """What reaches for the interpreter is refused, and the default is told."""
    message = Renderer({"job_completed": template}).render(an_event())

    assert message.title == "Job 1 (train) completed"


def test_a_bad_template_is_explained_before_it_is_used() -> None:
    """A syntax error names its line, a misspelt name is named."""
    assert "line 2" in (check_template("job_failed", "x\n{{ job_id") or "")
    assert "job_nam" in (check_template("job_failed", "{{ job_nam }}") or "")
    for good in (
        "{{ job_name[:10] }} {{ elapsed }}",
        "{{ elapsed_seconds // 60 }} min",
        "{% if exit_code > 1 %}bad{% endif %} {{ cpus + 1 }}",
    ):
        assert check_template("job_failed", good) is None
    with pytest.raises(jinja2.TemplateSyntaxError):
        Renderer({"job_failed": "{{"})


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (45, "45 s"),
        (60, "1 min"),
        (725, "12 min 5 s"),
        (12000, "3 h 20 min"),
        (187_200, "2 d 4 h"),
        (90_001, "1 d 1 h"),
        (3601, "1 h"),
    ],
)
def test_durations_are_written_in_two_units(seconds: int, text: str) -> None:
    """As people say them."""
    assert duration(seconds) == text


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    """No control character, no line break, and never longer than asked for."""
    assert one_line(text).isprintable()
    assert len(shortened(text, 20)) <= 20
