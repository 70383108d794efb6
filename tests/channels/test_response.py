"""Which answers are taken, which are worth another try, and which are not."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from notifyd.channels.base import Receipt
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.response import DEFAULT_PAUSE, Response, accept, expect


def _response(status: int, text: str = "", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers=CIMultiDict(named), body=text.encode())


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_2xx_is_taken(status: int) -> None:
    """Every 2xx is a success, and the receipt says which."""
    assert accept(_response(status), 0.0).status == status


@pytest.mark.parametrize("status", [407, 408, 421, 423, 425, 500, 502, 503, 504, 599])
def test_temporary_without_a_pause(status: int) -> None:
    """The service's own trouble is temporary, and without a hint our own schedule decides."""
    with pytest.raises(TemporaryFailure, match=str(status)) as failure:
        accept(_response(status), 0.0)

    assert failure.value.retry_after is None


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_wanted_pause_is_handed_on(status: int) -> None:
    """Whatever is the trouble; but only with 429 does the service work."""
    with pytest.raises(TemporaryFailure) as failure:
        accept(_response(status, Retry_After="7"), 0.0)

    assert (failure.value.retry_after, failure.value.busy) == (7.0, status == 429)


def test_429_without_a_hint_pauses_all_the_same() -> None:
    """Too many is too many: the channel rests a little even if not told how long."""
    with pytest.raises(TemporaryFailure) as failure:
        accept(_response(429), 0.0)

    assert failure.value.retry_after == DEFAULT_PAUSE


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    """A redirect is refused in words that say what to do."""
    with pytest.raises(PermanentFailure, match="redirects are not followed"):
        accept(_response(status, Location="http://inside"), 0.0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 422])
def test_other_4xx_are_permanent(status: int) -> None:
    """The reason has the status and the start of what the service said, on one harmless line."""
    with pytest.raises(PermanentFailure) as failure:
        accept(_response(status, "invalid\x1b[31m\nblocks" + "z" * 500), 0.0)

    assert failure.value.reason.startswith(f"the service answered {status}: invalid␛[31m blocks")
    assert len(failure.value.reason) < 260


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (301, Fault.CHANNEL),
        (400, Fault.FORM),
        (401, Fault.CHANNEL),
        (402, Fault.CHANNEL),
        (403, Fault.CHANNEL),
        (404, Fault.CHANNEL),
        (405, Fault.CHANNEL),
        (406, Fault.CHANNEL),
        (409, Fault.MESSAGE),
        (410, Fault.CHANNEL),
        (411, Fault.CHANNEL),
        (413, Fault.FORM),
        (415, Fault.CHANNEL),
        (422, Fault.FORM),
        (426, Fault.CHANNEL),
        (451, Fault.CHANNEL),
    ],
)
def test_the_status_tells_whose_fault_it_is(status: int, fault: Fault) -> None:
    """Message, form or channel: it decides what is done next."""
    with pytest.raises(PermanentFailure) as failure:
        accept(_response(status), 0.0, rich=True)

    assert (failure.value.fault, failure.value.status) == (fault, status)


def test_there_is_no_form_below_the_plainest() -> None:
    """What was written as plainly as can be is refused for what it says."""
    with pytest.raises(PermanentFailure) as failure:
        accept(_response(400), 0.0)

    assert failure.value.fault is Fault.MESSAGE


@pytest.mark.parametrize(("status", "alone"), [(429, True), (503, False)])
def test_one_of_several_addresses_rests_alone(status: int, alone: bool) -> None:
    """A pause that one address has earned is not for the others; trouble of the service is."""
    with pytest.raises(TemporaryFailure, match=r"^chat 5: the service answered") as failure:
        accept(_response(status, Retry_After="7"), 0.0, target="chat 5")

    assert failure.value.only_target is alone


def test_what_is_not_proven_is_not_taken() -> None:
    """The words say what to look at; another try may meet the service itself."""
    expect(True, _response(200), "Slack")
    with pytest.raises(TemporaryFailure, match="answered 200, but not as Slack does") as failure:
        expect(False, _response(200), "Slack")

    assert (failure.value.status, failure.value.retry_after) == (200, None)


def test_an_id_can_be_stored() -> None:
    """Half an emoji, which JSON can hold, is what no file and no database takes."""
    assert Receipt(ref="a\ud800").ref == "a?"


@pytest.mark.parametrize(
    "text", ["", "[1]", "[" * 2000, '{"a": ', '{"a": {"b": null}}', '{"a": 1}']
)
def test_an_answer_without_the_value_is_no_error(text: str) -> None:
    """Whatever a service sends, a value that is not there is None."""
    assert _response(200, text).found("a", "b") is None


def test_a_value_is_found_without_the_secrets_around() -> None:
    """Each text is blotted by itself, so that a blot cannot break the JSON around it."""
    body = b'{"true": true, "result": {"id": 7, "said": "true token"}}'
    response = Response(
        status=200, headers=CIMultiDict(), body=body, blot=lambda text: text.replace("true", "****")
    )

    assert response.found("result", "id") == 7
    assert response.found("result", "said") == "**** token"
    assert response.found("true") is True
    assert "true" not in response.text


def test_an_answer_keeps_its_body_to_itself() -> None:
    """What a service said is not shown before it is blotted."""
    assert "s3cr3t" not in repr(_response(200, "s3cr3t"))
