"""The contract of every channel: a new kind keeps it by being in the registry."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from pydantic import ValidationError

from notifyd.channels.base import Channel, Editable
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.registry import KINDS, Tools
from notifyd.channels.settings import ChannelSettings
from tests.channels.parts import HOSTILE, Sink, delivery_of, hostile_delivery

SECRET = "s3cr3tTok3n-0123456789"
KEY = "whsec_c2VjcmV0IGtleSB0aGF0IG5vYm9keSBtYXkgc2VlIQ=="
TOKEN = f"1234567:{SECRET}"
SAMPLES: dict[str, dict[str, Any]] = {
    "console": {"type": "console"},
    "desktop": {"type": "desktop", "bus": "unix:path=/nowhere/bus"},
    "discord": {"type": "discord", "webhook_url": f"URL/{SECRET}"},
    "email": {
        "type": "email",
        "host": "localhost",
        "port": 1,
        "from": "jobs@example.org",
        "to": ["me@example.org"],
        "username": "alice",
        "password": SECRET,
    },
    "matrix": {
        "type": "matrix",
        "homeserver": "URL",
        "room_id": "!room:example.org",
        "access_token": SECRET,
    },
    "ntfy": {"type": "ntfy", "server": "URL", "topic": SECRET, "token": f"tk_{SECRET}"},
    "slack": {"type": "slack", "webhook_url": f"URL/{SECRET}"},
    "slack bot": {
        "type": "slack",
        "api_url": "URL/api",
        "token": f"xoxb-{SECRET}",
        "channel": "#hpc",
    },
    "telegram": {"type": "telegram", "api_url": "URL", "token": TOKEN, "chat_id": 5},
    "webhook": {
        "type": "webhook",
        "url": f"URL/{SECRET}?key={SECRET}",
        "headers": {"Authorization": f"Bearer {SECRET}"},
        "secret": KEY,
    },
}
OVER_HTTP = [name for name, sample in SAMPLES.items() if "URL" in str(sample)]
EDITABLE = {"desktop", "discord", "matrix", "ntfy", "slack bot", "telegram"}
"""Those that can change a message."""
ELSEWHERE: dict[str, dict[str, Any]] = {
    "matrix": {"room_id": "!other:example.org"},
    "slack bot": {"channel": "#other"},
}
"""Where else a channel can write to that would find its old messages all the same."""
WITHOUT_MARKUP = {"ntfy", "webhook"}
TEMPORARY = [407, 408, 421, 423, 425, 429, 500, 502, 503, 504]
CLOSED = [301, 307, 401, 402, 403, 404, 405, 406, 410, 411, 415, 426, 451]
PERMANENT = [*CLOSED, 302, 308, 400, 409, 413, 422]


def _settings(
    sample: str, base: str = "https://hooks.example.org", **changes: Any
) -> ChannelSettings:
    values = {
        name: value.replace("URL", base) if isinstance(value, str) else value
        for name, value in SAMPLES[sample].items()
    }
    return KINDS[values["type"]].settings.model_validate(values | changes)


def _channel(
    sample: str, tools: Tools, base: str = "https://hooks.example.org", **changes: Any
) -> Channel:
    settings = _settings(sample, base, **changes)
    return KINDS[settings.type].build(settings, tools)


def test_every_kind_has_a_sample() -> None:
    """A kind that joins the registry joins these tests."""
    assert {sample["type"] for sample in SAMPLES.values()} == set(KINDS)


@pytest.mark.parametrize("kind", SAMPLES)
def test_settings_survive_a_round_trip(kind: str) -> None:
    """What is read can be written and read again, and `type` names the kind."""
    settings = _settings(kind)
    again = type(settings).model_validate(settings.model_dump(by_alias=True))

    assert again == settings
    assert KINDS[settings.type].name == settings.type


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


@pytest.mark.parametrize("kind", SAMPLES)
def test_no_secret_is_shown(kind: str, tools: Tools) -> None:
    """Neither the settings nor the channel show a secret, however they are printed."""
    settings = _settings(kind)
    channel = _channel(kind, tools)
    shown = f"{settings!r} {settings} {settings.model_dump_json()} {channel!r} {channel}"

    assert SECRET not in shown
    assert KEY not in shown


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("status", [200, 201, 202])
async def test_2xx_delivers(kind: str, status: int, tools: Tools, sink: Sink) -> None:
    """One delivery is one request, and its receipt has the service's code."""
    sink.status = status
    receipt = await _channel(kind, tools, sink.url).send(delivery_of())

    assert len(sink.taken) == 1
    assert receipt.status == status


@pytest.mark.parametrize("kind", sorted(set(OVER_HTTP) - {"webhook", "slack"}))
@pytest.mark.parametrize(
    "said", ["", "<html>please log in</html>", "[]", '{"status": "welcome"}', '{"ok": "\\ud800"}']
)
async def test_2xx_alone_proves_nothing(kind: str, said: str, tools: Tools, sink: Sink) -> None:
    """Only in the service's own words is it taken: a portal in between says 200 as well."""
    sink.text = said
    with pytest.raises(TemporaryFailure, match=r"answered 200, but not as .* does: .* portal"):
        await _channel(kind, tools, sink.url).send(delivery_of())


