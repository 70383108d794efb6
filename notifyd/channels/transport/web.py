"""HTTP requests to web services."""

from __future__ import annotations

import contextlib
import urllib.request
from collections.abc import Mapping

import aiohttp
import yarl

import notifyd
from notifyd.channels.blot import blot_out
from notifyd.channels.failures import PermanentFailure, TemporaryFailure
from notifyd.channels.response import Response
from notifyd.channels.transport.causes import connection_failure
from notifyd.settings import Secret

_MOST_READ = 2048
"""Bytes of an answer: enough for its reason, too few to fill the memory."""


class Web:
    """One session for all services, opened inside the loop at the first request."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

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
        headers: Mapping[str, str | Secret],
        within: float,
    ) -> Response:
        """Send one request and return its answer, see `Transport.post`."""
        target = _target(url.get_secret_value())
        try:
            async with self._opened().request(
                method,
                target,
                data=body,
                headers={name: _revealed(value) for name, value in headers.items()},
                allow_redirects=False,  # a 307 would carry the body, and its secrets, elsewhere
                proxy=_proxy(target),
                timeout=aiohttp.ClientTimeout(total=within),
            ) as answer:
                text = (await _start(answer.content)).decode("utf-8", "replace")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _failure(error, target.host or "", within) from None
        secrets = [
            value.get_secret_value() for value in headers.values() if isinstance(value, Secret)
        ]
        text = blot_out(text, url.get_secret_value(), secrets)
        return Response(status=answer.status, headers=answer.headers, text=text)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={
                    "User-Agent": f"notifyd/{notifyd.__version__}",
                    "Accept-Encoding": "identity",
                },
                auto_decompress=False,
            )
        return self._session


def _target(url: str) -> yarl.URL:
    with contextlib.suppress(ValueError):
        target = yarl.URL(url)
        if target.scheme in ("http", "https") and target.host:
            return target
    raise PermanentFailure("the address is not valid: it has to start with https:// and a host")


def _proxy(target: yarl.URL) -> str | None:
    # Not aiohttp's trust_env: it would also send ~/.netrc's passwords, `default` to any host.
    if urllib.request.proxy_bypass(target.host or ""):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(target.scheme) or proxies.get("all")
    if not proxy:
        return None
    address = proxy if "://" in proxy else f"http://{proxy}"  # as curl takes it
    if not address.startswith(("http://", "https://")):
        name = f"{target.scheme}_proxy" if target.scheme in proxies else "all_proxy"
        raise TemporaryFailure(f"the proxy in {name} is of a kind that notifyd does not speak")
    return address


def _revealed(value: str | Secret) -> str:
    return value if isinstance(value, str) else value.get_secret_value()


async def _start(content: aiohttp.StreamReader) -> bytes:
    """Read the first bytes. A body that breaks off or lingers does not undo the answer."""
    text = b""
    with contextlib.suppress(aiohttp.ClientError, OSError):
        while len(text) < _MOST_READ and (chunk := await content.read(_MOST_READ - len(text))):
            text += chunk
    return text


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
        return PermanentFailure(f"the request to {host} cannot be written: check url and headers")
    return connection_failure(error, host)
