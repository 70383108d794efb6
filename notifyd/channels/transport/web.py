"""HTTP requests to web services."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager

import aiohttp

import notifyd
from notifyd.channels.blot import blot_out
from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure
from notifyd.channels.response import Response
from notifyd.channels.transport.causes import connection_failure
from notifyd.channels.transport.target import Target, target_of
from notifyd.settings import Secret

Headers = Mapping[str, str | Secret]

_MOST_READ = 262_144
"""Bytes of an answer: enough for a whole message that is given back, too few to fill the memory."""
_ADDRESSES = 256
"""How many addresses are kept as they were read; some have the id of a message in them."""
_CONNECTIONS_A_HOST = 128
"""More than one channel may use at the same time (100), so that no other has to wait for it."""
_KEPT_OPEN = 30.0
"""Seconds; most servers keep an idle one for longer, and so are not met while they hang up."""


class Web:
    """One session for all services, opened inside the loop at the first request."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        # The environment, which names the proxies, does not change while a process lives.
        self._target = functools.lru_cache(_ADDRESSES)(target_of)

    async def close(self) -> None:
        """Close what is open; the next request would open it anew."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def request(
        self,
        method: str,
        url: Secret,
        body: bytes,
        headers: Headers,
        within: float,
        besides: Iterable[Secret] = (),
    ) -> Response:
        """Send one request and return its answer, see `Transport.post`."""
        address = url.get_secret_value()
        target = self._target(address)
        try:
            async with self._asking(method, target, body, headers, within) as answer:
                start = await _start(answer.content)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _failure(error, target.host, within) from None
        blot = functools.partial(_blotted, address, (*headers.values(), *besides))
        return Response(status=answer.status, headers=answer.headers, body=start, blot=blot)

    def _asking(
        self, method: str, target: Target, body: bytes, headers: Headers, within: float
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self._opened().request(
            method,
            target.url,
            data=body,
            headers=_revealed(headers),
            allow_redirects=False,  # a 307 would carry the body, and its secrets, elsewhere
            proxy=target.proxy,
            timeout=aiohttp.ClientTimeout(total=within),
        )

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0, limit_per_host=_CONNECTIONS_A_HOST, keepalive_timeout=_KEPT_OPEN
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={
                    "User-Agent": f"notifyd/{notifyd.__version__}",
                    "Accept-Encoding": "identity",
                },
                auto_decompress=False,
            )
        return self._session


def _revealed(headers: Headers) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else value.get_secret_value()
        for name, value in headers.items()
    }


def _blotted(address: str, values: Iterable[str | Secret], text: str) -> str:
    secrets = [value.get_secret_value() for value in values if isinstance(value, Secret)]
    return blot_out(text, address, secrets)


async def _start(content: aiohttp.StreamReader) -> bytes:
    """Read the first bytes. A body that breaks off or lingers does not undo the answer."""
    start = b""
    with contextlib.suppress(aiohttp.ClientError, OSError):
        while len(start) < _MOST_READ and not content.at_eof():
            start += await content.read(_MOST_READ - len(start))
    return start


def _failure(error: Exception, host: str, within: float) -> TemporaryFailure | PermanentFailure:
    if isinstance(error, TimeoutError):
        return TemporaryFailure(f"{host} did not answer within {within:g} s")
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return TemporaryFailure(f"the proxy on the way to {host} answered {error.status}")
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return TemporaryFailure(f"the proxy on the way to {host} cannot be reached")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return connection_failure(error.certificate_error, host)
    if isinstance(error, ValueError):
        words = f"the request to {host} cannot be written: check url and headers"
        return PermanentFailure(words, fault=Fault.CHANNEL)
    return connection_failure(error, host)