@pytest.mark.parametrize("kind", sorted(EDITABLE & set(OVER_HTTP)))
async def test_2xx_alone_proves_no_change_either(kind: str, tools: Tools, sink: Sink) -> None:
    """What was to be changed was perhaps not."""
    channel = _channel(kind, tools, sink.url)
    assert isinstance(channel, Editable)
    ref = (await channel.send(delivery_of())).ref
    sink.text = "<html>please log in</html>"
    with pytest.raises(TemporaryFailure, match="portal"):
        await channel.edit(delivery_of(), str(ref))


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

    assert isinstance(raised.value, TemporaryFailure | PermanentFailure)
    assert raised.value.status == status
    _tells_no_secret(raised.value)


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("plain", [False, True])
async def test_a_plainer_form_is_asked_for_while_there_is_one(
    kind: str, plain: bool, tools: Tools, sink: Sink
) -> None:
    """400 is about the form once; what is plain already is refused for what it says."""
    sink.status = 400
    with pytest.raises(PermanentFailure) as raised:
        await _channel(kind, tools, sink.url).send(delivery_of(plain=plain))

    plainest = plain or kind in WITHOUT_MARKUP
    assert raised.value.fault is (Fault.MESSAGE if plainest else Fault.FORM)


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("status", CLOSED)
async def test_a_closed_door_is_a_fault_of_the_channel(
    kind: str, status: int, tools: Tools, sink: Sink
) -> None:
    """Nothing passes until somebody changes something, whatever the message says."""
    sink.status = status
    with pytest.raises(PermanentFailure) as raised:
        await _channel(kind, tools, sink.url).send(delivery_of())

    assert raised.value.fault is Fault.CHANNEL


@pytest.mark.parametrize("kind", SAMPLES)
def test_who_can_change_a_message(kind: str, tools: Tools) -> None:
    """Only those whose service can are Editable."""
    assert isinstance(_channel(kind, tools), Editable) is (kind in EDITABLE)


@pytest.mark.parametrize("kind", SAMPLES)
def test_cards_are_kept_where_a_message_can_be_changed(kind: str, tools: Tools) -> None:
    """The settings know it without a channel, and a user can refuse it."""
    settings = _settings(kind)

    assert settings.keeps_cards is isinstance(_channel(kind, tools), Editable)
    assert not settings.model_copy(update={"cards": False}).keeps_cards


@pytest.mark.parametrize("kind", sorted(EDITABLE & set(OVER_HTTP)))
async def test_an_edited_message_keeps_its_id(kind: str, tools: Tools, sink: Sink) -> None:
    """What was changed can be changed again."""
    channel = _channel(kind, tools, sink.url)
    assert isinstance(channel, Editable)
    ref = (await channel.send(delivery_of())).ref
    assert ref is not None
    receipt = await channel.edit(delivery_of(), ref)

    assert (receipt.ref, receipt.status) == (ref, 200)


@pytest.mark.parametrize("kind", ELSEWHERE)
async def test_a_message_elsewhere_is_not_changed(kind: str, tools: Tools, sink: Sink) -> None:
    """Where the channel wrote to before, nobody looks any more: it is told anew."""
    ref = (await _channel(kind, tools, sink.url).send(delivery_of())).ref
    moved = _channel(kind, tools, sink.url, **ELSEWHERE[kind])
    assert isinstance(moved, Editable)
    with pytest.raises(PermanentFailure, match="not where this channel writes") as raised:
        await moved.edit(delivery_of(), str(ref))

    assert raised.value.fault is Fault.MESSAGE
    assert len(sink.taken) == 1


@pytest.mark.parametrize("kind", sorted(EDITABLE))
@pytest.mark.parametrize(
    "ref", ["", "../../evil?", "9" * 300, "17\n", "<a@b>", "C1:1.2/3", "/../2@12345678"]
)
async def test_the_id_of_another_service_is_refused(
    kind: str, ref: str, tools: Tools, sink: Sink
) -> None:
    """A channel that became of another kind sends a new message, and asks for no strange one."""
    channel = _channel(kind, tools, sink.url)
    assert isinstance(channel, Editable)
    with pytest.raises(PermanentFailure) as raised:
        await channel.edit(delivery_of(), ref)

    assert raised.value.fault is Fault.MESSAGE
    assert sink.taken == []


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_wanted_pause_comes_through(
    kind: str, status: int, tools: Tools, sink: Sink
) -> None:
    """The service says how long; only "too many" means that it works all the same."""
    sink.status, sink.headers = status, {"Retry-After": "2.5"}
    with pytest.raises(TemporaryFailure) as raised:
        await _channel(kind, tools, sink.url).send(delivery_of())

    assert (raised.value.retry_after, raised.value.busy) == (2.5, status == 429)


@pytest.mark.parametrize("kind", sorted(set(SAMPLES) - {"console"}))
async def test_nobody_there_is_temporary(kind: str, tools: Tools, unused_tcp_port: int) -> None:
    """What cannot be reached is tried again, and the reason tells no secret."""
    with pytest.raises(TemporaryFailure) as raised:
        await _channel(kind, tools, f"http://127.0.0.1:{unused_tcp_port}").send(delivery_of())

    _tells_no_secret(raised.value)


@pytest.mark.parametrize("kind", [*OVER_HTTP, "console"])
@pytest.mark.parametrize("text", HOSTILE)
async def test_any_text_can_be_sent(kind: str, text: str, tools: Tools, sink: Sink) -> None:
    """No name of a job keeps its message from arriving, in either form."""
    for plain in (False, True):
        await _channel(kind, tools, sink.url).send(hostile_delivery(text, plain))


def _tells_no_secret(failure: BaseException) -> None:
    told = f"{failure} {failure!r} {''.join(traceback.format_exception(failure))}"
    assert SECRET not in told
    assert KEY not in told
