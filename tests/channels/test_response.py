"""Which answers are taken, which are worth another try, and which are not."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from notifyd.channels.failures import PermanentFailure, TemporaryFailure
from notifyd.channels.response import DEFAULT_PAUSE, Response, accept


def _response(status: int, text: str = "", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers=CIMultiDict(named), text=text)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_2xx_is_taken(status: int) -> None:
    """Every 2xx is a success."""
    accept(_response(status), 0.0)


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 599])
def test_temporary_without_a_pause(status: int) -> None:
    """The service's own trouble is temporary, and without a hint our own schedule decides."""
    with pytest.raises(TemporaryFailure, match=str(status)) as failure:
        accept(_response(status), 0.0)

    assert failure.value.retry_after is None


@pytest.mark.parametrize("status", [429, 503])
def test_a_wanted_pause_is_handed_on(status: int) -> None:
    """What 429 and 503 ask for is kept for the channel."""
    with pytest.raises(TemporaryFailure) as failure:
        accept(_response(status, Retry_After="7"), 0.0)

    assert failure.value.retry_after == 7.0


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


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
def test_other_4xx_are_permanent(status: int) -> None:
    """The reason has the status and the start of what the service said, on one harmless line."""
    with pytest.raises(PermanentFailure) as failure:
        accept(_response(status, "invalid\x1b[31m\nblocks" + "z" * 500), 0.0)

    assert failure.value.reason.startswith(f"the service answered {status}: invalid␛[31m blocks")
    assert len(failure.value.reason) < 260
