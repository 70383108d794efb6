"""ntfy: within its limits, as loud as it matters, and updated in place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from notifyd.channels.failures import PermanentFailure, TemporaryFailure
from notifyd.channels.ntfy import Ntfy, NtfySettings, payload
from notifyd.channels.registry import Tools
from notifyd.channels.text import octets
from notifyd.model import Severity
from tests.channels.parts import Sink, delivery_of, texts

TOPIC = "jobs-7f3a91"


def _ntfy(tools: Tools, sink: Sink, **changes: Any) -> Ntfy:
    settings = NtfySettings.model_validate({"server": f"{sink.url}/", "topic": TOPIC} | changes)
    return Ntfy(settings, tools.transport, tools.clock)


async def test_a_message_as_ntfy_wants_it(tools: Tools, sink: Sink) -> None:
    """Everything is in the body, the topic too, so that no log of a server has it."""
    receipt = await _ntfy(tools, sink, token="tk_hunter2").send(delivery_of())
    (taken,) = sink.taken

    assert (taken.method, taken.path) == ("POST", "/")
    assert taken.headers["Authorization"] == "Bearer tk_hunter2"
    assert sink.said() == {
        "topic": TOPIC,
        "sequence_id": "d" * 32,
        "title": "Job 4711 (train) failed: exit code 1",
        "message": "It ran for 3 h 20 min.\n\nJob: 4711\nState: FAILED",
        "priority": 4,
        "tags": ["x"],
    }
    assert (receipt.ref, receipt.status) == ("d" * 32, 200)


async def test_without_a_token_nobody_logs_in(tools: Tools, sink: Sink) -> None:
    """A public topic needs none."""
    await _ntfy(tools, sink).send(delivery_of())

    assert "Authorization" not in sink.taken[0].headers


async def test_a_message_is_replaced_silently(tools: Tools, sink: Sink) -> None:
    """The same id as before, and no sound for an error that was told already."""
    sink.text = f'{{"id": "x", "sequence_id": "{"e" * 32}"}}'
    receipt = await _ntfy(tools, sink).edit(delivery_of(), "e" * 32)

    assert (sink.said()["sequence_id"], sink.said()["priority"]) == ("e" * 32, 2)
    assert receipt.ref == "e" * 32


async def test_an_old_server_is_not_asked_to_replace_anything(tools: Tools, sink: Sink) -> None:
    """One that does not repeat our id would show the change besides: it gets no card."""
    sink.text = '{"id": "xE73Iyuabi", "event": "message"}'

    assert (await _ntfy(tools, sink).send(delivery_of())).ref is None


async def test_a_topic_that_is_a_part_of_the_id_changes_nothing(tools: Tools, sink: Sink) -> None:
    """What is blotted out of the answer is blotted out of what it is compared with."""
    assert (await _ntfy(tools, sink, topic="ddd").send(delivery_of())).ref == "d" * 32


def test_the_worse_the_louder() -> None:
    """Priorities rise with the severity, within what ntfy has."""
    priorities = [payload(delivery_of(severity=one))["priority"] for one in Severity]

    assert priorities == sorted(priorities)
    assert set(priorities) <= {1, 2, 3, 4, 5}


def test_a_message_without_details_still_says_something() -> None:
    """An empty one would be shown as `triggered`."""
    assert payload(delivery_of(body="", facts=()))["message"] == "/slurm/c1"


@given(texts, st.integers(0, 40))
def test_the_limit_is_kept(text: str, facts: int) -> None:
    """4096 bytes: what is longer would arrive as a file."""
    said = payload(delivery_of(text, text * 90, ((text, text * 9),) * facts))

    assert 1 <= octets(said["message"]) <= 4096
    assert octets(said["title"]) <= 250


async def test_a_used_up_day_is_a_long_pause(tools: Tools, sink: Sink) -> None:
    """The daily quota does not come back in seconds."""
    sink.status, sink.text = 429, '{"code": 42908, "http": 429, "error": "limit reached: daily"}'
    with pytest.raises(TemporaryFailure, match="daily") as failure:
        await _ntfy(tools, sink).send(delivery_of())

    assert (failure.value.retry_after, failure.value.busy) == (3600.0, True)


async def test_the_topic_is_not_shown(tools: Tools, sink: Sink) -> None:
    """Whoever knows it can read it."""
    sink.status, sink.text = 403, f'{{"error": "no access to {TOPIC}"}}'
    with pytest.raises(PermanentFailure, match="no access to") as failure:
        await _ntfy(tools, sink).send(delivery_of())

    assert TOPIC not in failure.value.reason


@pytest.mark.parametrize(
    "wrong", [{"topic": "https://ntfy.sh/hunter2"}, {"topic": ""}, {"server": "ntfy.sh"}]
)
def test_wrong_settings_are_refused(wrong: dict[str, str]) -> None:
    """A topic is a name, not an address; the error does not repeat it."""
    with pytest.raises(ValidationError) as error:
        NtfySettings.model_validate({"topic": TOPIC} | wrong)

    assert "hunter2" not in str(error.value)
