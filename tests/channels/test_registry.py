"""The contract of every channel: a new kind keeps it by being in the registry."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from pydantic import ValidationError

from notifyd.channels.base import Channel
from notifyd.channels.failures import PermanentFailure, TemporaryFailure
from notifyd.channels.registry import KINDS, Tools
from notifyd.channels.settings import ChannelSettings
from tests.channels.parts import HOSTILE, Sink, delivery_of, hostile_delivery

SECRET = "s3cr3tTok3n-0123456789"
KEY = "whsec_c2VjcmV0IGtleSB0aGF0IG5vYm9keSBtYXkgc2VlIQ=="
SAMPLES: dict[str, dict[str, Any]] = {
    "console": {},
    "desktop": {"bus": "unix:path=/nowhere/bus"},
    "discord": {"webhook_url": f"URL/{SECRET}"},
    "email": {
        "host": "localhost",
        "port": 1,
        "from": "jobs@example.org",
        "to": ["me@example.org"],
        "username": "alice",
        "password": SECRET,
    },
    "slack": {"webhook_url": f"URL/{SECRET}"},
    "webhook": {
        "url": f"URL/{SECRET}?key={SECRET}",
        "headers": {"Authorization": f"Bearer {SECRET}"},
        "secret": KEY,
    },
}
OVER_HTTP = [name for name, sample in SAMPLES.items() if "URL" in str(sample)]
TEMPORARY = [408, 425, 429, 500, 502, 503, 504]
PERMANENT = [301, 302, 307, 308, 400, 401, 403, 404, 405, 410, 413, 422]


def _settings(kind: str, base: str = "https://hooks.example.org") -> ChannelSettings:
    sample = {
        name: value.replace("URL", base) if isinstance(value, str) else value
        for name, value in SAMPLES[kind].items()
    }
    return KINDS[kind].settings.model_validate(sample)


def _channel(kind: str, tools: Tools, base: str = "https://hooks.example.org") -> Channel:
    return KINDS[kind].build(_settings(kind, base), tools)


def test_every_kind_has_a_sample() -> None:
    """A kind that joins the registry joins these tests."""
    assert set(SAMPLES) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_settings_survive_a_round_trip(kind: str) -> None:
    """What is read can be written and read again, and `type` names the kind."""
    settings = _settings(kind)
    again = KINDS[kind].settings.model_validate(settings.model_dump(by_alias=True))

    assert again == settings
    assert settings.model_dump()["type"] == kind == KINDS[kind].name


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_settings_are_refused(kind: str) -> None:
    """A misspelt key is an error, not a wish unheard."""
    values = _settings(kind).model_dump(by_alias=True)
    with pytest.raises(ValidationError, match="tiemout"):
        KINDS[kind].settings.model_validate(values | {"tiemout": 5})


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_refuses_the_settings_of_another(kind: str, tools: Tools) -> None:
    """A mix-up stops where it happens."""
    other = next(name for name in KINDS if name != kind)
    with pytest.raises(TypeError, match=kind):
        KINDS[kind].build(_settings(other), tools)


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_is_shown(kind: str, tools: Tools) -> None:
    """Neither the settings nor the channel show a secret, however they are printed."""
    settings = _settings(kind)
    channel = _channel(kind, tools)
    shown = f"{settings!r} {settings} {settings.model_dump_json()} {channel!r} {channel}"

    assert SECRET not in shown
    assert KEY not in shown


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("status", [200, 202, 204])
async def test_2xx_delivers(kind: str, status: int, tools: Tools, sink: Sink) -> None:
    """One delivery is one request."""
    sink.status = status
    await _channel(kind, tools, sink.url).send(delivery_of())

    assert len(sink.taken) == 1


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("status", TEMPORARY + PERMANENT)
async def test_each_status_is_the_right_failure(
    kind: str, status: int, tools: Tools, sink: Sink
) -> None:
    """The status decides, and an answer that repeats all it was asked tells no secret."""
    sink.status, sink.echoes = status, True
    failure = TemporaryFailure if status in TEMPORARY else PermanentFailure
    with pytest.raises(failure, match=str(status)) as raised:
        await _channel(kind, tools, sink.url).send(delivery_of())

    _tells_no_secret(raised.value)


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("status", [429, 503])
async def test_a_wanted_pause_comes_through(
    kind: str, status: int, tools: Tools, sink: Sink
) -> None:
    """The service says how long, and the channel hands it on."""
    sink.status, sink.headers = status, {"Retry-After": "2.5"}
    with pytest.raises(TemporaryFailure) as raised:
        await _channel(kind, tools, sink.url).send(delivery_of())

    assert raised.value.retry_after == 2.5


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"console"}))
async def test_nobody_there_is_temporary(kind: str, tools: Tools, unused_tcp_port: int) -> None:
    """What cannot be reached is tried again, and the reason tells no secret."""
    with pytest.raises(TemporaryFailure) as raised:
        await _channel(kind, tools, f"http://127.0.0.1:{unused_tcp_port}").send(delivery_of())

    _tells_no_secret(raised.value)


@pytest.mark.parametrize("kind", [*OVER_HTTP, "console"])
@pytest.mark.parametrize("text", HOSTILE)
async def test_any_text_can_be_sent(kind: str, text: str, tools: Tools, sink: Sink) -> None:
    """No name of a job keeps its message from arriving."""
    await _channel(kind, tools, sink.url).send(hostile_delivery(text))


def _tells_no_secret(failure: BaseException) -> None:
    told = f"{failure} {failure!r} {''.join(traceback.format_exception(failure))}"
    assert SECRET not in told
    assert KEY not in told
