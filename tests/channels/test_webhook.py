"""The webhook: a CloudEvent that any receiver can read and check."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook as Oracle
from standardwebhooks.webhooks import WebhookVerificationError

from notifyd.channels.failures import PermanentFailure
from notifyd.channels.registry import Tools
from notifyd.channels.webhook import Webhook, WebhookSettings, cloud_event, signed
from notifyd.clock import SystemClock
from tests.channels.parts import Sink, delivery_of, hostile_delivery, texts

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"another key of thirty-two bytes.").decode()


def _raw(key: str) -> bytes:
    return base64.b64decode(key.removeprefix("whsec_"))


def _webhook(tools: Tools, url: str, **options: Any) -> Webhook:
    return Webhook(WebhookSettings(url=url, **options), tools.transport, tools.clock)


async def test_the_event_is_posted(tools: Tools, sink: Sink) -> None:
    """The body is a structured CloudEvent; what is not known is absent."""
    await _webhook(tools, sink.url).send(delivery_of())
    (taken,) = sink.taken

    assert taken.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert taken.headers["webhook-id"] == "d" * 32
    assert taken.headers["webhook-timestamp"] == "1614265330"
    assert "webhook-signature" not in taken.headers
    assert json.loads(taken.body) == {
        "specversion": "1.0",
        "id": "event-1",
        "source": "/slurm/c1",
        "type": "job_failed",
        "subject": "4711",
        "time": "2026-11-21T12:00:00.250Z",
        "datacontenttype": "application/json",
        "data": {
            "job_id": "4711",
            "exit_code": 1,
            "severity": "error",
            "title": "Job 4711 (train) failed: exit code 1",
        },
    }


async def test_method_and_headers_are_the_users(tools: Tools, sink: Sink) -> None:
    """PUT and a token of one's own reach the service."""
    await _webhook(tools, sink.url, method="PUT", headers={"Authorization": "Bearer t"}).send(
        delivery_of()
    )

    assert (sink.taken[0].method, sink.taken[0].headers["Authorization"]) == ("PUT", "Bearer t")


def test_the_published_vector() -> None:
    """The signature is the one that the specification's library gives."""
    body = b'{"test": 2432232314}'
    headers = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, [_raw(KEY)])

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", [f"{OTHER} {KEY}", [OTHER, KEY]])
async def test_a_receiver_can_check_it(tools: Tools, sink: Sink, secret: object) -> None:
    """The library's own check passes with either key, and fails for a changed body."""
    settings = WebhookSettings.model_validate({"url": sink.url, "secret": secret})
    await Webhook(settings, tools.transport, SystemClock()).send(delivery_of())
    (taken,) = sink.taken
    headers = {name.lower(): value for name, value in taken.headers.items()}

    for key in (KEY, OTHER):
        assert Oracle(key).verify(taken.body.decode(), headers)["id"] == "event-1"
    with pytest.raises(WebhookVerificationError):
        Oracle(KEY).verify(taken.body.decode() + " ", headers)


async def test_a_retry_keeps_its_id(tools: Tools, sink: Sink) -> None:
    """A receiver that honours webhook-id takes a delivery once, however often it is sent."""
    for _ in range(2):
        await _webhook(tools, sink.url).send(delivery_of())

    assert sink.taken[0].headers["webhook-id"] == sink.taken[1].headers["webhook-id"]
    assert sink.taken[0].body == sink.taken[1].body


async def test_410_is_permanent(tools: Tools, sink: Sink) -> None:
    """An endpoint that is gone stays gone."""
    sink.status = 410
    with pytest.raises(PermanentFailure, match="410"):
        await _webhook(tools, sink.url).send(delivery_of())


@given(texts)
def test_any_text_gives_valid_json(text: str) -> None:
    """What is no Unicode is replaced, everything else arrives as it was."""
    event = json.loads(cloud_event(hostile_delivery(text)).decode("utf-8"))

    assert event["data"]["job_name"] == text.encode("utf-8", "replace").decode()


def test_what_json_cannot_say_is_left_out() -> None:
    """No NaN gets into the body, and an empty subject is absent, as the specification wants."""
    event = json.loads(cloud_event(delivery_of(data={"load": float("nan")}, subject="")))

    assert set(event["data"]) == {"severity", "title"}
    assert "subject" not in event


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "whsec_c2hvcnQ="},
        {"secret": "whsec_" + base64.b64encode(b"x" * 65).decode()},
        {"secret": "not base64!"},
        {"secret": " "},
        {"headers": {"Webhook-Id": "secret-value"}},
        {"headers": {"content-type": "secret-value"}},
        {"headers": {"X Y": "secret-value"}},
        {"headers": {"X-Y": "secret-value\r\nX-Evil: 1"}},
        {"url": "file:///secret-value"},
        {"url": "https://"},
        {"url": "https://host/a b"},
        {"url": "https://host:99999/"},
        {"method": "GET"},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    """What cannot work is found when the configuration is read, and not repeated in the error."""
    with pytest.raises(ValidationError) as error:
        WebhookSettings.model_validate({"url": "https://host/", **wrong})

    assert "secret-value" not in str(error.value)
    assert "c2hvcnQ" not in str(error.value)
