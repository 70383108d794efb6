"""Where a request goes: straight, or by way of the environment's proxy."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifyd.channels.failures import TemporaryFailure
from notifyd.channels.transport import Transport
from notifyd.settings import Secret
from tests.channels.parts import Sink

SECRET = "s3cr3tTok3n"


async def _post(transport: Transport, url: str) -> None:
    await transport.post(Secret(url), b"{}", {}, 5.0)


async def test_the_proxy_of_the_environment_is_used(
    transport: Transport, sink: Sink, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """http_proxy and no_proxy are heeded, ~/.netrc is not: its passwords are not for services."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"default login alice password {SECRET}\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", sink.url)
    monkeypatch.setenv("no_proxy", "inside.invalid")
    await _post(transport, "http://outside.invalid/path")
    with pytest.raises(TemporaryFailure):
        await _post(transport, "http://inside.invalid/path")
    (taken,) = sink.taken

    assert taken.headers["Host"] == "outside.invalid"
    assert "Authorization" not in taken.headers


@pytest.mark.parametrize("proxy", ["127.0.0.1:1", "http://127.0.0.1:1"])
async def test_a_proxy_needs_no_scheme(
    transport: Transport, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for curl; one that cannot be reached may be there later."""
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(TemporaryFailure, match="proxy"):
        await _post(transport, "http://example.invalid/")


async def test_a_proxy_of_another_kind_is_explained(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Temporary, for the environment is mended and not the message; its password is not shown."""
    monkeypatch.setenv("all_proxy", "socks5://me:hunter2@127.0.0.1:1")
    with pytest.raises(TemporaryFailure, match="all_proxy is of a kind") as caught:
        await _post(transport, "http://example.invalid/")

    assert "hunter2" not in str(caught.value)
