"""HTTP requests: what is sent, what is read, and what is said when it fails."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from notifyd.channels.failures import PermanentFailure, TemporaryFailure
from notifyd.channels.transport import Transport
from notifyd.settings import Secret
from tests.channels.parts import Sink, running_sink

SECRET = "s3cr3tTok3n"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve raw bytes on a free port, and yield the port."""

    async def close_after(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(close_after, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _post(transport: Transport, url: str, within: float = 5.0) -> None:
    await transport.post(Secret(url), b"{}", {}, within)


async def test_a_request_arrives_as_given(transport: Transport, sink: Sink) -> None:
    """Method, path, headers and body reach the service; the answer comes back."""
    sink.status, sink.headers, sink.text = 207, {"X-Hint": "yes"}, "taken"
    response = await transport.post(
        Secret(f"{sink.url}/a/b?c=d"), b"body", {"X-Key": Secret("k")}, 5.0, method="PUT"
    )
    (taken,) = sink.taken

    assert (taken.method, taken.path, taken.body) == ("PUT", "/a/b?c=d", b"body")
    assert taken.headers["X-Key"] == "k"
    assert taken.headers["User-Agent"].startswith("notifyd/")
    assert (response.status, response.headers["x-hint"], response.text) == (207, "yes", "taken")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(transport: Transport, sink: Sink, status: int) -> None:
    """The service that a redirect points to hears nothing."""
    async with running_sink() as elsewhere:
        sink.status, sink.headers = status, {"Location": elsewhere.url}
        response = await transport.post(Secret(sink.url), b"secret", {}, 5.0)

        assert response.status == status
        assert elsewhere.taken == []


async def test_no_cookie_is_kept(transport: Transport, sink: Sink) -> None:
    """One delivery leaves nothing behind for the next."""
    sink.headers = {"Set-Cookie": "a=b"}
    # By name: a jar takes no cookies from an address, and would pass.
    url = sink.url.replace("127.0.0.1", "localhost")
    await _post(transport, url)
    await _post(transport, url)

    assert "Cookie" not in sink.taken[1].headers


async def test_only_the_start_is_read_and_blotted(transport: Transport, sink: Sink) -> None:
    """An answer may be endless, and may repeat the address: neither gets in."""
    sink.text = f"/hooks/{SECRET} is gone. " + "z" * 1_000_000
    response = await transport.post(Secret(f"{sink.url}/hooks/{SECRET}"), b"", {}, 5.0)

    assert len(response.text) == 262_144
    assert response.text.endswith("z")
    assert SECRET not in response.text


async def test_a_lingering_body_does_not_undo_an_answer(transport: Transport) -> None:
    """Once the service has said 200, the delivery is not sent again."""
    stopped = asyncio.Event()

    async def linger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
        await writer.drain()
        await stopped.wait()

    async with listening(linger) as port:
        url = Secret(f"http://127.0.0.1:{port}/")
        response = await transport.post(url, b"", {}, 0.3)
        stopped.set()

    assert (response.status, response.text) == (200, "ok")


async def test_a_silent_service_is_left_in_time(transport: Transport) -> None:
    """No answer within the time is temporary, and the words say who and how long."""
    stopped = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stopped.wait()

    async with listening(say_nothing) as port:
        with pytest.raises(TemporaryFailure, match=r"127\.0\.0\.1 did not answer within 0\.1 s"):
            await _post(transport, f"http://127.0.0.1:{port}/{SECRET}", within=0.1)
        stopped.set()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200", b"\x00\xff nonsense\r\n\r\n"])
async def test_broken_answers_are_temporary(transport: Transport, said: bytes) -> None:
    """A connection that breaks off, or is no HTTP at all, may be better next time."""

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)

    async with listening(babble) as port:
        with pytest.raises(TemporaryFailure) as failure:
            await _post(transport, f"http://u:{SECRET}@127.0.0.1:{port}/{SECRET}?k={SECRET}")

    _says_nothing_secret(failure.value)


async def test_an_unknown_host_is_temporary(transport: Transport) -> None:
    """DNS may be down for a while; the words name the host alone."""
    with pytest.raises(TemporaryFailure, match=r"nowhere\.invalid") as failure:
        await _post(transport, f"https://nowhere.invalid/{SECRET}")

    _says_nothing_secret(failure.value)


async def test_a_closed_port_is_temporary(transport: Transport, unused_tcp_port: int) -> None:
    """A service that is down is worth another try."""
    with pytest.raises(TemporaryFailure, match="refuses the connection") as failure:
        await _post(transport, f"http://127.0.0.1:{unused_tcp_port}/{SECRET}")

    _says_nothing_secret(failure.value)


@pytest.mark.parametrize(
    "url", ["", "nonsense", "ftp://h/s3cr3tTok3n", "http://", "http://h:99999/s3cr3tTok3n", "//h"]
)
async def test_a_bad_address_is_permanent(transport: Transport, url: str) -> None:
    """What is no web address can never be reached, and is not repeated in the reason."""
    with pytest.raises(PermanentFailure) as failure:
        await _post(transport, url)

    _says_nothing_secret(failure.value)


async def test_a_header_cannot_be_split(transport: Transport, sink: Sink) -> None:
    """A line end in a header stops the request before anything is sent."""
    with pytest.raises(PermanentFailure):
        await transport.post(Secret(sink.url), b"", {"X-Name": "a\r\nX-Evil: b"}, 5.0)

    assert sink.taken == []


async def test_a_refused_certificate_is_temporary(
    transport: Transport, self_signed: ssl.SSLContext
) -> None:
    """Certificates are checked; a bad one is renewed over there, so we try again."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with listening(say_nothing, self_signed) as port:
        with pytest.raises(TemporaryFailure, match=r"certificate of 127\.0\.0\.1.*self.signed"):
            await _post(transport, f"https://127.0.0.1:{port}/{SECRET}")


async def test_a_connection_is_used_again(transport: Transport) -> None:
    """Message after message goes over the one that is open, however long the answers are."""
    connections = 0

    async def answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + b"x" * 60000)

    async with listening(answer_all) as port:
        for _ in range(3):
            await transport.post(Secret(f"http://127.0.0.1:{port}/"), b"", {}, 5.0)

    assert connections == 1


async def test_a_stuck_service_holds_up_no_other(transport: Transport, sink: Sink) -> None:
    """A channel's hundred requests may all hang: another service is reached all the same."""
    stopped, all_hang = asyncio.Event(), asyncio.Barrier(101)

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await all_hang.wait()
        await stopped.wait()

    async with listening(hang) as port, asyncio.TaskGroup() as group:
        url = f"http://127.0.0.1:{port}/"
        stuck = [group.create_task(_fails(transport, url)) for _ in range(100)]
        await all_hang.wait()
        await _post(transport, sink.url)
        stopped.set()

    assert len(sink.taken) == 1
    assert all(task.done() for task in stuck)


async def _fails(transport: Transport, url: str) -> None:
    with pytest.raises(TemporaryFailure):
        await _post(transport, url, within=60.0)


async def test_what_the_body_holds_secret_is_blotted_too(transport: Transport, sink: Sink) -> None:
    """What is secret besides address and headers is named, and not shown either."""
    sink.text = f"no topic {SECRET}"
    response = await transport.post(Secret(sink.url), b"", {}, 5.0, besides=(Secret(SECRET),))

    assert response.text == "no topic " + "*" * len(SECRET)


async def test_closing_twice_or_unused_is_harmless() -> None:
    """A daemon that never sent anything stops like any other."""
    transport = Transport()
    async with transport:
        pass
    async with transport, running_sink() as sink:
        await _post(transport, sink.url)

    assert len(sink.taken) == 1


def _says_nothing_secret(failure: BaseException) -> None:
    assert SECRET not in str(failure) + repr(failure)
    assert SECRET not in "".join(traceback.format_exception(failure))
